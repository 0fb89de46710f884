/*
 * The clock tree. The internal oscillator is exact to 1% at room temperature (DS8626, table 34): enough for a
 * serial line, and boards differ in their crystals (Feather 12 MHz, Netduino 25 MHz).
 */
#include "stm32f405.h"

#define READY_ROUNDS 100000u /* 37 ms at 16 MHz; the PLL locks within 0.3 ms (DS8626, table 36) */
#define LATENCY 5u           /* wait states of the flash at 168 MHz and 2.7 V or more (RM0090, table 10) */
/* 16 MHz / 8 = 2 MHz, * 168 = 336 MHz, / 2 = 168 MHz; / 7 = 48 MHz for the random numbers. */
#define PLL_M 8u
#define PLL_N 168u
#define PLL_P_HALF 0u
#define PLL_Q 7u

int stm32_wait(volatile uint32_t *at, uint32_t bits, uint32_t value, uint32_t rounds) {
    while (rounds--)
        if ((*at & bits) == value) return 1;
    return 0;
}

stm32_clocks stm32_clocks_start(void) {
    const stm32_clocks slow = {16, 16, 16}, fast = {168, 42, 84};
    RCC_PLLCFGR = PLL_M | PLL_N << 6 | PLL_P_HALF << 16 | PLL_Q << 24;
    RCC_CR |= RCC_PLL_ON;
    if (!stm32_wait(&RCC_CR, RCC_PLL_READY, RCC_PLL_READY, READY_ROUNDS)) return slow;
    FLASH_ACR = LATENCY | ACR_PREFETCH | ACR_INSTRUCTION_CACHE | ACR_DATA_CACHE;
    if (!stm32_wait(&FLASH_ACR, ACR_LATENCY, LATENCY, READY_ROUNDS)) return slow;
    RCC_CFGR = RCC_APB1_QUARTER | RCC_APB2_HALF; /* buses first: none may ever be too fast */
    RCC_CFGR |= RCC_SWITCH_PLL;
    if (stm32_wait(&RCC_CFGR, RCC_SWITCH << 2, RCC_SWITCH_PLL << 2, READY_ROUNDS)) return fast;
    RCC_CFGR = 0;
    return slow;
}
