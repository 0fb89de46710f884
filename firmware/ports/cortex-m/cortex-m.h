/*
 * What ports to Cortex-M processors share: start, clock, receive ring, seed. Registers by the ARMv7-M and
 * ARMv6-M Architecture Reference Manuals, chapters B3.
 *
 * A port's linker script says MEMORY { FLASH, RAM } and board_stack_bytes, and includes cortex-m.ld; its
 * port.mk includes cortex-m.mk and sets -DCORTEX_IRQS (interrupts of the chip that are used, counted from 0)
 * and -DCORTEX_RING.
 */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include <stdint.h>

/* device->ahead, of what the receive ring holds. */
#define CORTEX_AHEAD (CORTEX_RING - 1 - BOARD_RING_SPARE)

#define CORTEX_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SYST_CSR CORTEX_REGISTER(0xE000E010u)
#define SYST_RVR CORTEX_REGISTER(0xE000E014u)
#define SYST_CVR CORTEX_REGISTER(0xE000E018u)
#define SYST_ON 7u /* processor clock, interrupt, enable */
#define NVIC_ISER(irq) CORTEX_REGISTER(0xE000E100u + 4 * ((irq) / 32))
#define SCB_VTOR CORTEX_REGISTER(0xE000ED08u)
#define SCB_AIRCR CORTEX_REGISTER(0xE000ED0Cu)
#define SCB_RESET 0x05FA0004u

/* Set by the linker script. */
extern uint32_t Vectors[];
extern uint32_t board_data_from[], board_data_start[], board_data_end[];
extern uint32_t board_bss_start[], board_bss_end[];
extern uint32_t board_free_start[]; /* RAM that nothing else has, up to the next */
extern uint32_t board_stack_limit[],
    board_stack[]; /* the stack's lowest address, and the one behind its highest */

/*
 * Handlers have the usual names. Reset_Handler is here; the others reset the chip, unless a port defines its
 * own: a fault then finds the model that was saved last. All interrupts of the chip end in
 * Interrupt_Handler(). SystemInit() is called first of all, before variables have their values: empty, unless
 * a port defines it.
 */
void Reset_Handler(void);
void SysTick_Handler(void);
void Interrupt_Handler(void);
void SystemInit(void);

static inline void cortex_enable(uint32_t irq) {
    NVIC_ISER(irq) = 1u << irq % 32;
}

/* Resets processor and peripherals; RAM stays. */
void cortex_reset(void);

/* Starts the clock on SysTick. megahertz: of the processor, 1 to 1600. */
void cortex_clock_start(uint32_t megahertz);

/* Microseconds since then; wraps around. */
uint32_t cortex_clock(void);

/* A number that differs from one start to the next, mixed from `noise`, a count of starts and what RAM held
 * when power came. Never 0. Call it once. */
uint32_t cortex_seed(uint32_t noise);

/* Of the interrupt: keeps a byte that came in. It is lost if the ring is full: the host sent more than the
 * window. */
void cortex_ring_put(uint8_t byte);

/* Of board_read(): takes up to `room` bytes. After many looks in vain the processor sleeps until something
 * comes, or the clock's next interrupt. */
uint32_t cortex_ring_take(uint8_t *to, uint32_t room);

/* Of board_write(), which is called as long as an answer is on its way: no sleep yet, since nothing wakes the
 * processor when the line takes the next byte. */
void cortex_ring_awake(void);

#endif
