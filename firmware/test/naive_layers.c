#include "naive_layers.h"
#include "ff_math.h"
#include "kernels/ff_layout.h"

uint32_t naive_take_inputs(uint8_t *to, const uint8_t *x, unsigned n, uint8_t least) {
    uint32_t sum = 0;
    for (unsigned i = 0; i < n; i++) {
        to[i] = (uint8_t)(x[i] - least);
        sum += (uint32_t)to[i] * to[i];
    }
    return sum;
}

static uint8_t rescaled(uint32_t v, uint32_t rec, uint8_t most) {
    v = (v * rec + 32768) >> 16;
    return (uint8_t)(v > most ? most : v);
}

void naive_rescale_inputs(uint8_t *x, unsigned n, uint32_t rec, uint8_t most) {
    for (unsigned i = 0; i < n; i++)
        x[i] = rescaled(x[i], rec, most);
}

void naive_rescale_activities(uint8_t *x, const uint16_t *y, unsigned n, uint32_t rec, uint8_t most) {
    for (unsigned i = 0; i < n; i++)
        x[i] = rescaled(y[i], rec, most);
}

uint32_t naive_activate_group(const ff_layer *layer, const int32_t *acc, uint16_t *y, unsigned width) {
    const int64_t half = ((int64_t)1 << layer->output_shift) / 2;
    uint32_t sum = 0;
    for (unsigned j = 0; j < width; j++) {
        const int64_t v = acc[j] > 0 ? (acc[j] + half) >> layer->output_shift : 0;
        y[j] = (uint16_t)(v > layer->ymax ? layer->ymax : v);
        sum += (uint32_t)y[j] * y[j];
    }
    return sum;
}

void naive_step_means(uint16_t *mean, const uint8_t *x, unsigned n, uint8_t shift, uint32_t dither) {
    for (unsigned i = 0; i < n; i++)
        mean[i] =
            (uint16_t)(mean[i] + ff_dithered(x[i] * 256 - mean[i], dither + i * FF_DITHER_INPUT, shift));
}

void naive_step_weights(const ff_layer *layer, const uint8_t *x, const uint16_t *v, unsigned first,
                        unsigned width, uint16_t centring, uint32_t dither) {
    for (unsigned i = 0; i < layer->n; i++) {
        int8_t *column = ff_layout_column(layer, i);
        const int32_t c = x[i] - (int32_t)((layer->mean[i] * (uint32_t)centring + 32768) >> 16);
        for (unsigned j = 0; j < width; j++) {
            const uint32_t own = dither + j * FF_DITHER_NEURON + i * FF_DITHER_INPUT;
            ff_layout_add(layer, column, first + j,
                          ff_dithered(v[j] * c, own, layer->state[FF_AT_LEARN_SHIFT]));
        }
    }
}
