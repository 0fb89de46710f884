/* Raspberry Pi Pico: what the device has, and how it starts again. */
#include "pico.h"

extern uint8_t bss_end[], stack_limit[];

static uint32_t arena[BOARD_ARENA / 4];

void board_start(ff_device *device) {
    pico_clocks_start();
    pico_uart_start();
    device->target = "pico";
    device->window = BOARD_WINDOW;
    device->ahead = CORTEX_AHEAD;
    device->keeps_store = 1;
    device->can_restart = 1;
    device->arena = (uint8_t *)arena;
    device->arena_bytes = sizeof arena;
    /* What is left between variables and stack: should the stack ever grow beyond its own, a patch's CRC
     * tells. */
    device->stage = bss_end;
    device->stage_bytes = (uint32_t)(stack_limit - bss_end) & ~(uint32_t)3;
    device->flash.map = (ff_rom)(uintptr_t)BOARD_SLOTS;
    device->flash.slot_bytes = BOARD_SLOT_BYTES;
    device->flash.page_bytes = 4096;
    device->flash.erase = pico_flash_erase;
    device->flash.program = pico_flash_program;
}

/* The boot ROM's own USB drive, from which the board takes a UF2 file [2.8.3.1.5]. Comes back only if there
 * is no such ROM. */
static void start_usb_boot(void) {
    uint32_t (*lookup)(uint32_t table, uint32_t code) =
        (uint32_t(*)(uint32_t, uint32_t))(uintptr_t) * (volatile uint16_t *)(uintptr_t)ROM_LOOKUP;
    const uint32_t at = lookup(*(volatile uint16_t *)(uintptr_t)ROM_TABLE, ROM_RESET_USB_BOOT);
    if (at)
        ((void (*)(uint32_t, uint32_t))(uintptr_t)at)(0, 0); /* no activity light, no interface left out */
}

void board_restart(uint8_t mode) {
    for (uint32_t looks = 0; looks < 1000000u && (REG(UART0_FR) & UART_FR_BUSY); looks++)
        ;
    if (mode == 1) start_usb_boot();
    REG(WATCHDOG_SCRATCH4) = 0; /* else the ROM may take it for an address to go to [2.8.1.1] */
    REG(PSM_WDSEL) = PSM_ALL_BUT_OSCILLATORS;
    REG(WATCHDOG_CTRL) = WATCHDOG_TRIGGER;
    for (;;)
        ;
}
