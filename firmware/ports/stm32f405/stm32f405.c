/* STM32F405: what the device has, and how it starts again. */
#include "stm32f405.h"

static uint32_t arena[BOARD_ARENA / 4] __attribute__((section(".noinit.arena")));

/* What a restart into the chip's own bootloader leaves behind for SystemInit(). */
#define STAY 0xB0071D1Eu
static volatile uint32_t mailbox[2] __attribute__((section(".noinit.mailbox")));

#define NOISE_ROUNDS 10000u /* a number takes 40 cycles of 48 MHz */

/* Straight after the reset, with everything as the bootloader expects it: it listens on both our lines and on
 * USB (AN2606). */
void SystemInit(void) {
    if (mailbox[0] != STAY || mailbox[1] != ~STAY) return;
    mailbox[0] = 0; /* whatever comes of it: the next reset starts the firmware */
    __asm volatile("dsb" ::: "memory");
    RCC_APB2ENR |= RCC_SYSCFG;
    (void)RCC_APB2ENR;
    SYSCFG_MEMRMP = MEMRMP_SYSTEM_FLASH;
    const uint32_t stack = CORTEX_REGISTER(SYSTEM_MEMORY), entry = CORTEX_REGISTER(SYSTEM_MEMORY + 4);
    __asm volatile("msr msp, %0\n bx %1" ::"r"(stack), "r"(entry));
    for (;;)
        ;
}

void board_start(ff_device *device) {
    const stm32_clocks clocks = stm32_clocks_start();
    cortex_clock_start(clocks.core);
    stm32_lines_start(&clocks);
    device->flash.map = (ff_rom)(uintptr_t)STM32_SLOTS;
    device->flash.slot_bytes = STM32_SLOT_BYTES;
    device->flash.page_bytes = STM32_SLOT_BYTES;
    device->flash.erase = stm32_flash_erase;
    device->flash.program = stm32_flash_program;
    device->arena = (uint8_t *)arena;
    device->arena_bytes = sizeof arena;
    /* What is left below the stack: should that ever grow beyond its own, a patch's CRC tells. */
    device->stage = (uint8_t *)board_free_start;
    device->stage_bytes = (uint32_t)(board_stack_limit - board_free_start) * 4;
    device->target = "stm32f405";
    device->window = 1;
    device->ahead = CORTEX_AHEAD;
    device->keeps_store = 1;
    device->can_restart = 1;
}

uint32_t board_clock(void) {
    return cortex_clock();
}

uint32_t board_seed(void) {
    uint32_t noise = cortex_clock();
    RCC_AHB2ENR |= RCC_RNG;
    (void)RCC_AHB2ENR;
    RNG_CR = RNG_ON;
    for (unsigned k = 0; k < 2; k++) /* the first one after a start is not to be used [24.3.1] */
        if (stm32_wait(&RNG_SR, RNG_READY, RNG_READY, NOISE_ROUNDS)) noise ^= RNG_DR;
    RNG_CR = 0;
    return cortex_seed(noise);
}

void board_restart(uint8_t mode) {
    stm32_lines_drain();
    mailbox[0] = mode ? STAY : 0;
    mailbox[1] = ~STAY;
    cortex_reset();
}
