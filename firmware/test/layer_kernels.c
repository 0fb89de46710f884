/*
 * The kernels around the product (kernels.c has that one), where this build has some: every remainder of the
 * vectors, and the bounds.
 */
#include "ff_math.h"
#include "kernels.h"
#include "kernels/ff_activate.h"
#include "kernels/ff_layout.h"
#include "kernels/ff_rescale.h"
#include "kernels/ff_step.h"
#include "naive_layers.h"
#include <string.h>

#if FF_LANES

#define GUARD 8u /* numbers around what a kernel may write */
#define MOST 300u

static uint8_t bytes[2][GUARD + MOST + GUARD];
static uint16_t words[2][GUARD + MOST + GUARD];

/* One in four is as large as it can be, one in four is 0. */
static uint32_t draw_value(uint32_t most) {
    switch (kernels_draw(4)) {
    case 0:
        return 0;
    case 1:
        return most;
    default:
        return kernels_draw(most + 1);
    }
}

/* Of numbers with that sum of squares: 2^k << 16 / r for a k that there is, or a power of 2 that leaves
 * halves to be rounded. */
static uint32_t draw_reciprocal(uint32_t sum) {
    const uint32_t r = sum ? ff_isqrt(sum) : 1, rec = ((uint32_t)1 << (20 + kernels_draw(9))) / r;
    const uint32_t power = (uint32_t)1 << kernels_draw(16);
    return kernels_draw(2) || power > ((uint32_t)1 << 28) / r ? rec : power;
}

/* Inputs less their minimum, their squares, and what rescaling makes of them. */
static uint32_t inputs_differ(void) {
    const unsigned n = 1 + kernels_draw(MOST), at = kernels_draw(GUARD);
    const uint8_t least = (uint8_t)(kernels_draw(2) ? 0 : kernels_draw(256));
    uint8_t x[MOST], *got = bytes[0] + at, *want = bytes[1] + at;
    for (unsigned i = 0; i < n; i++)
        x[i] = (uint8_t)(least + draw_value(255u - least));
    memset(bytes, 0x5A, sizeof bytes);
    const uint32_t sum = naive_take_inputs(want, x, n, least);
    uint32_t wrong = ff_take_inputs(got, x, n, least) != sum;
    const uint32_t rec = draw_reciprocal(sum);
    const uint8_t most = kernels_draw(2) ? 255 : 15;
    wrong |= memcmp(bytes[0], bytes[1], sizeof bytes[0]) != 0;
    naive_rescale_inputs(want, n, rec, most);
    ff_rescale_inputs(got, n, rec, most);
    return wrong | (uint32_t)(memcmp(bytes[0], bytes[1], sizeof bytes[0]) != 0);
}

/* Accumulators to activities in their place, groups one after the other, and activities to the next layer's
 * inputs. */
static uint32_t activities_differ(void) {
    int32_t acc[2][MOST];
    const unsigned groups = 1 + kernels_draw(10), width = 1 + kernels_draw(MOST / 10), m = groups * width;
    const uint8_t most = kernels_draw(2) ? 255 : 15;
    ff_layer layer;
    uint16_t ymax = 1;
    while ((uint32_t)(ymax + 1) * (ymax + 1) <= UINT32_MAX / m && ymax < 65534)
        ymax++;
    if (kernels_draw(2)) ymax = (uint16_t)(1 + kernels_draw(ymax));
    layer.ymax = ymax;
    layer.output_shift = (uint8_t)kernels_draw(25);
    for (unsigned j = 0; j < m; j++)
        acc[0][j] = acc[1][j] = (int32_t)draw_value(2139062400u) * (kernels_draw(2) ? 1 : -1);
    uint32_t wrong = 0, sum = 0;
    for (unsigned g = 0; g < groups; g++) {
        const uint32_t own =
            naive_activate_group(&layer, acc[1] + g * width, (uint16_t *)(void *)acc[1] + g * width, width);
        wrong |= ff_activate_group(&layer, acc[0] + g * width, (uint16_t *)(void *)acc[0] + g * width,
                                   width) != own;
        sum += own;
    }
    wrong |= memcmp(acc[0], acc[1], 2 * m) != 0;
    const uint32_t rec = draw_reciprocal(sum);
    memset(bytes, 0x5A, sizeof bytes);
    naive_rescale_activities(bytes[1] + GUARD, (const uint16_t *)(const void *)acc[1], m, rec, most);
    ff_rescale_activities(bytes[0] + GUARD, (const uint16_t *)(const void *)acc[0], m, rec, most);
    return wrong | (uint32_t)(memcmp(bytes[0], bytes[1], sizeof bytes[0]) != 0);
}

