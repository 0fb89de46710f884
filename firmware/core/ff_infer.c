#include "ff_infer.h"
#include "ff_bytes.h"
#include "ff_math.h"
#include "kernels/ff_columns.h"

/* Fills model->x with the encoded input (SPEC.md 4.1) and returns its sum of squares (< 2^32: at most 65535
 * bytes). */
static uint32_t encode(ff_model *model, const uint8_t *x, uint32_t label) {
    uint8_t *to = model->x;
    uint32_t least = 0;
    uint32_t sum = 0;
    if (model->objective) {
        ff_clear(to, model->classes);
        to[label] = model->label_value;
        sum = (uint32_t)model->label_value * model->label_value;
        to += model->classes;
    }
    if (model->subtract_minimum) {
        least = 255;
        for (uint32_t i = 0; i < model->raw; i++)
            if (x[i] < least) least = x[i];
    }
    for (uint32_t i = 0; i < model->raw; i++) {
        uint32_t v = x[i] - least;
        to[i] = (uint8_t)v;
        sum += v * v;
        if (model->encoding) {
            v = 255 - v;
            to[model->raw + i] = (uint8_t)v;
            sum += v * v;
        }
    }
    return sum;
}

/* (2^k << 16) / sqrt(sum): what an input is multiplied with to have length 2^k, in Q16. 0 for an input of
 * zeros. */
static uint32_t reciprocal(uint32_t sum, uint8_t length_shift) {
    uint32_t r = ff_isqrt(sum);
    return r ? ((uint32_t)1 << (16 + length_shift)) / r : 0;
}

/* v <= root of the sum of squares, so the product is at most 2^28. */
static uint8_t rescale(uint32_t v, uint32_t rec) {
    v = (v * rec + 32768) >> 16;
    return (uint8_t)(v > 255 ? 255 : v);
}

/* Accumulators to activities, in their place; goodness of each group, and what it adds to the scores. Returns
 * the sum of all squares (< 2^32 by ymax). */
static uint32_t activate(ff_model *model, const ff_layer *layer, uint32_t label) {
    const uint32_t s = layer->output_shift;
    const uint32_t half = s ? (uint32_t)1 << (s - 1) : 0;
    const uint32_t width = layer->m / model->groups;
    const uint32_t factor = ff_get16(layer->state + FF_AT_FACTOR);
    uint16_t *y = ff_activity(model);
    uint32_t total = 0;
    uint32_t j = 0;
    for (uint32_t g = 0; g < model->groups; g++) {
        uint32_t sum = 0;
        for (uint32_t end = j + width; j < end; j++) {
            int32_t a = model->acc[j];
            uint32_t v = a > 0 ? ((uint32_t)a + half) >> s : 0;
            if (v > layer->ymax) v = layer->ymax;
            y[j] = (uint16_t)v; /* byte 2j of the block: acc[j] at byte 4j has been read */
            sum += v * v;
        }
        model->goodness[g] = sum;
        model->score[model->objective ? label : g] += (uint32_t)(((uint64_t)sum * factor + 32768) >> 16);
        total += sum;
    }
    return total;
}

uint32_t ff_forward(ff_model *model, const uint8_t *x, uint32_t label, uint32_t last, ff_layer_hook hook) {
    uint32_t sum = encode(model, x, label);
    uint32_t changed = 0;
    for (uint32_t l = 0;; l++) {
        const ff_layer *layer = &model->layer[l];
        const uint32_t rec = reciprocal(sum, layer->length_shift);
        const uint16_t *below = ff_activity(model);
        for (uint32_t i = 0; i < layer->n; i++)
            model->x[i] = rescale(l ? below[i] : model->x[i], rec);
        ff_clear(model->acc, 4 * (uint32_t)layer->m);
        ff_columns_s8(model->acc, layer->weights, model->x, layer->n, layer->m);
        sum = activate(model, layer, label);
        if (hook) changed += hook(model, layer, label);
        if (l == last) return changed;
    }
}

void ff_decide(const ff_model *model, uint32_t label, ff_result *result) {
    const uint8_t *threshold = model->state + ff_state_fixed(model->layers);
    uint32_t best = 0;
    for (uint32_t c = 1; c < model->classes; c++)
        if (model->score[c] > model->score[best]) best = c;
    result->class_ = (uint8_t)best;
    result->score = model->score[best];
    result->label_score = 0;
    result->flags = result->score < ff_get32(model->state + FF_AT_NOVELTY) ? FF_NOVEL : 0;
    if (label >= model->classes) return;
    result->label_score = model->score[label];
    if (best == label) result->flags |= FF_CORRECT;
    for (uint32_t c = 0; c < model->classes; c++) {
        int accepted = model->score[c] >= ff_get32(threshold + 4 * c);
        if (c == label && !accepted) result->flags |= FF_FALSE_REJECT;
        if (c != label && accepted) result->flags |= FF_FALSE_ACCEPT;
    }
}

void ff_infer(ff_model *model, const uint8_t *x, uint32_t label, ff_result *result) {
    ff_clear(model->score, 4 * (uint32_t)model->classes);
    const uint32_t passes = model->objective ? model->classes : 1;
    for (uint32_t c = 0; c < passes; c++)
        ff_forward(model, x, c, model->layers - 1u, 0);
    ff_decide(model, label, result);
}
