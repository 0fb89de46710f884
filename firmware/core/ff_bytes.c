#include "ff_bytes.h"

uint16_t ff_get16(const uint8_t *p) {
    return (uint16_t)(p[0] | (uint16_t)(p[1] << 8));
}

uint32_t ff_get32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void ff_put16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

void ff_put32(uint8_t *p, uint32_t v) {
    ff_put16(p, (uint16_t)v);
    ff_put16(p + 2, (uint16_t)(v >> 16));
}

void ff_count32(uint8_t *p) {
    uint32_t v = ff_get32(p);
    if (v != UINT32_MAX) ff_put32(p, v + 1);
}
