#include "ff_learn.h"
#include "ff_bytes.h"
#include "ff_math.h"

/* round(65535 / (1 + exp(((i + 0.5) / 32 - 1) / 0.25))): the derivative of the positive loss over 32 goodness
 * / theta. */
static const uint16_t SATURATION[64] = {
    64282, 64118, 63934, 63727, 63494, 63232, 62937, 62607, 62237, 61822, 61359, 60843, 60269,
    59631, 58924, 58143, 57283, 56338, 55305, 54179, 52957, 51637, 50219, 48704, 47093, 45392,
    43608, 41748, 39823, 37846, 35830, 33791, 31744, 29705, 27689, 25712, 23787, 21927, 20143,
    18442, 16831, 15316, 13898, 12578, 11356, 10230, 9197,  8252,  7392,  6611,  5904,  5266,
    4692,  4176,  3713,  3298,  2928,  2598,  2303,  2041,  1808,  1601,  1417,  1253,
};

static uint32_t draw(ff_model *model) {
    uint32_t r = ff_xorshift32(ff_get32(model->state_ram + FF_AT_RANDOM));
    ff_put32(model->state_ram + FF_AT_RANDOM, r);
    return r;
}

/* Running mean of the input, Q8, with dithered rounding: a step may be less than the last bit. */
static void follow_mean(ff_model *model, const ff_layer *layer) {
    const uint32_t shift = model->state_ram[FF_AT_MEAN_SHIFT];
    uint32_t dither = draw(model);
    for (uint32_t i = 0; i < layer->n; i++, dither += FF_DITHER_INPUT) {
        int32_t gap = ((int32_t)model->x[i] << 8) - layer->mean[i];
        layer->mean[i] = (uint16_t)(layer->mean[i] + ((gap + (int32_t)(dither >> (32 - shift))) >> shift));
    }
}

/* The label's group is ahead of every other by more than the margin: nothing to learn here. */
static int is_clear(const ff_model *model, uint32_t label, uint32_t theta) {
    uint32_t own = model->goodness[label], best = 0;
    for (uint32_t g = 0; g < model->groups; g++)
        if (g != label && model->goodness[g] > best) best = model->goodness[g];
    return own > best && own - best > (theta >> 8) * model->state_ram[FF_AT_MARGIN]; /* product < 2^32 */
}

/* Learning rate of this sample: the loss's derivative, the layer's rate, the decay with the samples since the
 * base. */
static uint32_t step_size(const ff_model *model, const ff_layer *layer, uint32_t own, uint32_t theta) {
    uint32_t i = own / (theta >> 5);
    uint32_t e = (uint32_t)SATURATION[i > 63 ? 63 : i] * ff_get16(layer->state + FF_AT_RATE) >> 16;
    uint32_t tau = ff_get16(model->state_ram + FF_AT_TAU), t = ff_get32(model->state_ram + FF_AT_T);
    e = e * tau / (t > UINT32_MAX - tau ? UINT32_MAX : tau + t);
    uint32_t recent = ff_get16(model->state_ram + FF_AT_RECENT_ERRORS);
    uint32_t usual = (uint32_t)model->state_ram[FF_AT_USUAL_ERRORS] << 8;
    uint32_t span = (uint32_t)model->state_ram[FF_AT_ERROR_SPAN] << 8;
    uint32_t excess = recent > usual ? recent - usual : 0;
    return excess < span ? e * excess / span : e;
}

