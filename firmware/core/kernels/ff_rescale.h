/*
 * A layer's input: its sum of squares, and its rescaling to a fixed length (SPEC.md 4.1 and 4.2).
 */
#ifndef FF_RESCALE_H
#define FF_RESCALE_H

#include "ff_kernels.h"
#include "ff_model.h"

/* v <= root of the sum of squares, so the product is at most 2^28. */
FF_INLINE uint8_t ff_rescale(uint32_t v, uint32_t rec, uint8_t most) {
    v = (v * rec + 32768) >> 16;
    return (uint8_t)(v > most ? most : v);
}

#if FF_LANES

/* to: uint8 (n) = x: uint8 (n) less `least`, of which no x is less. Returns the sum of squares, < 2^32. */
uint32_t ff_take_inputs(uint8_t *to, const uint8_t *x, ff_size n, uint8_t least);

#elif FF_WORDS

/*
 * Copies x: uint8 (n), aligned to 4 as `to` is, and returns the sum of its squares. Writes what is
 * behind the copy, too.
 */
uint32_t ff_take_words(uint8_t *to, const uint8_t *x, ff_size n);

#endif

#if FF_LANES || FF_WORDS

/* Rescales x: uint8 (n) in its place. Where FF_WORDS: x is aligned to 4, and what is behind it is written,
 * too. */
void ff_rescale_inputs(uint8_t *x, ff_size n, uint32_t rec, uint8_t most);

/* Rescales the activities y: uint16 (n), to x: uint8 (n), which lies elsewhere. */
void ff_rescale_activities(uint8_t *x, const uint16_t *y, ff_size n, uint32_t rec, uint8_t most);

/* The one or the other: y is NULL for inputs in their place. */
FF_INLINE void ff_rescale_layer(uint8_t *x, const uint16_t *y, ff_size n, uint32_t rec, uint8_t most) {
    if (y)
        ff_rescale_activities(x, y, n, rec, most);
    else
        ff_rescale_inputs(x, n, rec, most);
}

#else

FF_INLINE void ff_rescale_layer(uint8_t *x, const uint16_t *y, ff_size n, uint32_t rec, uint8_t most) {
    for (; n--; x++)
        *x = ff_rescale(y ? *y++ : *x, rec, most);
}

#endif

#endif
