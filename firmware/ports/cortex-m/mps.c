/*
 * Arm's FPGA boards MPS2 and MPS3. There is no flash: both slots lie in RAM that a reset leaves alone, and
 * behave as flash would. The line is UART0, an APB UART of the Cortex-M System Design Kit.
 *
 * port.mk sets -DMPS_TARGET (name of the board), MPS_MEGAHERTZ (of the processor), MPS_UART (address),
 * MPS_UART_MEGAHERTZ and MPS_UART_IRQ (of the receiver).
 */
#include "board.h"
#include "cortex-m.h"

/* CMSDK APB UART (CMSDK technical reference manual, 4.3) */
#define UART0(offset) CORTEX_REGISTER(MPS_UART + (offset))
#define UART_DATA UART0(0x00)
#define UART_STATE UART0(0x04)
#define UART_TX_FULL 1u
#define UART_RX_FULL 2u
#define UART_CTRL UART0(0x08)
#define UART_ON 0x0Bu /* transmitter, receiver, interrupt of the receiver */
#define UART_INTCLEAR UART0(0x0C)
#define UART_RX_INTERRUPT 2u
#define UART_BAUDDIV UART0(0x10)

#define SEND_ROUNDS 100000u /* a byte takes 87 us, some 2,200 cycles */

#define ARENA_BYTES                                                                                          \
    (192u * 1024) /* 784-120-120 learning in both layers takes 113 KB, its class statistics 31 KB */
#define SLOT_BYTES (256u * 1024)
#define PAGE_BYTES 4096u

static uint32_t arena[ARENA_BYTES / 4] __attribute__((section(".noinit.arena")));
static uint8_t slots[2 * SLOT_BYTES] __attribute__((section(".noinit.slots"), aligned(8)));

typedef char ring_holds_the_window[((BOARD_WINDOW - 1) * BOARD_REQUEST_BYTES <= CORTEX_AHEAD) ? 1 : -1];

static int in_slots(uint32_t offset, uint32_t count) {
    return offset < sizeof slots && count <= sizeof slots - offset;
}

static int erase(void *user, uint32_t offset) {
    (void)user;
    if (!in_slots(offset, PAGE_BYTES) || offset % PAGE_BYTES) return -1;
    for (uint32_t i = 0; i < PAGE_BYTES; i++)
        slots[offset + i] = 0xFF;
    return 0;
}

static int program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    (void)user;
    if (!in_slots(offset, count)) return -1;
    for (uint32_t i = 0; i < count; i++)
        slots[offset + i] &= from[i];
    return 0;
}

void board_start(ff_device *device) {
    cortex_clock_start(MPS_MEGAHERTZ);
    UART_BAUDDIV = (MPS_UART_MEGAHERTZ * 1000000u + BOARD_BAUD / 2) / BOARD_BAUD;
    UART_CTRL = UART_ON;
    cortex_enable(MPS_UART_IRQ);
    device->flash.map = slots;
    device->flash.slot_bytes = SLOT_BYTES;
    device->flash.page_bytes = PAGE_BYTES;
    device->flash.erase = erase;
    device->flash.program = program;
    device->arena = (uint8_t *)arena;
    device->arena_bytes = sizeof arena;
    device->target = MPS_TARGET;
    device->window = BOARD_WINDOW;
    device->ahead = CORTEX_AHEAD;
    device->can_restart = 1;
}

void Interrupt_Handler(void) {
    UART_INTCLEAR = UART_RX_INTERRUPT;
    while (UART_STATE & UART_RX_FULL)
        cortex_ring_put((uint8_t)UART_DATA);
}

uint32_t board_read(uint8_t *to, uint32_t room) {
    return cortex_ring_take(to, room);
}

uint32_t board_write(const uint8_t *from, uint32_t count) {
    uint32_t sent = 0;
    cortex_ring_awake();
    while (sent < count && !(UART_STATE & UART_TX_FULL))
        UART_DATA = from[sent++];
    return sent;
}

uint32_t board_clock(void) {
    return cortex_clock();
}

/* This board has no source of noise. */
uint32_t board_seed(void) {
    return cortex_seed(cortex_clock());
}

/* There is no bootloader to stay in: both modes restart the firmware. */
void board_restart(uint8_t mode) {
    (void)mode;
    for (uint32_t i = 0; (UART_STATE & UART_TX_FULL) && i < SEND_ROUNDS; i++)
        ;
    const uint32_t from = cortex_clock(); /* the last byte has left the buffer, not yet the line */
    while (cortex_clock() - from < 200)
        ;
    cortex_reset();
}
