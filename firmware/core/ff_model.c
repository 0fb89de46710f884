#include "ff_model.h"
#include "ff_bytes.h"
#include "ff_math.h"
#include "ff_object.h"
#include "kernels/ff_layout.h"

static ff_size align4(ff_size v) {
    return (ff_size)((v + 3) & ~(ff_size)3);
}

#define COUNT(table) (uint8_t)(sizeof table / sizeof table[0])

ff_status ff_state_check(const uint8_t *state, uint8_t layers, ff_size at, ff_fault *fault) {
    static const FF_TABLE ff_range HEAD[] = {
        {FF_WIDE(FF_AT_TAU), 1, 65535},
        {FF_WIDE(FF_AT_CENTRING), 0, 512},
        {FF_AT_MEAN_SHIFT, 1, 8},
        {FF_AT_THRESHOLD_SHIFT, 0, 15},
        {FF_AT_REVIVE_SHIFT, 0, 8},
        {FF_WIDE(44), 0, 0},
        {46, 0, 0},
    };
    static const FF_TABLE ff_range LAYER[] = {{FF_AT_LEARN_SHIFT, 1, 24}, {FF_WIDE(14), 0, 0}};
    if (ff_at32(state + FF_AT_RANDOM) == 0) return ff_fail(fault, FF_FIELD, at + FF_AT_RANDOM, 0);
    ff_status status = ff_check_ranges(state, HEAD, COUNT(HEAD), at, fault);
    uint32_t factors = 0; /* <= 8 * 65535 */
    state += FF_STATE_HEAD;
    at += FF_STATE_HEAD;
    for (; layers-- && status == FF_OK; state += FF_STATE_LAYER, at += FF_STATE_LAYER) {
        uint32_t theta = ff_at32(state + FF_AT_THETA);
        if (theta < 32) return ff_fail32(fault, FF_FIELD, at + FF_AT_THETA, theta);
        factors += ff_at16(state + FF_AT_FACTOR);
        if (factors > 65535) return ff_fail32(fault, FF_FIELD, at + FF_AT_FACTOR, factors);
        status = ff_check_ranges(state, LAYER, COUNT(LAYER), at, fault);
    }
    return status;
}

/* FF_FIELD unless the number at `at` of the bytes p is `want`; p stands at offset `base`. */
static ff_status must_be(const uint8_t *p, uint8_t at, ff_size base, ff_size want, ff_fault *fault) {
    const ff_size v = ff_get_size(p + at);
    return v == want ? FF_OK : ff_fail(fault, FF_FIELD, (ff_size)(base + at), v);
}

/* Whoever writes an image that comes with the firmware could write another firmware as well: such a build
 * looks at what it can't do (SPEC.md 8.1), and what `wrong` says of all else is not compiled. */
#define FF_DOUBT(wrong) (!FF_TRUST_IMAGE && (wrong))
#define FF_CHECK(status) (FF_TRUST_IMAGE ? FF_OK : (status))

#if FF_STAGES
/* What the header p says of a part of a network. */
FF_INLINE ff_status open_stage(ff_model *model, const uint8_t *p, ff_fault *fault) {
    model->below = p[40];
    const uint8_t part = model->below || p[41];
    uint8_t wrong = 0;
    if (part && model->objective)
        wrong = 20;
    else if (model->below && model->encoding)
        wrong = 21;
    else if ((model->below != 0) != ((model->flags & FF_RESCALED) != 0) ||
             (!part && model->flags & FF_COUNTS) || (model->below && model->flags & FF_SUBTRACT_MINIMUM))
        wrong = 22;
    else if (p[41] && p[41] < 4)
        wrong = 41;
    else if (p[41] ? p[42] != 4 && p[42] != 8 : p[42])
        wrong = 42;
    if (wrong) return ff_fail(fault, FF_FIELD, wrong, p[wrong]);
    model->above_shift = p[41];
    model->above_most = p[42] == 4 ? 15 : 255;
    return FF_OK;
}
#endif

/* While an image is opened, state_at is where the next section must lie, and state_fields what the state
 * takes so far; what is checked in steps of their own keeps their buffers off the stack of the others. */
