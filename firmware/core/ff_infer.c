#include "ff_infer.h"
#include "ff_bytes.h"
#include "ff_math.h"
#include "kernels/ff_columns.h"
#include "kernels/ff_layout.h"

static uint16_t square(uint8_t v) {
    return (uint16_t)((uint16_t)v * v);
}

/* Fills model->x with the encoded input (SPEC.md 4.1) and returns its sum of squares (< 2^32: at most 65535
 * bytes). */
static uint32_t encode(ff_model *model, const uint8_t *x, uint8_t label) {
    uint8_t *to = model->x;
    uint8_t least = 0;
    uint32_t sum = 0;
    if (model->objective) {
        ff_clear(to, model->classes);
        to[label] = model->label_value;
        sum = square(model->label_value);
        to += model->classes;
    }
    if (model->flags & FF_SUBTRACT_MINIMUM) {
        least = 255;
        for (unsigned i = 0; i < model->raw; i++)
            if (x[i] < least) least = x[i];
    }
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

/* v <= root of the sum of squares, so the product is at most 2^28. */
FF_INLINE uint8_t rescale(uint32_t v, uint32_t rec, uint8_t most) {
    v = (v * rec + 32768) >> 16;
    return (uint8_t)(v > most ? most : v);
}

/* (v * factor + 32768) >> 16, rounded as with a product of 64 bits; the result is < 2^32 by the factors' sum.
 */
FF_INLINE uint32_t scaled(uint32_t v, uint16_t factor) {
    return (uint32_t)(uint16_t)(v >> 16) * factor + (((uint32_t)(uint16_t)v * factor + 32768) >> 16);
}

/* Accumulators of one group to activities, in their place: acc and y, (width), begin at the same address for
 * the first group, and y's byte 2j is written when acc's 4j to 4j + 3 were read. Returns the goodness. */
FF_INLINE uint32_t activate_group(const ff_layer *layer, const int32_t *acc, uint16_t *y, unsigned width) {
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

/* Activities, goodness of each group, and what it adds to the scores. Returns the sum of all squares (< 2^32
 * by ymax). */
static uint32_t activate(ff_model *model, const ff_layer *layer, uint8_t label) {
    const uint16_t width = (uint16_t)ff_divide(layer->m, model->groups);
    const int32_t *acc = model->acc;
    uint16_t *y = ff_activity(model);
    uint32_t total = 0;
    for (uint_fast8_t g = 0; g < model->groups; g++, acc += width, y += width) {
        const uint32_t sum = activate_group(layer, acc, y, width);
        model->goodness[g] = sum;
        total += sum;
        model->score[model->objective ? label : g] += scaled(sum, ff_at16(layer->state + FF_AT_FACTOR));
    }
    return total;
}

/* acc (m) += columns of weights w (n, m) times x (n). */
FF_INLINE void add_columns(const ff_layer *layer, int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n,
                           uint16_t m) {
    if (ff_layout_packed(layer))
        ff_columns_s4(acc, w, x, n, m);
    else
        ff_columns_s8(acc, w, x, n, m);
}

/* The weights of a layer that doesn't learn are read where they lie. */
static void multiply(ff_model *model, const ff_layer *layer) {
    ff_clear(model->acc, 4 * (ff_size)layer->m);
    const int8_t *w = layer->learned;
#if FF_ROM_FAR
    ff_rom weights = model->image + layer->weights_at;
    const uint16_t stride = ff_layout_stride(layer);
    const uint8_t packed = ff_layout_packed(layer);
    for (unsigned i = 0; !w && i < layer->n; i++, weights += stride) {
        int8_t piece[32]; /* of a column */
        if (model->x[i] == 0) continue;
        for (uint16_t at = 0; at < stride; at = (uint16_t)(at + sizeof piece)) {
            const uint16_t j = (uint16_t)(at << packed), left = (uint16_t)(stride - at);
            const uint16_t bytes = left < sizeof piece ? left : (uint16_t)sizeof piece;
            const uint16_t rows =
                left <= sizeof piece ? (uint16_t)(layer->m - j) : (uint16_t)(bytes << packed);
            ff_rom_read(piece, weights + at, bytes);
            add_columns(layer, model->acc + j, piece, model->x + i, 1, rows);
        }
    }
    if (!w) return;
#else
    if (!w) w = (const int8_t *)(model->image + layer->weights_at);
#endif
    add_columns(layer, model->acc, w, model->x, layer->n, layer->m);
}

/* Layers `from` to `last`. `ready`: the input of the first one is rescaled; else it is the encoded one, whose
 * squares add up to `sum`. */
FF_INLINE uint8_t pass(ff_model *model, uint8_t from, uint8_t last, uint8_t label, ff_layer_hook hook,
                       uint32_t sum, uint8_t ready) {
    uint8_t changed = 0;
    for (uint8_t l = from;; l++, ready = 0) {
        const ff_layer *layer = &model->layer[l];
        if (!ready) {
            const uint32_t rec = reciprocal(sum, layer->length_shift);
            const uint16_t *below = ff_activity(model);
            for (unsigned i = 0; i < layer->n; i++)
                model->x[i] = rescale(l > from ? below[i] : model->x[i], rec, FF_INPUT_MOST(layer));
        }
        multiply(model, layer);
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
    for (unsigned i = 0; i < layer->n; i++)
        model->x[i] = rescale(model->x[i], rec, FF_INPUT_MOST(layer));
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
    for (uint16_t j = 0; j < layer->m; j++)
        to[j] = rescale(y[j], rec, most);
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
    ff_clear(model->score, 4 * (ff_size)model->classes);
    uint8_t c = model->objective ? model->classes : 1;
    while (c--)
        ff_forward(model, x, c, (uint8_t)(model->layers - 1), 0);
    ff_decide(model, label, result);
}
