/*
 * Little-endian numbers in byte arrays. Targets are little-endian (ff_model.h insists), so a copy does it.
 *
 * ff_at..() and ff_set..() are for numbers that lie at a multiple of their size, as nearly all do in images,
 * states, patches and requests: one load, also where the processor has none for other addresses.
 */
#ifndef FF_BYTES_H
#define FF_BYTES_H

#include <stdint.h>
#include <string.h>

/*
 * Bytes: how many, or at which offset. -DFF_SMALL makes them 16 bits wide, for processors of 8 or 16 bits: it
 * holds images of up to 32,767 bytes and samples of up to 8,000. (Whatever such an image has the arena hold
 * is less than 65,536 bytes then: a layer's n inputs stand in its image as n * m weights, and if it learns as
 * 2 * n bytes of means, too.)
 */
#ifndef FF_SMALL
#define FF_SMALL 0
#endif
#if FF_SMALL
typedef uint16_t ff_size;
#define FF_IMAGE_MOST 32767u
#define FF_RAW_MOST 8000u
#else
typedef uint32_t ff_size;
#define FF_IMAGE_MOST 16777216u
#define FF_RAW_MOST 65535u
#endif

/* Functions that are smaller where they are used than as functions of their own, also on small processors,
 * whose builds otherwise do best with -fno-inline. */
#if FF_SMALL && defined(__GNUC__)
#define FF_INLINE static inline __attribute__((always_inline))
#else
#define FF_INLINE static inline
#endif

/* Constants that a processor with flash apart from its RAM would copy to the RAM, unless told. (Needs GNU C
 * there.) */
#if defined(__AVR__) && !defined(__STRICT_ANSI__)
#define FF_TABLE __flash
#else
#define FF_TABLE
#endif

/* Known to the compiler as a load or a store also in a free-standing build. */
#if defined(__GNUC__)
#define FF_MOVE(to, from, bytes) __builtin_memcpy(to, from, bytes)
#else
#define FF_MOVE(to, from, bytes) memcpy(to, from, bytes)
#endif

static inline uint16_t ff_get16(const uint8_t *p) {
    uint16_t v;
    FF_MOVE(&v, p, sizeof v);
    return v;
}

static inline uint32_t ff_get32(const uint8_t *p) {
    uint32_t v;
    FF_MOVE(&v, p, sizeof v);
    return v;
}

#if defined(__GNUC__)
#define FF_ALIGNED(p, bytes) __builtin_assume_aligned(p, bytes)
#else
#define FF_ALIGNED(p, bytes) (p)
#endif

FF_INLINE uint16_t ff_at16(const uint8_t *p) {
    uint16_t v;
    FF_MOVE(&v, FF_ALIGNED(p, 2), sizeof v);
    return v;
}

FF_INLINE uint32_t ff_at32(const uint8_t *p) {
    uint32_t v;
    FF_MOVE(&v, FF_ALIGNED(p, 4), sizeof v);
    return v;
}

FF_INLINE void ff_set16(uint8_t *p, uint16_t v) {
    FF_MOVE(FF_ALIGNED(p, 2), &v, sizeof v);
}

static inline void ff_set32(uint8_t *p, uint32_t v) {
    FF_MOVE(FF_ALIGNED(p, 4), &v, sizeof v);
}

/* A length or an offset at a multiple of 4, from outside: what is too large for an ff_size comes as the
 * largest one, which no check lets pass. */
static inline ff_size ff_get_size(const uint8_t *p) {
#if FF_SMALL
    return ff_at16(p + 2) ? UINT16_MAX : ff_at16(p);
#else
    return ff_at32(p);
#endif
}

static inline void ff_put16(uint8_t *p, uint16_t v) {
    FF_MOVE(p, &v, sizeof v);
}

static inline void ff_put32(uint8_t *p, uint32_t v) {
    FF_MOVE(p, &v, sizeof v);
}

/* memcpy() and memset(to, 0, count), in a few bytes of code: a C library's own cost several hundred. */
void ff_copy(void *to, const void *from, ff_size count);
void ff_clear(void *to, ff_size count);

FF_INLINE void ff_clear_words(uint32_t *to, ff_size count) {
    while (count--)
        *to++ = 0;
}

/* Adds 1, and stays at 2^32 - 1. p: aligned to 4. */
void ff_count32(uint8_t *p);

#endif
