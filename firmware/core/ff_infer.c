#include "ff_infer.h"
#include "ff_bytes.h"
#include "ff_math.h"
#include "kernels/ff_activate.h"
#include "kernels/ff_layout.h"
#include "kernels/ff_list.h"
#include "kernels/ff_product.h"
#include "kernels/ff_rescale.h"

static uint16_t square(uint8_t v) {
    return (uint16_t)((uint16_t)v * v);
}

/* Fills model->x with the encoded input (SPEC.md 4.1) and returns its sum of squares (< 2^32: at most 65535
 * bytes). */
static uint32_t encode(ff_model *model, const uint8_t *x, uint8_t label) {
    uint8_t *to = model->x, least = 0;
    uint32_t sum = 0;
    if (model->flags & FF_SUBTRACT_MINIMUM) {
        least = 255;
        for (unsigned i = 0; least && i < model->raw; i++)
            if (x[i] < least) least = x[i];
    }
#if FF_WORDS
    if (!model->objective && !model->encoding && !least && ((uintptr_t)x & 3) == 0)
        return ff_take_words(to, x, model->raw);
#endif
    if (model->objective) {
        ff_clear(to, model->classes);
        to[label] = model->label_value;
        sum = square(model->label_value);
        to += model->classes;
    }
#if FF_LANES
    if (!model->encoding) return sum + ff_take_inputs(to, x, model->raw, least);
#endif
    for (unsigned i = 0; i < model->raw; i++, to++) {
        uint8_t v = (uint8_t)(*x++ - least);
        *to = v;
        sum += square(v);
        if (model->encoding) {
            v = (uint8_t)~v;
            to[model->raw] = v;
            sum += square(v);
        }
    }
    return sum;
}

/* (2^k << 16) / sqrt(sum): what an input is multiplied with to have length 2^k, in Q16. 0 for an input of
 * zeros. */
static uint32_t reciprocal(uint32_t sum, uint8_t length_shift) {
    uint32_t r = ff_isqrt(sum);
    return r ? ff_divide((uint32_t)1 << (16 + length_shift), r) : 0;
}

/* (v * factor + 32768) >> 16, rounded as with a product of 64 bits; the result is < 2^32 by the factors' sum.
 */
FF_INLINE uint32_t scaled(uint32_t v, uint16_t factor) {
    return (uint32_t)(uint16_t)(v >> 16) * factor + (((uint32_t)(uint16_t)v * factor + 32768) >> 16);
}

/* Activities, goodness of each group, and what it adds to the scores. Returns the sum of all squares (< 2^32
 * by ymax). */
static uint32_t activate(ff_model *model, const ff_layer *layer, uint8_t label) {
    const uint16_t width = (uint16_t)ff_divide(layer->m, model->groups);
    const uint16_t factor = ff_at16(layer->state + FF_AT_FACTOR);
    const int32_t *acc = model->acc;
    uint16_t *y = ff_activity(model);
    uint32_t total = 0, *goodness = model->goodness, *score = model->score + (model->objective ? label : 0);
    for (uint_fast8_t g = model->groups; g--; acc += width, y += width) {
        const uint32_t sum = FF_PACKED_LAYOUTS && layer->layout ? ff_goodness(y, width)
                                                                : ff_activate_group(layer, acc, y, width);
        *goodness++ = sum;
        total += sum;
        *score++ += scaled(sum, factor);
    }
    return total;
}

/* Layers `from` to `last`. `ready`: the input of the first one is rescaled; else it is the encoded one, whose
 * squares add up to `sum`. */
FF_INLINE uint8_t pass(ff_model *model, uint8_t from, uint8_t last, uint8_t label, ff_layer_hook hook,
                       uint32_t sum, uint8_t ready) {
    uint8_t changed = 0;
    for (uint8_t l = from;; l++, ready = 0) {
        const ff_layer *layer = &model->layer[l];
        const uint16_t *below = l > from ? ff_activity(model) : 0;
        const uint32_t rec = ready ? FF_AS_IT_IS : reciprocal(sum, layer->length_shift);
        if (FF_PACKED_LAYOUTS && layer->layout) {
            ff_packed_activities(model, layer, below, rec);
        } else {
            if (!ready) ff_rescale_layer(model->x, below, layer->n, rec, FF_INPUT_MOST(layer));
            ff_product(model, layer);
        }
        sum = activate(model, layer, label);
        if (hook) changed = (uint8_t)(changed | hook(model, layer, label));
        if (l == last) return changed;
    }
}

#if FF_STAGES
/* Scores and first input, as the board below hands them on. */
static void enter_rescaled(ff_model *model, const uint8_t *x) {
    const ff_layer *layer = model->layer;
    const ff_size scores = 4 * (ff_size)model->classes;
    ff_copy(model->score, x, scores);
    x += scores;
    const unsigned most = FF_INPUT_MOST(layer);
    for (unsigned i = 0; i < layer->n; i++)
        model->x[i] = (uint8_t)(x[i] > most ? most : x[i]);
}
#endif

uint8_t ff_forward(ff_model *model, const uint8_t *x, uint8_t label, uint8_t last, ff_layer_hook hook) {
    const uint8_t ready = FF_STAGES && model->flags & FF_RESCALED;
    uint32_t sum = 0;
#if FF_STAGES
    if (ready)
        enter_rescaled(model, x);
    else
#endif
        sum = encode(model, x, label);
    return pass(model, 0, last, label, hook, sum, ready);
}

#if FF_STAGES
void ff_enter(ff_model *model, const uint8_t *x, uint8_t label) {
    if (model->flags & FF_RESCALED) {
        enter_rescaled(model, x);
        return;
    }
    const ff_layer *layer = model->layer;
    const uint32_t rec = reciprocal(encode(model, x, label), layer->length_shift);
    ff_clear(model->score, 4 * (ff_size)model->classes);
    ff_rescale_layer(model->x, 0, layer->n, rec, FF_INPUT_MOST(layer));
}

uint8_t ff_layers(ff_model *model, uint8_t from, uint8_t last, uint8_t label, ff_layer_hook hook) {
    return pass(model, from, last, label, hook, 0, 1);
}

void ff_hand_on(const ff_model *model, const ff_layer *layer, uint8_t length_shift, uint8_t most,
                uint8_t *to) {
    const uint16_t *y = ff_activity(model);
    uint32_t sum = 0;
    for (uint8_t g = 0; g < model->groups; g++)
        sum += model->goodness[g]; /* < 2^32 by ymax */
    const uint32_t rec = reciprocal(sum, length_shift);
    ff_rescale_layer(to, y, layer->m, rec, most);
}

ff_size ff_onward(const ff_model *model, uint8_t *to) {
    const ff_layer *layer = &model->layer[model->layers - 1];
    const ff_size scores = 4 * (ff_size)model->classes;
    ff_copy(to, model->score, scores);
    ff_hand_on(model, layer, model->above_shift, model->above_most, to + scores);
    return scores + layer->m;
}
#endif

uint8_t ff_best(const ff_model *model) {
    const uint32_t *score = model->score;
    uint_fast8_t best = 0;
    for (uint_fast8_t c = 1; c < model->classes; c++)
        if (score[c] > score[best]) best = c;
    return (uint8_t)best;
}

void ff_decide(const ff_model *model, uint8_t label, ff_result *result) {
    const uint8_t *threshold = model->state + ff_state_fixed(model->layers);
    const uint32_t *score = model->score;
    const uint8_t best = ff_best(model);
    uint8_t flags = 0;
    for (uint_fast8_t c = 0; c < model->classes; c++) {
        const uint8_t accepted = score[c] >= ff_at32(threshold + 4 * (ff_size)c);
        if (c != label) {
            if (accepted) flags |= FF_FALSE_ACCEPT;
        } else if (!accepted) {
            flags |= FF_FALSE_REJECT;
        }
    }
    result->label_score = 0;
    if (label >= model->classes)
        flags = 0;
    else
        result->label_score = score[label];
    /* Only the last layer's board knows what its thresholds are for. */
    if (ff_hands_on(model)) flags = 0;
    if (best == label) flags |= FF_CORRECT;
    result->score = score[best];
    if (!ff_hands_on(model) && result->score < ff_at32(model->state + FF_AT_NOVELTY)) flags |= FF_NOVEL;
    result->class_ = best;
    result->flags = flags;
    result->zero = 0;
}

void ff_infer(ff_model *model, const uint8_t *x, uint8_t label, ff_result *result) {
    ff_clear_words(model->score, model->classes);
    uint8_t c = model->objective ? model->classes : 1;
    while (c--)
        ff_forward(model, x, c, (uint8_t)(model->layers - 1), 0);
    ff_decide(model, label, result);
}
