#include "ff_learn.h"
#include "ff_bytes.h"
#include "ff_math.h"
#include "kernels/ff_layout.h"
#include "kernels/ff_step.h"

/* round(65535 / (1 + exp(((i + 0.5) / 32 - 1) / 0.25))): the derivative of the positive loss over 32 goodness
 * / theta. */
static const FF_TABLE uint16_t SATURATION[64] = {
    64282, 64118, 63934, 63727, 63494, 63232, 62937, 62607, 62237, 61822, 61359, 60843, 60269,
    59631, 58924, 58143, 57283, 56338, 55305, 54179, 52957, 51637, 50219, 48704, 47093, 45392,
    43608, 41748, 39823, 37846, 35830, 33791, 31744, 29705, 27689, 25712, 23787, 21927, 20143,
    18442, 16831, 15316, 13898, 12578, 11356, 10230, 9197,  8252,  7392,  6611,  5904,  5266,
    4692,  4176,  3713,  3298,  2928,  2598,  2303,  2041,  1808,  1601,  1417,  1253,
};

static uint32_t draw(uint32_t *random) {
    return *random = ff_xorshift32(*random);
}

/* Start of the random numbers of the layer that is next (SPEC.md 3). */
FF_INLINE uint32_t next_generator(ff_model *model) {
    uint32_t s = model->random;
    model->random = s + FF_DITHER_INPUT;
    s ^= s >> 16;
    s *= FF_DITHER_NEURON;
    return s ? s : 1;
}

/* Running mean of the input, Q8, with dithered rounding: a step may be less than the last bit. Each sample
 * moves the means of an eighth of the inputs, drawn by chance since classes may come in turns: that tells as
 * much, and costs an eighth. */
FF_INLINE void follow_mean(const ff_model *model, const ff_layer *layer, uint32_t dither) {
    const uint8_t shift = model->state_ram[FF_AT_MEAN_SHIFT];
    const unsigned block = (layer->n + 7u) >> 3;
    unsigned i = block * ((uint8_t)dither & 7);
#if FF_LANES
    if (i >= layer->n) return;
    const unsigned left = layer->n - i;
    ff_step_means(layer->mean + i, model->x + i, left < block ? left : block, shift,
                  dither + i * FF_DITHER_INPUT);
#else
    for (unsigned left = block; left-- && i < layer->n; i++) {
        uint16_t *mean = layer->mean + i;
        const int32_t away = (int32_t)((uint32_t)model->x[i] << 8) - *mean;
        *mean = (uint16_t)(*mean + ff_dithered(away, dither + i * FF_DITHER_INPUT, shift));
    }
#endif
}

/* The label's group is ahead of every other by more than the margin: nothing to learn here. */
FF_INLINE uint8_t is_clear(const ff_model *model, uint8_t label, uint32_t theta) {
    uint32_t own = model->goodness[label], best = 0;
    for (uint_fast8_t g = 0; g < model->groups; g++)
        if (g != label && model->goodness[g] > best) best = model->goodness[g];
    return own > best && own - best > (theta >> 8) * model->state_ram[FF_AT_MARGIN]; /* product < 2^32 */
}

/* Learning rate of this sample: the loss's derivative, the layer's rate, the decay with the samples since the
 * base, and the excess of errors. Each step can only make it smaller. */
FF_INLINE uint16_t step_size(const ff_model *model, const ff_layer *layer, uint32_t own, uint32_t theta) {
    const uint8_t *state = model->state_ram;
    uint32_t i = ff_divide(own, theta >> 5);
    uint16_t e =
        (uint16_t)((uint32_t)SATURATION[i > 63 ? 63 : (uint8_t)i] * ff_at16(layer->state + FF_AT_RATE) >> 16);
    const uint16_t tau = ff_at16(state + FF_AT_TAU);
    const uint32_t sum = ff_at32(state + FF_AT_T) + tau;
    e = (uint16_t)ff_divide((uint32_t)e * tau, sum < tau ? UINT32_MAX : sum);
    const uint16_t recent = ff_at16(layer->state + FF_AT_RECENT_ERRORS);
    const uint16_t usual = (uint16_t)((uint16_t)layer->state[FF_AT_USUAL_ERRORS] << 8);
    const uint16_t span = (uint16_t)((uint16_t)state[FF_AT_ERROR_SPAN] << 8);
    const uint16_t excess = recent > usual ? (uint16_t)(recent - usual) : 0;
    return excess < span ? (uint16_t)ff_divide((uint32_t)e * excess, span) : e;
}

/* v_j of each row of the label's group (SPEC.md 5, steps 3 to 5): what a column is multiplied with. y:
 * (width). */
static void row_steps(const ff_model *model, const ff_layer *layer, uint32_t own, const uint16_t *y,
                      uint16_t *v, unsigned width, uint32_t *random) {
    const uint32_t theta = ff_at32(layer->state + FF_AT_THETA);
    const uint16_t e = step_size(model, layer, own, theta);
    const uint8_t asleep = (uint8_t)((1u << model->state_ram[FF_AT_REVIVE_SHIFT]) - 1);
    const uint16_t revived = ff_at16(layer->state + FF_AT_REVIVE);
    const uint8_t dead = own < theta >> 6;
    while (width--) {
        uint16_t a = *y++;
        if (dead && ((uint8_t)draw(random) & asleep) == 0 && a < revived) a = revived;
        *v++ = (uint16_t)(((uint32_t)e * a) >> 16);
    }
}

