#include "ff_rom.h"

#if FF_ROM_FAR

#define PIECE 32u

uint32_t ff_rom_crc32(uint32_t crc, ff_rom at, ff_size count) {
    uint8_t buffer[PIECE];
    while (count) {
        uint8_t n = (uint8_t)(count < PIECE ? count : PIECE);
        ff_rom_read(buffer, at, n);
        crc = ff_crc32(crc, buffer, n);
        at += n;
        count -= n;
    }
    return crc;
}

#else
typedef int ff_rom_is_memory; /* no translation unit may be empty */
#endif
