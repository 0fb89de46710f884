// From reset to main() on QEMU's machine `virt`, AArch64: vector registers on, memory that may be read at any address.
        .global _start
_start: ldr     x0, =stack_top
        mov     sp, x0
        mov     x0, #3 << 20            // CPACR_EL1: no trap on vector registers
        msr     cpacr_el1, x0
        // One table of blocks of 1 GB at their own addresses: devices, then memory.
        adrp    x0, table
        ldr     x1, =0x00000405         // block, accessed, attributes 1
        str     x1, [x0]
        ldr     x1, =0x40000701         // block, accessed, inner shareable, attributes 0
        str     x1, [x0, #8]
        msr     ttbr0_el1, x0
        mov     x1, #0xff               // attributes 0: normal, write-back; 1: device
        msr     mair_el1, x1
        ldr     x1, =0x803519           // 39 bits of addresses, tables in write-back memory, no TTBR1
        msr     tcr_el1, x1
        isb
        mrs     x1, sctlr_el1
        mov     x2, #0x1005             // translation, data and instruction caches
        orr     x1, x1, x2
        msr     sctlr_el1, x1
        isb
        bl      main
1:      b       1b

        .bss
        .balign 4096
table:  .space  4096
        .balign 16
        .space  65536
stack_top:
