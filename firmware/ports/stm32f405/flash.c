/*
 * The flash driver. The processor stands still while the flash is busy, since the program lies in it: for 1
 * to 2 s when a sector is erased (DS8626, table 40). No frame comes then: the host awaits the answer to
 * BEGIN. What was done is read back: a flash that takes nothing is told by that.
 */
#include "stm32f405.h"

#define ERASE_ROUNDS 100000000u /* more than 3 s at 168 MHz */
#define WORD_ROUNDS 10000u      /* a word takes 16 us, 100 at most */

static volatile uint32_t *word_at(uint32_t offset) {
    return &CORTEX_REGISTER(STM32_SLOTS + offset);
}

/* 1 if the flash takes orders: unlocked, and done with whatever it did before. */
static int unlock(void) {
    if (!stm32_wait(&FLASH_SR, FLASH_BUSY, 0, ERASE_ROUNDS)) return 0;
    if (FLASH_CR & FLASH_LOCK) {
        FLASH_KEYR = FLASH_KEY1;
        FLASH_KEYR = FLASH_KEY2;
    }
    FLASH_SR = FLASH_ERRORS; /* a 1 clears what is left of earlier ones */
    return !(FLASH_CR & FLASH_LOCK);
}

/* Also empties the data cache, which may hold what was there before. */
static void lock(void) {
    FLASH_CR = FLASH_LOCK;
    const uint32_t acr = FLASH_ACR;
    FLASH_ACR = acr & ~ACR_DATA_CACHE;
    FLASH_ACR = (acr & ~ACR_DATA_CACHE) | ACR_DATA_CACHE_RESET;
    FLASH_ACR = acr & ~ACR_DATA_CACHE;
    FLASH_ACR = acr;
}

static int done(uint32_t rounds) {
    return stm32_wait(&FLASH_SR, FLASH_BUSY, 0, rounds) && !(FLASH_SR & FLASH_ERRORS);
}

int stm32_flash_erase(void *user, uint32_t offset) {
    (void)user;
    if (offset >= 2 * STM32_SLOT_BYTES || offset % STM32_SLOT_BYTES) return -1;
    int good = unlock();
    if (good) {
        FLASH_CR =
            FLASH_WORDS | FLASH_ERASE_SECTOR | FLASH_SECTOR(STM32_FIRST_SECTOR + offset / STM32_SLOT_BYTES);
        FLASH_CR |= FLASH_START;
        good = done(ERASE_ROUNDS);
    }
    lock();
    for (uint32_t i = 0; good && i < STM32_SLOT_BYTES; i += 4)
        good = *word_at(offset + i) == 0xFFFFFFFFu;
    return good ? 0 : -1;
}

/* The core reads back what was programmed (ff_store.c). */
int stm32_flash_program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    const uint32_t *word = (const uint32_t *)(const void *)from; /* aligned to 4, says ff_store.h */
    (void)user;
    if (offset >= 2 * STM32_SLOT_BYTES || count > 2 * STM32_SLOT_BYTES - offset || (offset | count) % 4)
        return -1;
    int good = unlock();
    if (good) FLASH_CR = FLASH_WORDS | FLASH_PROGRAM;
    for (uint32_t i = 0; good && i < count; i += 4) {
        *word_at(offset + i) = *word++;
        __asm volatile("dsb" ::: "memory"); /* the flash is busy once the word has left the write buffer */
        good = done(WORD_ROUNDS);
    }
    lock();
    return good ? 0 : -1;
}
