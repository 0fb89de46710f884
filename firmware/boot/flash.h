/* The flash as the slot logic needs it: the processor's own, or a model of it in a test on the host. */
#ifndef BOOT_FLASH_H
#define BOOT_FLASH_H

#include <stdint.h>

/* What lies at an address of the processor. Slots are contiguous: one pointer serves a whole slot. */
const uint8_t *flash_at(uint32_t address);

/* Erases the page that begins at `address` to 0xFF. Returns when it is done. */
void flash_erase(uint32_t address);

/* Clears the bits of the word at `address` (a multiple of 4) that are 0 in `word`. Returns when it is done.
 * Nobody believes it: whoever wrote an image checks its hash. */
void flash_write(uint32_t address, uint32_t word);

#endif