FF_INLINE ff_status open_header(ff_model *model, ff_fault *fault) {
    static const FF_TABLE ff_range RANGES[] = {
        {FF_WIDE(16), 1, FF_RAW_MOST},
        {18, 1, 254},
        {19, 1, 8},
        {20, 0, 1},
        {21, 0, 1},
#if FF_STAGES
        {22, 0, 7},
        {41, 0, 12},
        {42, 0, 8},
        {43, 0, 0},
#else
        {22, 0, 1},
        {FF_WIDE(40), 0, 0},
        {FF_WIDE(42), 0, 0},
#endif
        {FF_WIDE(44), 0, 0},
        {FF_WIDE(46), 0, 0},
        {FF_WIDE(30), 0, 0}
    };
    uint32_t buffer[FF_IMAGE_HEADER / 4];
    const uint8_t *p = ff_rom_view(model->image, buffer, FF_IMAGE_HEADER);
    ff_status status = FF_CHECK(ff_check_ranges(p, RANGES, COUNT(RANGES), 0, fault));
    if (status != FF_OK) return status;
    ff_copy(model, p + 16, 8);
    model->groups = model->objective ? 1 : model->classes;
    if (FF_DOUBT(model->image_bytes > FF_IMAGE_MOST)) return ff_fail(fault, FF_FIELD, 8, model->image_bytes);
    if (model->layers > FF_MAX_LAYERS) return ff_fail(fault, FF_LIMIT, FF_MAX_LAYERS, model->layers);
    if (FF_DOUBT(model->label_value && !model->objective))
        return ff_fail(fault, FF_FIELD, 23, model->label_value);
#if FF_STAGES
    status = open_stage(model, p, fault);
    if (status != FF_OK) return status;
#else
    if (FF_TRUST_IMAGE && (status = must_be(p, 40, 0, 0, fault)) != FF_OK) return status;
#endif
    const ff_size at = (ff_size)(FF_IMAGE_HEADER + model->layers * FF_LAYER_RECORD), meta = ff_at16(p + 28);
    model->state_at = (ff_size)(at + align4(meta));
    if (FF_DOUBT(meta > model->image_bytes || model->state_at > model->image_bytes))
        return ff_fail(fault, FF_FIELD, 28, meta);
    model->state_fields = (ff_size)(ff_state_fixed(model->layers) + model->classes * 8u);
    return FF_CHECK(must_be(p, 24, 0, at, fault));
}

/* The width that the first layer's input has. It may be up to 2 * FF_RAW_MOST + 254: more than a u16 can say.
 */
FF_INLINE ff_size encoded_width(const ff_model *model) {
    ff_size n = model->raw;
    if (FF_STAGES && model->flags & FF_RESCALED) {
        const ff_size scores = (ff_size)(4u * model->classes);
        return n > scores ? (ff_size)(n - scores) : 0;
    }
    if (model->encoding) n = (ff_size)(2 * n);
    if (model->objective) n = (ff_size)(n + model->classes);
    return n;
}

/* What a layer's numbers must be to each other. n: the width that comes in; o: where its record stands. */
static ff_status check_shape(const ff_model *model, const ff_layer *layer, ff_size n, ff_size o,
                             ff_fault *fault) {
    const uint16_t m = layer->m, ymax = layer->ymax;
    uint16_t wrong = layer->n;
    if (wrong == n && n) {
        wrong = m;
        o = (ff_size)(o + 2);
        if ((uint16_t)ff_divide(m, model->groups) * model->groups == m) {
            wrong = ymax;
            o = (ff_size)(o + 16);
            /* m * ymax^2 <= 2^32 - 1, without a 64-bit product */
            if ((uint32_t)ymax * ymax <= ff_divide(UINT32_MAX, m)) return FF_OK;
        }
    }
    return ff_fail(fault, FF_FIELD, o, wrong);
}

