/*
 * Where images and flash slots are read from.
 *
 * On most machines that is plain memory: an ff_rom is a pointer, and nothing here costs anything. Where flash
 * or EEPROM lie in address spaces of their own (AVR), -DFF_ROM_FAR makes an ff_rom a number (of 32 bits, or
 * 16 with FF_SMALL): the port says which numbers mean what, and gives ff_rom_read(). Sums of an ff_rom and an
 * offset work in both builds; 0 says "none".
 */
#ifndef FF_ROM_H
#define FF_ROM_H

#include "ff_bytes.h"
#include "ff_crc32.h"

#ifndef FF_ROM_FAR
#define FF_ROM_FAR 0
#endif

#if FF_ROM_FAR

typedef ff_size ff_rom;

/* Of the port: copies `count` bytes at `at` to `to`. Can't fail: what is read was checked to lie in flash. */
void ff_rom_read(void *to, ff_rom at, ff_size count);

/* Goes on with a CRC-32 over `count` bytes at `at`. */
uint32_t ff_rom_crc32(uint32_t crc, ff_rom at, ff_size count);

#else

typedef const uint8_t *ff_rom;

static inline void ff_rom_read(void *to, ff_rom at, ff_size count) {
    ff_copy(to, at, count);
}

static inline uint32_t ff_rom_crc32(uint32_t crc, ff_rom at, ff_size count) {
    return ff_crc32(crc, at, count);
}

#endif

/* `count` bytes at `at` as memory: at once, or copied to `buffer` (count bytes, aligned to 4). */
FF_INLINE const uint8_t *ff_rom_view(ff_rom at, void *buffer, ff_size count) {
#if FF_ROM_FAR
    ff_rom_read(buffer, at, count);
    return (const uint8_t *)buffer;
#else
    (void)buffer;
    (void)count;
    return at;
#endif
}

static inline uint8_t ff_rom8(ff_rom at) {
    uint8_t v;
    return *ff_rom_view(at, &v, sizeof v);
}

FF_INLINE ff_size ff_rom_size(ff_rom at) {
    uint32_t v;
    return ff_get_size(ff_rom_view(at, &v, sizeof v));
}

static inline uint32_t ff_rom32(ff_rom at) {
    uint32_t v;
    return ff_at32(ff_rom_view(at, &v, sizeof v));
}

#endif
