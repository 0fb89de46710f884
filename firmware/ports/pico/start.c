/* From the second boot stage to main(): copies the program to RAM, and the vector tables of both places. */
#include "pico.h"

typedef void (*vector)(void);

extern uint32_t program_start[], program_end[], program_image[], bss_start[], bss_end[], stack_top[];
int main(void);

/* Anything that should not have happened: start again. */
static void fault(void) {
    board_restart(0);
}

/* What the processor uses once the program is in RAM; aligned to 256 by the linker script [2.4.3]. */
__attribute__((section(".vectors"), used)) static const vector VECTORS[16 + 26] = {
    (vector)(uintptr_t)stack_top,
    fault,
    fault,
    fault,
    [11] = fault,
    [14] = fault,
    [15] = fault,
    [16 + IRQ_TIMER_0] = pico_timer_interrupt,
    [16 + IRQ_UART0] = pico_uart_interrupt,
};

/* Runs in flash, so it may call nothing before the program is copied, and nothing with a near jump after. */
__attribute__((section(".start"), used, noinline, noreturn)) void start(void) {
    const uint32_t *from = program_image;
    for (uint32_t *to = program_start; to < program_end;)
        *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;)
        *to++ = 0;
    SCB_VTOR = (uint32_t)(uintptr_t)VECTORS;
    int (*volatile program)(void) = main;
    program();
    for (;;)
        ;
}

/* At 0x10000100, where the second stage looks: only what it takes from there. */
__attribute__((section(".start_vectors"), used)) static const vector START_VECTORS[2] = {
    (vector)(uintptr_t)stack_top, start};