/* Moves the weights of the label's group. */
FF_INLINE void learn_weights(const ff_model *model, const ff_layer *layer, uint8_t label, uint32_t *random) {
    const unsigned width = (unsigned)ff_divide(layer->m, model->groups), first = label * width; /* < m */
    /* the upper half of the accumulators: free since they became activities */
    uint16_t *v = ff_activity(model) + layer->m;
    row_steps(model, layer, model->goodness[label], ff_activity(model) + first, v, width, random);

    const uint16_t centring = ff_at16(model->state_ram + FF_AT_CENTRING);
#if FF_LANES
    ff_step_weights(layer, model->x, v, first, width, centring, draw(random) + first * FF_DITHER_NEURON);
#else
    const uint8_t shift = layer->state[FF_AT_LEARN_SHIFT];
    uint32_t column_dither = draw(random) + first * FF_DITHER_NEURON;
    int8_t *column = layer->learned;
    for (unsigned i = 0; i < layer->n;
         column = ff_layout_next(layer, column, i), i++, column_dither += FF_DITHER_INPUT) {
        /* the centred input, |c| <= 512 */
        const int16_t c =
            (int16_t)(model->x[i] - (int16_t)((layer->mean[i] * (uint32_t)centring + 32768) >> 16));
        uint32_t dither = column_dither;
        if (c == 0) continue;
        for (unsigned j = 0; j < width; j++, dither += FF_DITHER_NEURON)
            if (v[j]) ff_layout_add(layer, column, first + j, ff_dithered((int32_t)v[j] * c, dither, shift));
    }
#endif
    ff_count32(model->state_ram + FF_AT_UPDATES);
}

/* The layer's own evidence: whether the scores up to this layer name the label's class. */
FF_INLINE void follow_errors(const ff_model *model, const ff_layer *layer, uint8_t label) {
    uint8_t *rate = model->state_ram + (layer->state - model->state) + FF_AT_RECENT_ERRORS;
    uint16_t recent = ff_at16(rate);
    recent = (uint16_t)(recent - (recent >> 6));
    if (ff_best(model) != label) recent = (uint16_t)(recent + 1023); /* (65535 - u) >> 6 is 1023 - (u >> 6) */
    ff_set16(rate, recent);
}

static uint8_t learn_layer(ff_model *model, const ff_layer *layer, uint8_t label) {
    uint32_t random = next_generator(model);
    if (!layer->learned) return 0;
    follow_mean(model, layer, draw(&random));
    const uint8_t unclear = !is_clear(model, label, ff_at32(layer->state + FF_AT_THETA));
    if (unclear) learn_weights(model, layer, label, &random);
    follow_errors(model, layer, label);
    return unclear;
}

/* Class thresholds follow false accepts and false rejects (SPEC.md 5, step 7). */
FF_INLINE void follow_thresholds(const ff_model *model, uint8_t label) {
    const uint8_t shift = model->state_ram[FF_AT_THRESHOLD_SHIFT];
    if (shift == 0) return;
    uint8_t *p = model->state_ram + ff_state_fixed(model->layers);
    for (uint_fast8_t c = 0; c < model->classes; c++, p += 4) {
        uint32_t threshold = ff_at32(p), step = threshold >> shift;
        if (model->score[c] >= threshold) {
            if (c != label) threshold = step > UINT32_MAX - threshold ? UINT32_MAX : threshold + step;
        } else if (c == label) {
            threshold -= step;
        }
        ff_set32(p, threshold);
    }
}

FF_INLINE void begin(ff_model *model) {
    uint8_t *state = model->state_ram;
    const uint32_t r = ff_xorshift32(ff_at32(state + FF_AT_RANDOM));
    ff_set32(state + FF_AT_RANDOM, r);
#if FF_STAGES
    model->random = r + model->below * FF_DITHER_INPUT;
#else
    model->random = r;
#endif
}

FF_INLINE void end(ff_model *model, uint8_t label, ff_result *result) {
    uint8_t *state = model->state_ram;
    ff_decide(model, label, result);
    ff_count32(state + FF_AT_SAMPLES);
    if (!ff_hands_on(model)) {
        if (!(result->flags & FF_CORRECT)) ff_count32(state + FF_AT_ERRORS);
        if (result->flags & FF_FALSE_REJECT) ff_count32(state + FF_AT_FALSE_REJECTS);
        if (result->flags & FF_FALSE_ACCEPT) ff_count32(state + FF_AT_FALSE_ACCEPTS);
        follow_thresholds(model, label);
    }
    ff_count32(state + ff_state_fixed(model->layers) + 4 * (ff_size)(model->classes + label));
    ff_count32(state + FF_AT_T);
}

ff_status ff_learn(ff_model *model, const uint8_t *x, uint8_t label, ff_result *result) {
    if (!model->learning) return FF_NO_LEARN;
    ff_clear_words(model->score, model->classes);
    begin(model);
    const uint8_t changed = ff_forward(model, x, label, (uint8_t)(model->layers - 1), learn_layer);
    end(model, label, result);
    if (changed) result->flags |= FF_LEARNED;
    return FF_OK;
}

#if FF_STAGES
void ff_learn_begin(ff_model *model, uint8_t from) {
    begin(model);
    model->random += from * FF_DITHER_INPUT;
}

uint8_t ff_learn_layer(ff_model *model, const ff_layer *layer, uint8_t label) {
    return learn_layer(model, layer, label);
}

void ff_learn_end(ff_model *model, uint8_t label, ff_result *result) {
    end(model, label, result);
}
#endif
