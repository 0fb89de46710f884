/*
 * Registers of the RP2040 that this port uses, by the RP2040 datasheet (chapters in brackets). Each
 * peripheral's registers may also be written at an offset: +0x2000 sets bits, +0x3000 clears bits, in one bus
 * access [2.1.2].
 */
#ifndef RP2040_H
#define RP2040_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define REG_SET(address) REG((address) + 0x2000u)
#define REG_CLEAR(address) REG((address) + 0x3000u)

/* Resets [2.14] */
#define RESETS_RESET 0x4000C000u
#define RESETS_DONE 0x4000C008u
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_TIMER (1u << 21)
#define RESET_UART0 (1u << 22)

/* Power-on state machine: what a watchdog reset starts again [2.13] */
#define PSM_WDSEL 0x40010008u
#define PSM_ALL_BUT_OSCILLATORS 0x0001FFFCu

/* Clocks [2.15] */
#define CLK_REF_CTRL 0x40008030u
#define CLK_REF_SELECTED 0x40008038u
#define CLK_SYS_CTRL 0x4000803Cu
#define CLK_SYS_SELECTED 0x40008044u
#define CLK_PERI_CTRL 0x40008048u
#define CLK_REF_XOSC 2u
#define CLK_SYS_AUX 1u /* the PLL: AUXSRC is left 0 */
#define CLK_PERI_SYS 0u
#define CLK_PERI_XOSC (4u << 5)
#define CLK_PERI_ENABLE (1u << 11)

/* Crystal oscillator [2.16], ring oscillator [2.17], system PLL [2.18] */
#define XOSC_CTRL 0x40024000u
#define XOSC_STATUS 0x40024004u
#define XOSC_STARTUP 0x4002400Cu
#define XOSC_ENABLE (0xFABu << 12 | 0xAA0u) /* 1 to 15 MHz */
#define XOSC_STABLE (1u << 31)
#define ROSC_RANDOMBIT 0x4006001Cu
#define PLL_SYS_CS 0x40028000u
#define PLL_SYS_PWR 0x40028004u
#define PLL_SYS_FBDIV 0x40028008u
#define PLL_SYS_PRIM 0x4002800Cu
#define PLL_LOCK (1u << 31)
#define PLL_PD (1u << 0)
#define PLL_POSTDIVPD (1u << 3)
#define PLL_VCOPD (1u << 5)

/* Pins [2.19] */
#define IO_BANK0_CTRL(pin) (0x40014004u + 8u * (pin))
#define PADS_BANK0(pin) (0x4001C004u + 4u * (pin))
#define FUNCTION_UART 2u
#define PAD_PULL_UP (1u << 3)
#define PAD_PULL_DOWN (1u << 2)

/* The flash's chip select, which can be forced high or low [2.19.6.2] */
#define IO_QSPI_SS_CTRL 0x4001800Cu
#define SS_OVERRIDE (3u << 8)
#define SS_LOW (2u << 8)
#define SS_HIGH (3u << 8)

/* UART, an ARM PL011 [4.2.8] */
#define UART0_DR 0x40034000u
#define UART0_FR 0x40034018u
#define UART0_IBRD 0x40034024u
#define UART0_FBRD 0x40034028u
#define UART0_LCR_H 0x4003402Cu
#define UART0_CR 0x40034030u
#define UART0_IMSC 0x40034038u
#define UART0_ICR 0x40034044u
#define UART_FR_BUSY (1u << 3)
#define UART_FR_RXFE (1u << 4)
#define UART_FR_TXFF (1u << 5)
#define UART_LCR_8N1_FIFO (3u << 5 | 1u << 4)
#define UART_CR_ON (1u << 9 | 1u << 8 | 1u << 0)
#define UART_INT_RX (1u << 4)
#define UART_INT_RX_TIMEOUT (1u << 6)

/* Timer [4.6] and watchdog, which also makes the timer's ticks [4.7] */
#define TIMER_ALARM0 0x40054010u
#define TIMER_RAWL 0x40054028u
#define TIMER_INTR 0x40054034u
#define TIMER_INTE 0x40054038u
#define WATCHDOG_CTRL 0x40058000u
#define WATCHDOG_SCRATCH4 0x4005801Cu
#define WATCHDOG_TICK 0x4005802Cu
#define WATCHDOG_TRIGGER (1u << 31)
#define WATCHDOG_TICK_ENABLE (1u << 9)

/* Flash in the address space: its cache [2.6.3] and its serial interface [4.10] */
#define XIP_BASE 0x10000000u
#define XIP_FLUSH 0x14000004u
#define SSI_CTRLR0 0x18000000u
#define SSI_CTRLR1 0x18000004u
#define SSI_SSIENR 0x18000008u
#define SSI_SER 0x18000010u
#define SSI_BAUDR 0x18000014u
#define SSI_SR 0x18000028u
#define SSI_DR0 0x18000060u
#define SSI_SPI_CTRLR0 0x180000F4u
#define SSI_SR_BUSY (1u << 0)
#define SSI_SR_TFNF (1u << 1)
#define SSI_SR_RFNE (1u << 3)
/* Reading in place: 32 bits come back for each command (03h) and address (24 bits), one bit at a time. */
#define SSI_DIVIDER 4u /* of 125 MHz: 31 MHz; a W25Q16JV takes 50 MHz for 03h */
#define SSI_CTRLR0_XIP (31u << 16 | 3u << 8)
#define SSI_SPI_CTRLR0_XIP (0x03u << 24 | 2u << 8 | 6u << 2)
/* Bytes both ways, for commands. */
#define SSI_CTRLR0_BYTES (7u << 16)

/* Interrupts [2.3.2] */
#define IRQ_TIMER_0 0u
#define IRQ_UART0 20u

/* Boot ROM: where its table of functions and the routine that searches it are named [2.8.3] */
#define ROM_TABLE 0x00000014u
#define ROM_LOOKUP 0x00000018u
#define ROM_RESET_USB_BOOT ((uint32_t)'U' | (uint32_t)'B' << 8)

#endif
