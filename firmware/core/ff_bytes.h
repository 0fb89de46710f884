/* Little-endian numbers in byte arrays, at any alignment. Targets are little-endian (ff_model.h insists), so
 * a copy does it: one load where the processor can. */
#ifndef FF_BYTES_H
#define FF_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t ff_get16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t ff_get32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void ff_put16(uint8_t *p, uint16_t v) {
    memcpy(p, &v, sizeof v);
}

static inline void ff_put32(uint8_t *p, uint32_t v) {
    memcpy(p, &v, sizeof v);
}

/* memcpy() and memset(to, 0, count), in a few bytes of code: a C library's own cost several hundred. */
void ff_copy(void *to, const void *from, uint32_t count);
void ff_clear(void *to, uint32_t count);

/* Adds 1, and stays at 2^32 - 1. */
void ff_count32(uint8_t *p);

#endif
