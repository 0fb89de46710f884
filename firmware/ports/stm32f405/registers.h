/* Registers of the STM32F405 that this port uses, by reference manual RM0090 (chapters in brackets). */
#ifndef REGISTERS_H
#define REGISTERS_H

#include "cortex-m.h"

/* Flash interface [3.9] */
#define FLASH_ACR CORTEX_REGISTER(0x40023C00u)
#define ACR_LATENCY 7u
#define ACR_PREFETCH (1u << 8)
#define ACR_INSTRUCTION_CACHE (1u << 9)
#define ACR_DATA_CACHE (1u << 10)
#define ACR_DATA_CACHE_RESET (1u << 12)
#define FLASH_KEYR CORTEX_REGISTER(0x40023C04u)
#define FLASH_KEY1 0x45670123u
#define FLASH_KEY2 0xCDEF89ABu
#define FLASH_SR CORTEX_REGISTER(0x40023C0Cu)
#define FLASH_ERRORS 0xF2u /* operation, write protection, alignment, parallelism, sequence */
#define FLASH_BUSY (1u << 16)
#define FLASH_CR CORTEX_REGISTER(0x40023C10u)
#define FLASH_PROGRAM (1u << 0)
#define FLASH_ERASE_SECTOR (1u << 1)
#define FLASH_SECTOR(number) ((uint32_t)(number) << 3)
#define FLASH_WORDS (2u << 8) /* 32 bits at once: at 2.7 V or more */
#define FLASH_START (1u << 16)
#define FLASH_LOCK (1u << 31)

/* Reset and clock control [7.3] */
#define RCC_CR CORTEX_REGISTER(0x40023800u)
#define RCC_PLL_ON (1u << 24)
#define RCC_PLL_READY (1u << 25)
#define RCC_PLLCFGR CORTEX_REGISTER(0x40023804u)
#define RCC_CFGR CORTEX_REGISTER(0x40023808u)
#define RCC_SWITCH 3u
#define RCC_SWITCH_PLL 2u
#define RCC_SWITCHED(cfgr) ((cfgr) >> 2 & 3u)
#define RCC_APB1_QUARTER (5u << 10)
#define RCC_APB2_HALF (4u << 13)
#define RCC_AHB1ENR CORTEX_REGISTER(0x40023830u)
#define RCC_GPIOA (1u << 0)
#define RCC_GPIOB (1u << 1)
#define RCC_AHB2ENR CORTEX_REGISTER(0x40023834u)
#define RCC_RNG (1u << 6)
#define RCC_APB1ENR CORTEX_REGISTER(0x40023840u)
#define RCC_USART3 (1u << 18)
#define RCC_APB2ENR CORTEX_REGISTER(0x40023844u)
#define RCC_USART1 (1u << 4)
#define RCC_SYSCFG (1u << 14)

/* Pins [8.4] */
#define GPIO_A 0x40020000u
#define GPIO_B 0x40020400u
#define GPIO_MODER(port) CORTEX_REGISTER((port) + 0x00u)
#define GPIO_PUPDR(port) CORTEX_REGISTER((port) + 0x0Cu)
#define GPIO_AFRH(port) CORTEX_REGISTER((port) + 0x24u) /* pins 8 to 15 */
#define GPIO_ALTERNATE 2u
#define GPIO_PULL_UP 1u
#define GPIO_USART 7u /* alternate function of USART1 to 3 (datasheet DS8626, table 9) */

/* What is mapped at address 0 [9.2.1] */
#define SYSCFG_MEMRMP CORTEX_REGISTER(0x40013800u)
#define MEMRMP_SYSTEM_FLASH 1u

/* Random numbers [24.4] */
#define RNG_CR CORTEX_REGISTER(0x50060800u)
#define RNG_ON (1u << 2)
#define RNG_SR CORTEX_REGISTER(0x50060804u)
#define RNG_READY (1u << 0)
#define RNG_DR CORTEX_REGISTER(0x50060808u)

/* Serial ports [30.6] */
#define USART1 0x40011000u
#define USART3 0x40004800u
#define USART_SR(port) CORTEX_REGISTER((port) + 0x00u)
#define USART_OVERRUN (1u << 3)
#define USART_RECEIVED (1u << 5)
#define USART_SENT_ALL (1u << 6)
#define USART_ROOM (1u << 7)
#define USART_DR(port) CORTEX_REGISTER((port) + 0x04u)
#define USART_BRR(port) CORTEX_REGISTER((port) + 0x08u)
#define USART_CR1(port) CORTEX_REGISTER((port) + 0x0Cu)
#define USART_ON                                                                                             \
    (1u << 13 | 1u << 5 | 1u << 3 | 1u << 2) /* enable, interrupt of the receiver, transmitter, receiver */
#define IRQ_USART1 37u
#define IRQ_USART3 39u

/* The chip's own bootloader [2.4] */
#define SYSTEM_MEMORY 0x1FFF0000u

#endif
