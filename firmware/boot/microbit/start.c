/*
 * Vectors and start of the bootloader. A Cortex-M0 can't move its vector table, so the bootloader's passes
 * every exception on to the handler that the firmware in slot 0 has for it. The bootloader itself uses none.
 */
#include "../layout.h"
#include <stdint.h>

extern uint32_t boot_bss_start[], boot_bss_end[];
void boot_stack(void); /* an address that the linker sets, no function */
__attribute__((noreturn)) void boot_main(void);
void reset_handler(void);
void forward(void);

__attribute__((noreturn)) void reset_handler(void) {
    for (uint32_t *p = boot_bss_start; p < boot_bss_end; p++)
        *(volatile uint32_t *)p = 0;
    boot_main();
}

/*
 * The number of the exception is the index into the firmware's table, which lies behind a header whose length
 * stands in it. Where there is no firmware, or it has no handler in its slot, the board restarts.
 */
__attribute__((naked)) void forward(void) {
    __asm__ volatile("    ldr r0, =%c0\n"      /* slot 0 */
                     "    ldrh r1, [r0, #8]\n" /* length of its header */
                     "    lsrs r1, r1, #2\n"   /* aligned, whatever stands there */
                     "    lsls r1, r1, #2\n"
                     "    adds r1, r1, r0\n"
                     "    mrs r2, ipsr\n"
                     "    lsls r2, r2, #2\n"
                     "    ldr r1, [r1, r2]\n"
                     "    subs r2, r1, r0\n"
                     "    ldr r3, =%c1\n"
                     "    cmp r2, r3\n"
                     "    bhs 1f\n"
                     "    bx r1\n"
                     "1:  ldr r0, =0xE000ED0C\n" /* SCB_AIRCR */
                     "    ldr r1, =0x05FA0004\n"
                     "    str r1, [r0]\n"
                     "2:  b 2b\n"
                     "    .ltorg\n"
                     :
                     : "i"(BOOT_SLOT_0), "i"(BOOT_SLOT_BYTES));
}

typedef void (*handler)(void);
#define FOUR(h) h, h, h, h

/* 16 of the processor and 32 of the chip. */
__attribute__((section(".vectors"), used)) static const handler VECTORS[48] = {
    boot_stack,    reset_handler, forward,       forward,       FOUR(forward),
    FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward),
    FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward), FOUR(forward),
};
