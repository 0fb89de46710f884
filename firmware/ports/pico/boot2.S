/*
 * The second stage of starting: 252 bytes at most, which the boot ROM copies from the start of the flash to SRAM and runs
 * there, if the CRC-32 in the four bytes behind them fits (RP2040 datasheet 2.8.1.3). It lets the processor read the flash
 * in place, by the command that every serial flash knows (03h), and goes on to the vector table behind it.
 */
        .syntax unified
        .cpu cortex-m0plus
        .thumb
        .section .boot2, "ax"
        .global boot2
        .thumb_func
boot2:
        ldr     r3, =0x18000000         /* SSI */
        movs    r1, #0
        str     r1, [r3, #0x08]         /* SSIENR: off while it is set up */
        movs    r0, #4
        str     r0, [r3, #0x14]         /* BAUDR: an even divider of the system clock */
        ldr     r0, =0x001F0300
        str     r0, [r3, #0x00]         /* CTRLR0: a command goes out, 32 bits come back */
        str     r1, [r3, #0x04]         /* CTRLR1: one word */
        ldr     r0, =0x03000218
        movs    r2, #0xF4
        str     r0, [r3, r2]            /* SPI_CTRLR0: command 03h of 8 bits, address of 24 */
        movs    r0, #1
        str     r0, [r3, #0x10]         /* SER: the only chip select there is */
        str     r0, [r3, #0x08]         /* SSIENR: on */
        ldr     r0, =0x10000100         /* the vector table: stack pointer, entry */
        ldr     r1, =0xE000ED08
        str     r0, [r1]                /* VTOR */
        ldm     r0, {r0, r1}
        msr     msp, r0
        bx      r1
        .ltorg
