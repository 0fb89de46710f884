/*
 * Where things lie in the flash of the micro:bit (nRF51822: 256 KB in pages of 1 KB), and what a slot is. The
 * bootloader writes to the two firmware slots and to nothing else: models lie behind them.
 */
#ifndef BOOT_LAYOUT_H
#define BOOT_LAYOUT_H

#define BOOT_PAGE 0x400u
#define BOOT_SLOT_BYTES 0x3000u
#define BOOT_SLOT_0 0x2000u /* the firmware runs here */
#define BOOT_SLOT_1 0x5000u /* uploads go here */
#define BOOT_MODELS 0x8000u /* not ours */

/* The last word of slot 1 says whether its image was copied already. No image reaches into it, in either
 * slot. */
#define BOOT_TAKEN (BOOT_SLOT_1 + BOOT_SLOT_BYTES - 4)
#define BOOT_ROOM (BOOT_SLOT_BYTES - 4)

/* RAM that a firmware's first stack pointer may point to the end of. */
#define BOOT_RAM 0x20000000u
#define BOOT_RAM_BYTES 0x4000u

/* Two words at the end of RAM: with these values a reset ends in the bootloader. */
#define BOOT_MAILBOX (BOOT_RAM + BOOT_RAM_BYTES - 8)
#define BOOT_STAY 0x42464601u

#endif
