/*
 * What a processor spends on the requests of a stream, in instructions: the board's own main program
 * (ports/board.c) over a line that lies in memory. Runs in QEMU's mps2-an386 with -icount shift=0;
 * bench/frame-cost.ts puts the files `slot`, a committed one with a model, and `requests` into its folder:
 * u32 count, then the frames as on the line.
 *
 * Three sums over all requests: keeping their bytes (the receiver's interrupt, without the processor's own
 * entry and exit), the model (STATUS's microseconds), and all but the first: decoding, checksum, model,
 * answer. Sending the answer costs nothing here: that is the line's time.
 */
#include "board.h"
#include "cortex-m.h"
#include "counter.h"
#include "semihosting.h"

#define ARENA_BYTES (1024u * 1024)
#define SLOT_BYTES (512u * 1024)
#define REQUEST_BYTES (1024u * 1024)

/* Interrupts at all would be counted for whatever they break into: none is enabled, the registers are
 * variables. */
static volatile uint32_t line_state, line_data;
static uint32_t arena[ARENA_BYTES / 4], slots[2 * SLOT_BYTES / 4];
static uint8_t requests[REQUEST_BYTES] __attribute__((aligned(4)));
static const uint8_t *next = requests + 4, *end;
static uint64_t began, keep, model, all;
static uint32_t answered;
static const ff_device *the_device;

static int erase_refuses(void *user, uint32_t offset) {
    (void)user;
    (void)offset;
    return -1;
}

static int program_refuses(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    (void)user;
    (void)offset;
    (void)from;
    (void)count;
    return -1;
}

void board_start(ff_device *device) {
    end = requests + host_read("requests", requests, sizeof requests);
    host_read("slot", slots, SLOT_BYTES);
    counter_start();
    the_device = device;
    device->flash.map = (ff_rom)slots;
    device->flash.slot_bytes = SLOT_BYTES;
    device->flash.page_bytes = 4096;
    device->flash.erase = erase_refuses;
    device->flash.program = program_refuses;
    device->arena = (uint8_t *)arena;
    device->arena_bytes = sizeof arena;
    device->target = "frame-cost";
    device->window = 1;
}

static void report(void) {
    if (!the_device->loaded) host_fail("the model does not load");
    if (answered != ff_at32(requests)) host_fail("not every request was answered");
    host_number("keep", keep);
    host_number("model", model);
    host_number("all", all);
    host_exit(0);
}

/* Like those of the ports. */
__attribute__((noinline)) static void on_interrupt(void) {
    while (line_state) {
        line_state = 0;
        cortex_ring_put((uint8_t)line_data);
    }
}

/* Puts the next request into the ring, byte by byte as the line would. */
static void receive(void) {
    if (next == end) report();
    const uint64_t from = counter_now();
    uint8_t byte;
    do {
        byte = *next++;
        line_data = byte;
        line_state = 1;
        on_interrupt();
    } while (byte != 0 && next != end);
    began = counter_now();
    keep += began - from;
}

uint32_t board_read(uint8_t *to, uint32_t room) {
    const uint32_t count = cortex_ring_take(to, room);
    if (count) return count;
    receive();
    return cortex_ring_take(to, room);
}

uint32_t board_write(const uint8_t *from, uint32_t count) {
    (void)from;
    all += counter_now() - began;
    model += the_device->microseconds;
    answered++;
    return count;
}

uint32_t board_clock(void) {
    return (uint32_t)counter_now();
}

uint32_t board_seed(void) {
    return 1;
}

void board_restart(uint8_t mode) {
    (void)mode;
}
