/* Clocks and timer: 12 MHz crystal, PLL at 12 * 125 / 6 / 2 = 125 MHz. */
#include "pico.h"

#define TRIES 1000000u /* far more than the 1 ms that crystal and PLL take, and less than a second */

int pico_wait(uint32_t address, uint32_t bits, uint32_t tries) {
    while (tries--)
        if (REG(address) & bits) return 1;
    return 0;
}

void pico_unreset(uint32_t peripherals) {
    REG_CLEAR(RESETS_RESET) = peripherals;
    for (uint32_t tries = TRIES; tries && (REG(RESETS_DONE) & peripherals) != peripherals; tries--)
        ;
}

/* The system clock runs from the reference clock when this begins, as after a reset. */
static void start_pll(void) {
    REG_SET(RESETS_RESET) = RESET_PLL_SYS;
    pico_unreset(RESET_PLL_SYS);
    REG(PLL_SYS_CS) = 1;
    REG(PLL_SYS_FBDIV) = 125;
    REG_CLEAR(PLL_SYS_PWR) = PLL_PD | PLL_VCOPD;
    if (!pico_wait(PLL_SYS_CS, PLL_LOCK, TRIES)) return;
    REG(PLL_SYS_PRIM) = 6u << 16 | 2u << 12;
    REG_CLEAR(PLL_SYS_PWR) = PLL_POSTDIVPD;
    REG_SET(CLK_SYS_CTRL) = CLK_SYS_AUX;
    pico_wait(CLK_SYS_SELECTED, 1u << 1, TRIES);
}

void pico_clocks_start(void) {
    REG_CLEAR(CLK_SYS_CTRL) = CLK_SYS_AUX;
    pico_wait(CLK_SYS_SELECTED, 1u << 0, TRIES);
    REG(XOSC_STARTUP) = 47; /* * 256 cycles of 12 MHz = 1 ms */
    REG(XOSC_CTRL) = XOSC_ENABLE;
    if (pico_wait(XOSC_STATUS, XOSC_STABLE, TRIES)) {
        REG(CLK_REF_CTRL) = CLK_REF_XOSC;
        pico_wait(CLK_REF_SELECTED, 1u << 2, TRIES);
        start_pll();
        REG(CLK_PERI_CTRL) = CLK_PERI_ENABLE | PICO_PERI_CLOCK;
    } else {
        REG(CLK_PERI_CTRL) = CLK_PERI_ENABLE; /* the ring oscillator, some 6 MHz: the line will hardly work */
    }
    REG(WATCHDOG_TICK) = WATCHDOG_TICK_ENABLE | 12;
    pico_unreset(RESET_TIMER);
    REG(TIMER_INTE) = 1;
    cortex_enable(IRQ_TIMER_0);
    pico_timer_interrupt();
}

/* Each millisecond, so that the main loop goes round though it sleeps when nothing comes in. */
void pico_timer_interrupt(void) {
    REG(TIMER_INTR) = 1;
    REG(TIMER_ALARM0) = REG(TIMER_RAWL) + 1000;
}

uint32_t board_clock(void) {
    return REG(TIMER_RAWL);
}

/* Bits of the ring oscillator, which the clocks don't depend on by now, each folded into what came before
 * [2.17.7]. */
uint32_t board_seed(void) {
    uint32_t seed = board_clock();
    for (int i = 0; i < 256; i++) {
        seed = (seed << 1 | seed >> 31) ^ (REG(ROSC_RANDOMBIT) & 1u);
        seed *= 0x9E3779B1u; /* odd, so that nothing is lost */
        for (volatile int pause = 0; pause < 8; pause++)
            ;
    }
    return seed ? seed : 1;
}