static uint32_t learn_layer(ff_model *model, const ff_layer *layer, uint32_t label) {
    if (!layer->learned) return 0;
    follow_mean(model, layer);

    const uint32_t theta = ff_get32(layer->state + FF_AT_THETA);
    if (is_clear(model, label, theta)) return 0;

    const uint32_t width = layer->m / model->groups;
    const uint32_t first = label * width;
    const uint16_t *y = ff_activity(model) + first;
    uint16_t *v =
        ff_activity(model) + layer->m; /* upper half of the accumulators: free since they became activities */
    const uint32_t own = model->goodness[label];
    const uint32_t e = step_size(model, layer, own, theta);
    const uint32_t asleep = ((uint32_t)1 << model->state_ram[FF_AT_REVIVE_SHIFT]) - 1;
    const uint32_t revived = ff_get16(layer->state + FF_AT_REVIVE);
    const int dead = own < theta / 64;
    for (uint32_t j = 0; j < width; j++) {
        uint32_t a = y[j];
        if (dead && (draw(model) & asleep) == 0 && a < revived) a = revived;
        v[j] = (uint16_t)((e * a) >> 16);
    }

    const uint32_t centring = ff_get16(model->state_ram + FF_AT_CENTRING);
    const uint32_t shift = layer->state[FF_AT_LEARN_SHIFT];
    uint32_t column_dither = draw(model) + first * FF_DITHER_NEURON;
    int8_t *w = layer->learned + first;
    for (uint32_t i = 0; i < layer->n; i++, w += layer->m, column_dither += FF_DITHER_INPUT) {
        const int32_t c = model->x[i] - (int32_t)((layer->mean[i] * centring + 32768) >> 16); /* |c| <= 512 */
        if (c == 0) continue;
        uint32_t dither = column_dither;
        for (uint32_t j = 0; j < width; j++, dither += FF_DITHER_NEURON) {
            if (v[j] == 0) continue;
            int32_t next = w[j] + (((int32_t)v[j] * c + (int32_t)(dither >> (32 - shift))) >> shift);
            w[j] = (int8_t)(next > 127 ? 127 : next < -127 ? -127 : next);
        }
    }
    ff_count32(model->state_ram + FF_AT_UPDATES);
    return 1;
}

/* Class thresholds follow false accepts and false rejects (SPEC.md 5, step 7). */
static void follow_thresholds(const ff_model *model, uint32_t label) {
    const uint32_t shift = model->state_ram[FF_AT_THRESHOLD_SHIFT];
    if (shift == 0) return;
    uint8_t *p = model->state_ram + ff_state_fixed(model->layers);
    for (uint32_t c = 0; c < model->classes; c++, p += 4) {
        uint32_t threshold = ff_get32(p), step = threshold >> shift;
        int accepted = model->score[c] >= threshold;
        if (c == label && !accepted) ff_put32(p, threshold - step);
        if (c != label && accepted)
            ff_put32(p, step > UINT32_MAX - threshold ? UINT32_MAX : threshold + step);
    }
}

ff_status ff_learn(ff_model *model, const uint8_t *x, uint32_t label, ff_result *result) {
    if (!model->learning) return FF_NO_LEARN;
    uint8_t *state = model->state_ram;
    ff_clear(model->score, 4 * (uint32_t)model->classes);
    uint32_t changed = ff_forward(model, x, label, model->layers - 1u, learn_layer);
    ff_decide(model, label, result);
    if (changed) result->flags |= FF_LEARNED;

    ff_count32(state + FF_AT_SAMPLES);
    uint32_t recent = ff_get16(state + FF_AT_RECENT_ERRORS);
    if (result->flags & FF_CORRECT) {
        recent -= recent >> 6;
    } else {
        recent += (65535 - recent) >> 6;
        ff_count32(state + FF_AT_ERRORS);
    }
    ff_put16(state + FF_AT_RECENT_ERRORS, (uint16_t)recent);
    if (result->flags & FF_FALSE_REJECT) ff_count32(state + FF_AT_FALSE_REJECTS);
    if (result->flags & FF_FALSE_ACCEPT) ff_count32(state + FF_AT_FALSE_ACCEPTS);
    follow_thresholds(model, label);
    ff_count32(state + ff_state_fixed(model->layers) + 4 * (model->classes + label));
    ff_count32(state + FF_AT_T);
    return FF_OK;
}
