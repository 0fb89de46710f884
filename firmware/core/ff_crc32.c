#include "ff_crc32.h"

uint32_t ff_crc32(uint32_t crc, const uint8_t *p, ff_size n) {
    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        for (uint8_t bit = 8; bit--;)
            crc = crc & 1 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}
