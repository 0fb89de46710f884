#include "goodness_store.h"

#ifdef __AVR__
#include <avr/eeprom.h>
#include <avr/io.h>
#include <avr/pgmspace.h>

/* ff_rom numbers: the first 32 KB of program flash (where the linker puts PROGMEM), EEPROM from here on. */
#define ROM_EEPROM 0x8000u
#define SLOT_BYTES ((E2END + 1u) / 2)
#define PAGE FF_SLOT_HEADER

void ff_rom_read(void *to, ff_rom at, ff_size count) {
    uint8_t *byte = (uint8_t *)to;
    for (; count--; at++)
        *byte++ = at < ROM_EEPROM ? pgm_read_byte(at) : eeprom_read_byte((const uint8_t *)(at - ROM_EEPROM));
}

/* EEPROM overwrites by itself: only a slot's header must be cleared, and of it the commit mark first. */
static int erase(void *user, ff_size offset) {
    (void)user;
    if (offset % SLOT_BYTES) return 0;
    for (uint8_t i = PAGE; i--;)
        eeprom_update_byte((uint8_t *)(offset + i), 0xFF);
    return 0;
}

/* The store reads back what it wrote, which waits for the last byte. */
static int program(void *user, ff_size offset, const uint8_t *from, ff_size count) {
    (void)user;
    uint8_t *at = (uint8_t *)offset;
    while (count--)
        eeprom_update_byte(at++, *from++);
    return 0;
}

void goodness_store(ff_device *device, const uint8_t *slot, ff_size bytes) {
    const uint16_t at = (uint16_t)slot;
    if (at < ROM_EEPROM && bytes <= ROM_EEPROM - at) {
        device->base = at;
        device->base_bytes = bytes;
    }
    device->flash.map = ROM_EEPROM;
    device->flash.slot_bytes = SLOT_BYTES;
    device->flash.page_bytes = PAGE;
    device->flash.erase = erase;
    device->flash.program = program;
    device->keeps_store = 1;
}
#else
void goodness_store(ff_device *device, const uint8_t *slot, ff_size bytes) {
    device->base = slot;
    device->base_bytes = bytes;
}
#endif