/* The record at `o`. n: the width that comes in. */
FF_INLINE ff_status open_layer(ff_model *model, ff_layer *layer, ff_size n, ff_size o, ff_fault *fault) {
    static const FF_TABLE ff_range RANGES[] = {
        {4, 4, 12}, {7, 0, 1}, {16, 0, 24}, {FF_WIDE(18), 1, 65535}, {FF_WIDE(2), 1, FF_MAX_NEURONS}};
    uint32_t buffer[FF_LAYER_RECORD / 4];
    const uint8_t *p = ff_rom_view(model->image + o, buffer, FF_LAYER_RECORD);
    ff_status status = FF_CHECK(ff_check_ranges(p, RANGES, COUNT(RANGES), o, fault));
    if (status != FF_OK) return status;
    ff_copy(layer, p, 8);
    layer->output_shift = p[16];
    layer->ymax = ff_at16(p + 18);
    status = FF_CHECK(check_shape(model, layer, n, o, fault));
    if (status != FF_OK) return status;
    if (layer->learns) {
        if (FF_DOUBT(model->objective)) return ff_fail(fault, FF_FIELD, (ff_size)(o + 7), 1);
        model->state_fields = (ff_size)(model->state_fields + 2 * n);
    }
    if (!ff_layout_taken(layer, p[17])) return ff_fail32(fault, FF_LAYOUT, o, ff_at32(p + 4));
#if FF_NIBBLES
    layer->input_most = (uint8_t)(255 >> (8 - p[17]));
#endif
    layer->weights_at = model->state_at;
    const uint32_t bytes = (ff_layout_bytes(layer) + 3) & ~(uint32_t)3; /* < 2^28 */
    const ff_size left = (ff_size)(model->image_bytes - model->state_at);
    if (FF_DOUBT(bytes > left || model->state_fields > left))
        return ff_fail32(fault, FF_FIELD, o + 12u, bytes);
    layer->weights_bytes = (ff_size)bytes;
    model->state_at = (ff_size)(model->state_at + layer->weights_bytes);
    status = FF_CHECK(must_be(p, 8, o, layer->weights_at, fault));
    return status == FF_OK ? FF_CHECK(must_be(p, 12, o, layer->weights_bytes, fault)) : status;
}

FF_INLINE ff_status open_state(ff_model *model, ff_fault *fault) {
    uint32_t buffer[FF_STATE_MOST / 4];
    const ff_size left = (ff_size)(model->image_bytes - model->state_at);
    model->state_bytes = align4(model->state_fields);
    if (left != model->state_bytes) return ff_fail(fault, FF_FIELD, 36, left);
    if (FF_TRUST_IMAGE) return FF_OK;
    const uint8_t *p = ff_rom_view(model->image + 32, buffer, 8);
    ff_status status = must_be(p, 0, 32, model->state_at, fault);
    if (status == FF_OK) status = must_be(p, 4, 32, left, fault);
    if (status != FF_OK) return status;
    p = ff_rom_view(model->image + model->state_at, buffer, ff_state_fixed(model->layers));
    return ff_state_check(p, model->layers, model->state_at, fault);
}

ff_status ff_model_open(ff_model *model, ff_rom image, ff_size bytes, ff_fault *fault) {
    ff_clear(model, sizeof *model);
    model->image = image;
    model->image_bytes = bytes;
    ff_status status = ff_object_check(image, bytes, 0x314D4646, FF_IMAGE_HEADER, fault);
    if (status == FF_OK) status = open_header(model, fault);
    ff_layer *layer = model->layer;
    ff_size n = encoded_width(model), o = FF_IMAGE_HEADER;
    for (uint_fast8_t l = model->layers; status == FF_OK && l--;
         n = layer++->m, o = (ff_size)(o + FF_LAYER_RECORD))
        status = open_layer(model, layer, n, o, fault);
    if (status == FF_OK) status = open_state(model, fault);
    if (status == FF_OK && !FF_ROM_FAR) ff_model_moved(model, image);
    return status;
}

/* Bytes of the accumulators. */
static ff_size acc_bytes(const ff_model *model) {
    uint16_t m = 0;
    for (uint_fast8_t l = 0; l < model->layers; l++)
        if (model->layer[l].m > m) m = model->layer[l].m;
    return (ff_size)(4 * (ff_size)m);
}

#if FF_STAGES
/* Bytes of an answer that is kept: the result, the scores, and the input of the layer above. */
static ff_size kept_bytes(const ff_model *model) {
    return ff_hands_on(model) ? FF_ANSWERS_KEPT * ff_model_answer(model) : 0;
}

ff_size ff_model_answer(const ff_model *model) {
    return align4((ff_size)(12u + 4u * model->classes + model->layer[model->layers - 1].m));
}
#endif

/* Bytes of the inputs, and of what kernels write behind them. */
static ff_size x_bytes(const ff_model *model) {
    ff_size n = 0;
    for (uint_fast8_t l = 0; l < model->layers; l++)
        if (model->layer[l].n > n) n = model->layer[l].n;
    return align4(n) + FF_INPUT_END;
}

/* Bytes of the list of inputs, where kernels want one. */
FF_INLINE ff_size list_bytes(const ff_model *model) {
    ff_size most = 0;
    for (uint_fast8_t l = 0; FF_PACKED_LAYOUTS && l < model->layers; l++) {
        const ff_size bytes = ff_layout_list_bytes(&model->layer[l]);
        if (bytes > most) most = bytes;
    }
    return most;
}

