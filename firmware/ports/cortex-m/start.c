/* From reset to main(). */
#include "cortex-m.h"

int main(void);

/* A debugger sees by it how deep the stack went. */
#define PAINT 0x57AC57ACu

__attribute__((noreturn)) void Reset_Handler(void) {
    uint32_t *top;
    __asm volatile("mov %0, sp" : "=r"(top));
    SystemInit();
    const uint32_t *from = board_data_from;
    for (volatile uint32_t *to = board_data_start; to < board_data_end;)
        *to++ = *from++;
    for (volatile uint32_t *to = board_bss_start; to < board_bss_end;)
        *to++ = 0;
    for (volatile uint32_t *to = board_stack_limit; to < top;)
        *to++ = PAINT;
#if CORTEX_VTOR
    SCB_VTOR = (uint32_t)(uintptr_t)Vectors; /* a bootloader's table may still be in use */
#endif
    main();
    cortex_reset();
    for (;;)
        ;
}

void cortex_reset(void) {
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = SCB_RESET;
    for (;;)
        ;
}
