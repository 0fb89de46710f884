/* The vector table, and what a handler does that no port defines: reset the chip. */
        .syntax unified
        .thumb
        .text

        .thumb_func
Default_Handler:
        ldr     r0, =0xE000ED0C         /* AIRCR: the key, and SYSRESETREQ */
        ldr     r1, =0x05FA0004
        dsb
        str     r1, [r0]
1:      b       1b
        .ltorg

        .thumb_func
Default_SystemInit:
        bx      lr

        .macro  handler name
        .weak   \name
        .thumb_set \name, Default_Handler
        .word   \name
        .endm

        .weak   SystemInit
        .thumb_set SystemInit, Default_SystemInit

        .section .vectors, "a"
        .global Vectors
Vectors:
        .word   board_stack
        .word   Reset_Handler
        handler NMI_Handler
        handler HardFault_Handler
        handler MemManage_Handler
        handler BusFault_Handler
        handler UsageFault_Handler
        .word   0, 0, 0, 0
        handler SVC_Handler
        handler DebugMon_Handler
        .word   0
        handler PendSV_Handler
        handler SysTick_Handler
        .weak   Interrupt_Handler
        .thumb_set Interrupt_Handler, Default_Handler
        .rept   CORTEX_IRQS
        .word   Interrupt_Handler
        .endr
