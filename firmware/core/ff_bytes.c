#include "ff_bytes.h"

__attribute__((noinline)) void ff_copy(void *to, const void *from, ff_size count) {
    uint8_t *t = to;
    const uint8_t *f = from;
    while (count--)
        *t++ = *f++;
}

__attribute__((noinline)) void ff_clear(void *to, ff_size count) {
    uint8_t *t = to;
    while (count--)
        *t++ = 0;
}

void ff_count32(uint8_t *p) {
    uint32_t v = ff_at32(p);
    if (v != UINT32_MAX) ff_set32(p, v + 1);
}
