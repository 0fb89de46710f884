/*
 * A port in six functions (ports/board.h), as a beginning for a new board: the steps are in README.md. This
 * file holds what depends on the memory of the board, line.c what depends on its serial port and clock.
 */
#include "template.h"

/* Step 3. Two slots. Here they lie in RAM and behave like flash; a real port has them in flash pages of their
 * own, which no program and no bootloader touches, and says keeps_store = 1. */
#define PAGE_BYTES 4096u

static uint32_t arena[BOARD_ARENA / 4];
static uint32_t slots[2 * BOARD_SLOT_BYTES / 4] __attribute__((aligned(8)));

static int in_slots(uint32_t offset, uint32_t count) {
    return offset < sizeof slots && count <= sizeof slots - offset;
}

/* A flash driver unlocks, erases one page, waits with a bound, locks, and reads back: -1 if it isn't all
 * 0xFF. */
static int erase(void *user, uint32_t offset) {
    (void)user;
    if (!in_slots(offset, PAGE_BYTES) || offset % PAGE_BYTES) return -1;
    for (uint32_t i = 0; i < PAGE_BYTES / 4; i++)
        slots[offset / 4 + i] = 0xFFFFFFFFu;
    return 0;
}

/* Whole words. Flash only clears bits; what was written is read back by the core. */
static int program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    const uint32_t *word = (const uint32_t *)(const void *)from; /* aligned to 4, says ff_store.h */
    (void)user;
    if (!in_slots(offset, count) || (offset | count) % 4) return -1;
    for (uint32_t i = 0; i < count / 4; i++)
        slots[offset / 4 + i] &= *word++;
    return 0;
}

/* Step 5. What the device is told about the board. */
void board_start(ff_device *device) {
    template_line_start();
    device->flash.map = (ff_rom)slots;
    device->flash.slot_bytes = BOARD_SLOT_BYTES;
    device->flash.page_bytes = PAGE_BYTES;
    device->flash.erase = erase;
    device->flash.program = program;
    device->arena = (uint8_t *)arena;
    device->arena_bytes = sizeof arena;
    device->target = "template";
    device->window = 1;
    device->ahead = BOARD_AHEAD;
    device->keeps_store = 0;
    device->can_restart = 1;
}

uint32_t board_write(const uint8_t *from, uint32_t count) {
    return template_line_send(from, count);
}
