/* Microseconds by SysTick, which counts the processor's cycles down and interrupts once in PERIOD. */
#include "cortex-m.h"

#define PERIOD 10000u /* microseconds; SysTick has 24 bits */

static volatile uint32_t passed; /* microseconds up to the last interrupt */
static uint32_t rate = 1;        /* cycles per microsecond */

void cortex_clock_start(uint32_t megahertz) {
    rate = megahertz;
    SYST_RVR = PERIOD * megahertz - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_ON;
}

void SysTick_Handler(void) {
    passed += PERIOD;
}

uint32_t cortex_clock(void) {
    uint32_t before, left;
    do {
        before = passed;
        left = SYST_CVR;
        /* An interrupt that became due with the value just read is taken before the next instruction. */
        __asm volatile("dsb\n isb" ::: "memory");
    } while (before != passed);
    return before + (PERIOD * rate - 1 - left) / rate;
}
