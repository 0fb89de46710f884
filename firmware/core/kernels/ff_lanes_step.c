#include "ff_lanes.h"
#include "ff_layout.h"
#include "ff_math.h"
#include "ff_step.h"

#if FF_LANES

/* A dither, and the three that follow it in steps; `multiples`: of the step. */
#define FF_MULTIPLES(step)                                                                                   \
    { 0, (int32_t)(step), (int32_t)(2 * (step)), (int32_t)(3 * (step)) }
FF_ALWAYS ff_lanes lattice(uint32_t from, const int32_t multiples[4]) {
    return ff_lanes_add(ff_lanes_all((int32_t)from), ff_lanes_load(multiples));
}

/* ff_dithered() of four. */
FF_ALWAYS ff_lanes dithered(ff_lanes v, ff_lanes dither, uint8_t shift) {
    return ff_lanes_shift(ff_lanes_add(v, ff_lanes_shift_unsigned(dither, 32u - shift)), shift);
}

void ff_step_means(uint16_t *mean, const uint8_t *x, unsigned n, uint8_t shift, uint32_t dither) {
    static const int32_t MULTIPLES[4] = FF_MULTIPLES(FF_DITHER_INPUT);
    const ff_lanes step = ff_lanes_all((int32_t)(4 * FF_DITHER_INPUT)), q8 = ff_lanes_all(256);
    ff_lanes dithers = lattice(dither, MULTIPLES);
    unsigned i = 0;
    for (; n - i >= 4; i += 4, dithers = ff_lanes_add(dithers, step)) {
        const ff_lanes old = ff_lanes_load_u16(mean + i);
        const ff_lanes way = ff_lanes_sub(ff_lanes_mul(ff_lanes_load_u8(x + i), q8), old);
        ff_lanes_store_16(mean + i, ff_lanes_add(old, dithered(way, dithers, shift)));
    }
    for (dither += i * FF_DITHER_INPUT; i < n; i++, dither += FF_DITHER_INPUT)
        mean[i] = (uint16_t)(mean[i] + ff_dithered((int32_t)((uint32_t)x[i] << 8) - mean[i], dither, shift));
}

/* A column where weights have a byte each, four neurons at a time; w: (width), of the group; c: the centred
 * input. */
FF_ALWAYS void step_column(int8_t *w, int32_t c, const uint16_t *v, unsigned width, uint32_t dither,
                           uint8_t shift) {
    const ff_lanes step = ff_lanes_all((int32_t)(4 * FF_DITHER_NEURON)), input = ff_lanes_all(c);
    static const int32_t MULTIPLES[4] = FF_MULTIPLES(FF_DITHER_NEURON);
    const ff_lanes low = ff_lanes_all(-127), high = ff_lanes_all(127);
    ff_lanes dithers = lattice(dither, MULTIPLES);
    for (unsigned j = 0; j < width; j += 4, dithers = ff_lanes_add(dithers, step)) {
        const ff_lanes change = dithered(ff_lanes_mul(ff_lanes_load_u16(v + j), input), dithers, shift);
        const ff_lanes next = ff_lanes_add(ff_lanes_load_s8(w + j), change);
        ff_lanes_store_8(w + j, ff_lanes_max(ff_lanes_min(next, high), low));
    }
}

/* A column: by lanes as far as they reach, the rest weight by weight. */
FF_ALWAYS void step_any(const ff_layer *layer, int8_t *column, int16_t c, const uint16_t *v, unsigned first,
                        unsigned width, uint32_t dither) {
    const unsigned even = layer->layout || ff_layout_packed(layer) ? 0 : width & ~3u;
    step_column(column + first, c, v, even, dither, layer->state[FF_AT_LEARN_SHIFT]);
    for (unsigned j = even; j < width; j++)
        if (v[j])
            ff_layout_add(layer, column, first + j,
                          ff_dithered((int32_t)v[j] * c, dither + j * FF_DITHER_NEURON,
                                      layer->state[FF_AT_LEARN_SHIFT]));
}

void ff_step_weights(const ff_layer *layer, const uint8_t *x, const uint16_t *v, unsigned first,
                     unsigned width, uint16_t centring, uint32_t dither) {
    const ff_lanes factor = ff_lanes_all(centring), half = ff_lanes_all(32768);
    const unsigned n = layer->n;
    int8_t *column = layer->learned;
    unsigned i = 0;
    for (; n - i >= 4; i += 4) {
        const ff_lanes mean = ff_lanes_load_u16(layer->mean + i);
        int32_t c[4];
        ff_lanes_store(c, ff_lanes_sub(ff_lanes_load_u8(x + i),
                                       ff_lanes_shift(ff_lanes_add(ff_lanes_mul(mean, factor), half), 16)));
        for (unsigned k = 0; k < 4; k++, dither += FF_DITHER_INPUT) {
            if (c[k]) step_any(layer, column, (int16_t)c[k], v, first, width, dither);
            column = ff_layout_next(layer, column, i + k);
        }
    }
    for (; i < n; column = ff_layout_next(layer, column, i), i++, dither += FF_DITHER_INPUT) {
        const int16_t c = (int16_t)(x[i] - (int16_t)((layer->mean[i] * (uint32_t)centring + 32768) >> 16));
        if (c) step_any(layer, column, c, v, first, width, dither);
    }
}

#else
typedef int ff_no_lanes_step; /* no translation unit may be empty */
#endif
