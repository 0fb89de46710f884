/* Flash in RAM that refuses what flash refuses, with power cuts, and images to put into it: what the tests of
 * the bootloader's logic on this machine share. */
#ifndef BOOT_RIG_H
#define BOOT_RIG_H

#include "flash.h"
#include "layout.h"
#include "slots.h"
#include <setjmp.h>

extern uint8_t rig_flash[BOOT_MODELS];

/* Random numbers, the same in each run. */
uint32_t rig_draw(void);

/* How an operation is cut. Behind it, it is complete. */
enum { RIG_BEFORE, RIG_PREFIX, RIG_BITS, RIG_MORE_BITS, RIG_BEHIND, RIG_WAYS };

/* Operations until the power goes (RIG_NEVER: it stays), and the way; then it jumps to rig_power. */
#define RIG_NEVER 0xFFFFFFFFu
extern uint32_t rig_countdown;
extern int rig_way;
extern jmp_buf rig_power;
extern uint32_t rig_operations; /* pages erased and words written so far */

/* Replaces the whole flash, as if it had been erased and written from outside. */
void rig_replace(const uint8_t *flash);

/* Writes an image of `code` bytes to `to` (BOOT_SLOT_BYTES of room) and returns its length; `seed` makes them
 * differ. */
uint32_t rig_image(uint8_t *to, uint32_t code, uint8_t minor, uint32_t seed);

#endif
