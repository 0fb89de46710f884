/* What the files of this port share. */
#ifndef PICO_H
#define PICO_H

#include "board.h"
#include "cortex-m.h"
#include "rp2040.h"

/* The UART's clock: the crystal's, which does not wait for a PLL, as long as it can be divided down to the
 * line. */
#if BOARD_BAUD > 750000
#define PICO_PERI_CLOCK CLK_PERI_SYS
#define PICO_PERI_HERTZ 125000000u
#else
#define PICO_PERI_CLOCK CLK_PERI_XOSC
#define PICO_PERI_HERTZ 12000000u
#endif

/* Crystal on, system clock 125 MHz, UART clock as above, timer at 1 MHz. Whatever doesn't come up is done
 * without: nothing is waited for without end. */
void pico_clocks_start(void);

/* Takes peripherals (bits of RESETS_RESET) out of reset. */
void pico_unreset(uint32_t peripherals);

/* Waits until the register has one of the bits; 0 if it doesn't in `tries` looks (each 3 cycles at least). */
int pico_wait(uint32_t address, uint32_t bits, uint32_t tries);

void pico_uart_start(void);
void pico_uart_interrupt(void);
void pico_timer_interrupt(void);

/* Slots in the flash (ff_store.h); offsets count from the start of slot 0. */
int pico_flash_erase(void *user, uint32_t offset);
int pico_flash_program(void *user, uint32_t offset, const uint8_t *from, uint32_t count);

#endif
