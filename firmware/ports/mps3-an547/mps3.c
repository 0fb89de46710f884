/* Vector registers are off after a reset. */
#include "cortex-m.h"

#define SCB_CPACR CORTEX_REGISTER(0xE000ED88u)
#define CPACR_VECTORS (0xFu << 20) /* coprocessors 10 and 11: full access */

void SystemInit(void) {
    SCB_CPACR |= CPACR_VECTORS;
    __asm volatile("dsb\n isb" ::: "memory");
}
