/* What the files of this port share. */
#ifndef STM32F405_H
#define STM32F405_H

#include "board.h"
#include "registers.h"

/* Megahertz of the processor and of the buses of USART3 and USART1. */
typedef struct {
    uint32_t core, apb1, apb2;
} stm32_clocks;

/* 168 MHz by the PLL from the internal oscillator, or that oscillator's 16 MHz if the PLL doesn't get ready.
 */
stm32_clocks stm32_clocks_start(void);

/* Waits until all of `bits` of the register are `value`; 0 if they aren't after `rounds` looks of 6 cycles or
 * more. */
int stm32_wait(volatile uint32_t *at, uint32_t bits, uint32_t value, uint32_t rounds);

void stm32_lines_start(const stm32_clocks *clocks);
/* Waits until everything is sent, some 10 ms at most. */
void stm32_lines_drain(void);

/* Two slots in flash: sectors 10 and 11 (RM0090, table 5). One sector is one page. */
#define STM32_SLOTS 0x080C0000u
#define STM32_FIRST_SECTOR 10u
#define STM32_SLOT_BYTES 0x20000u
int stm32_flash_erase(void *user, uint32_t offset);
int stm32_flash_program(void *user, uint32_t offset, const uint8_t *from, uint32_t count);

#endif