static uint32_t means_differ(void) {
    const unsigned n = 1 + kernels_draw(MOST);
    const uint8_t shift = (uint8_t)(1 + kernels_draw(8));
    const uint32_t dither = kernels_draw(UINT32_MAX);
    for (unsigned i = 0; i < MOST + 2 * GUARD; i++) {
        words[0][i] = words[1][i] = (uint16_t)draw_value(65280);
        bytes[0][i] = (uint8_t)draw_value(255);
    }
    naive_step_means(words[1] + GUARD, bytes[0], n, shift, dither);
    ff_step_means(words[0] + GUARD, bytes[0], n, shift, dither);
    return memcmp(words[0], words[1], sizeof words[0]) != 0;
}

/* Steps of a group within its layer, at the largest there are as well. memory holds the weights twice. */
static uint32_t weights_differ(uint8_t *memory) {
    static const uint8_t BITS[] = {8, 8, 8, 4, 3, 2};
    ff_layer layer;
    uint8_t state[FF_STATE_LAYER];
    uint16_t v[MOST];
    memset(&layer, 0, sizeof layer);
    const unsigned groups = 1 + kernels_draw(5), width = 1 + kernels_draw(40),
                   first = width * kernels_draw(groups);
    layer.n = (uint16_t)(1 + kernels_draw(60));
    layer.m = (uint16_t)(groups * width);
    layer.weight_bits = BITS[kernels_draw(sizeof BITS)];
    layer.state = state;
    layer.mean = words[0];
    state[FF_AT_LEARN_SHIFT] = (uint8_t)(1 + kernels_draw(24));
    layer.layout = (uint8_t)kernels_draw(4);
    if (!ff_layout_taken(&layer, 8)) layer.layout = FF_COLUMNS;
    const uint32_t count = ff_layout_bytes(&layer), limit = 127u >> (8 - layer.weight_bits);
    for (uint32_t k = 0; k < count; k++) {
        uint8_t w = (uint8_t)(draw_value(2 * limit) - limit);
        if (layer.layout && w == 0) w = 1; /* with a bias, 0 would be -128, which is no weight */
        memory[k] = (uint8_t)(layer.weight_bits == 8 ? w : (w & 15) | w << 4);
    }
    for (unsigned i = 0; i < layer.n; i++) {
        words[0][i] = (uint16_t)draw_value(65280);
        bytes[0][i] = (uint8_t)draw_value(255);
    }
    for (unsigned j = 0; j < width; j++)
        v[j] = (uint16_t)draw_value(65535);
    const uint16_t centring = (uint16_t)draw_value(512);
    const uint32_t dither = kernels_draw(UINT32_MAX);
    memcpy(memory + count, memory, count);
    layer.learned = (int8_t *)memory;
    naive_step_weights(&layer, bytes[0], v, first, width, centring, dither);
    layer.learned = (int8_t *)memory + count;
    ff_step_weights(&layer, bytes[0], v, first, width, centring, dither);
    return memcmp(memory, memory + count, count) != 0;
}

uint32_t check_layer_kernels(uint8_t *memory) {
    uint32_t wrong = 0;
    for (unsigned round = 0; round < 400; round++)
        wrong += inputs_differ() + activities_differ() + means_differ() + weights_differ(memory);
    return wrong;
}

#else

uint32_t check_layer_kernels(uint8_t *memory) {
    (void)memory;
    return 0;
}

#endif
