#include "ff_crc32.h"
#include "kernels/ff_kernels.h"

/* -DFF_CRC_TABLE=1 is two to three times as fast for 80 bytes more. Unless told, builds for size do without.
 */
#ifndef FF_CRC_TABLE
#ifdef __OPTIMIZE_SIZE__
#define FF_CRC_TABLE 0
#else
#define FF_CRC_TABLE 1
#endif
#endif

#if FF_CRC_TABLE

/* By nibbles. */
uint32_t ff_crc32(uint32_t crc, const uint8_t *p, ff_size n) {
    static const FF_TABLE uint32_t NIBBLE[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        crc = (crc >> 4) ^ NIBBLE[crc & 15];
        crc = (crc >> 4) ^ NIBBLE[crc & 15];
    }
    return ~crc;
}

#elif !(FF_FAST_MATH && FF_SMALL)

uint32_t ff_crc32(uint32_t crc, const uint8_t *p, ff_size n) {
    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        for (uint8_t bit = 8; bit--;)
            crc = crc & 1 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

#endif
