/*
 * Activities and goodness of a group of neurons from its accumulators (SPEC.md 4.4).
 */
#ifndef FF_ACTIVATE_H
#define FF_ACTIVATE_H

#include "ff_dsp.h"
#include "ff_kernels.h"
#include "ff_model.h"

/* What rounds a shift by s to the nearest number. */
FF_INLINE int32_t ff_half(uint8_t s) {
    return (int32_t)(((uint32_t)1 << s) >> 1);
}

/* v, an accumulator that was rounded and shifted, as an activity. */
FF_INLINE uint32_t ff_one_activity(int32_t v, uint16_t most) {
    return v < 0 ? 0 : v > most ? most : (uint32_t)v;
}

/* Two of them, a in the low half; `most`: in both halves. */
FF_INLINE uint32_t ff_two_activities(int32_t a, int32_t b, uint32_t most) {
    return ff_smaller16(ff_half_word(a) | ff_half_word(b) << 16, most);
}

/* Accumulators (m) to activities, in their place. acc + half < 2^31, since |acc| <= 65535 * 255 * 128 and s
 * <= 24. */
void ff_activate(int32_t *acc, const ff_layer *layer);

/* Goodness of a group of a packed layout: the sum of the squares of its activities y, (width). */
FF_INLINE uint32_t ff_goodness(const uint16_t *y, unsigned width) {
    uint32_t sum = 0;
#if FF_DSP
    /* y < 32768, since these layers have 8 neurons or more */
    if (!(width & 1)) {
        for (; width; width -= 2, y += 2) {
            const uint32_t two = ff_at32((const uint8_t *)y);
            sum = ff_smlad(two, two, sum);
        }
        return sum;
    }
#endif
    for (; width; width--, y++)
        sum += (uint32_t)*y * *y;
    return sum;
}

/*
 * Accumulators of one group to activities, in their place: acc and y, (width), begin at the same address for
 * the first group, and y's byte 2j is written when acc's 4j to 4j + 3 were read. Returns the goodness.
 */
#if FF_LANES
uint32_t ff_activate_group(const ff_layer *layer, const int32_t *acc, uint16_t *y, unsigned width);
#elif FF_FAST_ACTIVATE
uint32_t ff_activate_rows(const int32_t *acc, uint16_t *y, unsigned width, uint8_t shift, uint16_t most);

FF_INLINE uint32_t ff_activate_group(const ff_layer *layer, const int32_t *acc, uint16_t *y, unsigned width) {
    return ff_activate_rows(acc, y, width, layer->output_shift, layer->ymax);
}
#else
FF_INLINE uint32_t ff_activate_group(const ff_layer *layer, const int32_t *acc, uint16_t *y, unsigned width) {
    const uint8_t s = layer->output_shift;
    const uint32_t half = ((uint32_t)1 << s) >> 1;
    uint32_t sum = 0;
    while (width--) {
        const int32_t a = *acc++;
        uint32_t v = a > 0 ? ((uint32_t)a + half) >> s : 0;
        if (v > layer->ymax) v = layer->ymax;
        *y++ = (uint16_t)v;
        sum += (uint32_t)(uint16_t)v * (uint16_t)v;
    }
    return sum;
}
#endif

#endif
