#include "ff_bytes.h"

void ff_copy(void *to, const void *from, uint32_t count) {
    uint8_t *t = to;
    const uint8_t *f = from;
    while (count--)
        *t++ = *f++;
}

void ff_clear(void *to, uint32_t count) {
    uint8_t *t = to;
    while (count--)
        *t++ = 0;
}

void ff_count32(uint8_t *p) {
    uint32_t v = ff_get32(p);
    if (v != UINT32_MAX) ff_put32(p, v + 1);
}