ff_size ff_model_ram(const ff_model *model, uint8_t learning, ff_ram *ram) {
    ff_size weights = 0;
    for (uint_fast8_t l = 0; l < model->layers; l++) {
        const ff_layer *layer = &model->layer[l];
        if (learning && layer->learns) weights = (ff_size)(weights + layer->weights_bytes);
    }
    ram->weights = weights;
    ram->inference = (ff_size)(acc_bytes(model) + 4u * model->groups + 4u * model->classes + x_bytes(model) +
                               list_bytes(model));
#if FF_STAGES
    ram->inference = (ff_size)(ram->inference + kept_bytes(model));
#endif
    const uint8_t counts = FF_STAGES && learning && model->flags & FF_COUNTS;
    ram->learning = weights || counts || FF_ROM_FAR ? model->state_bytes : 0;
    return (ff_size)(ram->inference + ram->learning + weights);
}

/* The buffers of inference. */
FF_INLINE void lay_out(ff_model *model, uint8_t *p) {
    model->acc = (int32_t *)(void *)p;
    model->goodness = (uint32_t *)(void *)(p + acc_bytes(model));
    model->score = model->goodness + model->groups;
    model->x = (uint8_t *)(model->score + model->classes);
#if FF_PACKED_LAYOUTS
    model->list = model->x + x_bytes(model);
#endif
}

#if FF_STAGES
void ff_model_view(const ff_model *model, ff_model *view, void *buffers) {
    *view = *model;
    lay_out(view, buffers);
}
#endif

ff_status ff_model_bind(ff_model *model, uint8_t learning, void *arena, ff_size bytes, ff_fault *fault) {
    ff_ram ram;
    const ff_size need = ff_model_ram(model, learning, &ram);
    uint8_t *p = arena;
    if (need > bytes) return ff_fail(fault, FF_ARENA, need, bytes);
    model->learning = ram.weights != 0;
    lay_out(model, p);
    p += ram.inference;
#if FF_STAGES
    if (learning && model->flags & FF_COUNTS) model->learning = 1;
    if (ff_hands_on(model)) model->kept = p - kept_bytes(model);
#endif
    if (ram.learning) {
        model->state_ram = p;
        ff_rom_read(p, model->image + model->state_at, model->state_bytes);
        p += model->state_bytes;
    }
    ff_size mean = (ff_size)(ff_state_fixed(model->layers) + 8u * model->classes);
    for (uint_fast8_t l = 0; model->learning && l < model->layers; l++) {
        ff_layer *layer = &model->layer[l];
        if (!layer->learns) continue;
        layer->learned = (int8_t *)p;
        ff_rom_read(p, model->image + layer->weights_at, layer->weights_bytes);
        p += layer->weights_bytes;
        layer->mean = (uint16_t *)(void *)(model->state_ram + mean);
        mean = (ff_size)(mean + 2u * layer->n);
    }
    ff_model_moved(model, model->image); /* points the layers to where their state is now */
    return FF_OK;
}

void ff_overlay(uint8_t *to, ff_size offset, ff_size count, ff_size at, const void *from, ff_size bytes) {
    const ff_size low = offset > at ? offset : at;
    ff_size high = (ff_size)(at + bytes);
    if (high > offset + count) high = (ff_size)(offset + count);
    if (low < high) ff_copy(to + (low - offset), (const uint8_t *)from + (low - at), (ff_size)(high - low));
}

void ff_model_read(const ff_model *model, ff_size offset, uint8_t *to, ff_size count) {
    ff_rom_read(to, model->image + offset, count);
    if (!model->learning) return;
    ff_overlay(to, offset, count, model->state_at, model->state_ram, model->state_bytes);
    for (uint_fast8_t l = 0; l < model->layers; l++) {
        const ff_layer *layer = &model->layer[l];
        if (layer->learned)
            ff_overlay(to, offset, count, layer->weights_at, layer->learned, layer->weights_bytes);
    }
}

void ff_model_moved(ff_model *model, ff_rom image) {
    model->image = image;
#if FF_ROM_FAR
    model->state = model->state_ram;
#else
    model->state = model->state_ram ? model->state_ram : image + model->state_at;
#endif
    const uint8_t *state = model->state + FF_STATE_HEAD;
    for (uint_fast8_t l = 0; l < model->layers; l++, state += FF_STATE_LAYER)
        model->layer[l].state = state;
}
