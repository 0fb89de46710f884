#include "ff_model.h"
#include "ff_bytes.h"
#include "ff_object.h"

static uint32_t align4(uint32_t v) {
    return (v + 3) & ~(uint32_t)3;
}

#define COUNT(table) (uint8_t)(sizeof table / sizeof table[0])

ff_status ff_state_check(const uint8_t *state, uint8_t layers, uint32_t at, ff_fault *fault) {
    static const ff_range HEAD[] = {
        {FF_AT_TAU, 2, 1, 65535},          {FF_AT_CENTRING, 2, 0, 512},   {FF_AT_MEAN_SHIFT, 1, 1, 8},
        {FF_AT_THRESHOLD_SHIFT, 1, 0, 15}, {FF_AT_REVIVE_SHIFT, 1, 0, 8},
    };
    static const ff_range LAYER[] = {{FF_AT_LEARN_SHIFT, 1, 1, 24}, {11, 1, 0, 0}};
    if (ff_get32(state + FF_AT_RANDOM) == 0) return ff_fail(fault, FF_FIELD, at + FF_AT_RANDOM, 0);
    ff_status status = ff_check_ranges(state, HEAD, COUNT(HEAD), at, fault);
    uint32_t factors = 0; /* <= 8 * 65535 */
    state += FF_STATE_HEAD;
    at += FF_STATE_HEAD;
    for (; layers-- && status == FF_OK; state += FF_STATE_LAYER, at += FF_STATE_LAYER) {
        uint32_t theta = ff_get32(state + FF_AT_THETA);
        if (theta < 32) return ff_fail(fault, FF_FIELD, at + FF_AT_THETA, theta);
        factors += ff_get16(state + FF_AT_FACTOR);
        if (factors > 65535) return ff_fail(fault, FF_FIELD, at + FF_AT_FACTOR, factors);
        status = ff_check_ranges(state, LAYER, COUNT(LAYER), at, fault);
    }
    return status;
}

/* One layer record at `o`. `n` is the width that must come in, *at the offset where the weights must lie. */
static ff_status open_layer(ff_model *model, ff_layer *layer, uint32_t o, uint32_t n, uint32_t *at,
                            ff_fault *fault) {
    static const ff_range RANGES[] = {
        {4, 1, 4, 12},  {5, 1, 0, 0},  {6, 1, 8, 8},      {7, 1, 0, 1},
        {16, 1, 0, 24}, {17, 1, 0, 0}, {18, 2, 1, 65535}, {2, 2, 1, FF_MAX_NEURONS}};
    const uint8_t *p = model->image + o;
    layer->n = ff_get16(p);
    layer->m = ff_get16(p + 2);
    layer->length_shift = p[4];
    layer->learns = p[7];
    layer->weights_at = ff_get32(p + 8);
    layer->output_shift = p[16];
    layer->ymax = ff_get16(p + 18);

    ff_status status = ff_check_ranges(p, RANGES, COUNT(RANGES), o, fault);
    if (status != FF_OK) return status;
    if (layer->n != n || n == 0) return ff_fail(fault, FF_FIELD, o, layer->n);
    if (layer->m % model->groups) return ff_fail(fault, FF_FIELD, o + 2, layer->m);
    if (layer->learns && model->objective) return ff_fail(fault, FF_FIELD, o + 7, 1);
    if (layer->weights_at != *at) return ff_fail(fault, FF_FIELD, o + 8, layer->weights_at);
    uint32_t bytes = align4(n * layer->m); /* <= 65535 * 4096 < 2^28 */
    if (ff_get32(p + 12) != bytes || bytes > model->image_bytes - *at)
        return ff_fail(fault, FF_FIELD, o + 12, bytes);
    /* m * ymax^2 <= 2^32 - 1, without a 64-bit product */
    if ((uint32_t)layer->ymax * layer->ymax > UINT32_MAX / layer->m)
        return ff_fail(fault, FF_FIELD, o + 18, layer->ymax);
    layer->weights = (const int8_t *)(model->image + layer->weights_at);
    *at += bytes;
    return FF_OK;
}

ff_status ff_model_open(ff_model *model, const uint8_t *image, uint32_t bytes, ff_fault *fault) {
    static const ff_range RANGES[] = {{16, 2, 1, 65535}, {18, 1, 1, 254}, {19, 1, 1, 8}, {20, 1, 0, 1},
                                      {21, 1, 0, 1},     {22, 1, 0, 1},   {40, 2, 0, 0}, {42, 2, 0, 0},
                                      {44, 2, 0, 0},     {46, 2, 0, 0},   {30, 2, 0, 0}};
    ff_clear(model, sizeof *model);
    ff_status status = ff_object_check(image, bytes, 0x314D4646, FF_IMAGE_HEADER, fault);
    if (status == FF_OK) status = ff_check_ranges(image, RANGES, COUNT(RANGES), 0, fault);
    if (status != FF_OK) return status;

    model->image = image;
    model->image_bytes = bytes;
    model->raw = ff_get16(image + 16);
    model->classes = image[18];
    model->layers = image[19];
    model->objective = image[20];
    model->encoding = image[21];
    model->subtract_minimum = image[22];
    model->label_value = image[23];
    model->groups = model->objective ? 1 : model->classes;
    model->state_at = ff_get32(image + 32);
    model->state_bytes = ff_get32(image + 36);
    if (bytes > 16777216) return ff_fail(fault, FF_FIELD, 8, bytes);
    if (model->layers > FF_MAX_LAYERS) return ff_fail(fault, FF_LIMIT, FF_MAX_LAYERS, model->layers);
    if (model->label_value && !model->objective) return ff_fail(fault, FF_FIELD, 23, model->label_value);

    uint32_t at = FF_IMAGE_HEADER + (uint32_t)model->layers * FF_LAYER_RECORD;
    uint32_t meta = align4(ff_get16(image + 28));
    if (at > bytes || meta > bytes - at) return ff_fail(fault, FF_FIELD, 28, meta);
    if (ff_get32(image + 24) != at) return ff_fail(fault, FF_FIELD, 24, ff_get32(image + 24));
    at += meta;

    /* the encoded width may be up to 2 * 65535 + 254: it is compared, as 32 bits, with what a u16 can say */
    uint32_t n = (uint32_t)model->raw << model->encoding;
    if (model->objective) n += model->classes;
    uint32_t state_bytes = ff_state_fixed(model->layers) + (uint32_t)model->classes * 8;
    for (uint32_t l = 0; l < model->layers; l++) {
        ff_layer *layer = &model->layer[l];
        status = open_layer(model, layer, FF_IMAGE_HEADER + (uint32_t)l * FF_LAYER_RECORD, n, &at, fault);
        if (status != FF_OK) return status;
        if (layer->learns) state_bytes += 2 * n;
        n = layer->m;
    }
    model->state_fields = state_bytes;
    state_bytes = align4(state_bytes);
    if (model->state_at != at) return ff_fail(fault, FF_FIELD, 32, model->state_at);
    if (model->state_bytes != state_bytes || state_bytes != bytes - at)
        return ff_fail(fault, FF_FIELD, 36, model->state_bytes);
    ff_model_moved(model, image);
    return ff_state_check(model->state, model->layers, at, fault);
}

/* Next block of the arena: its offset, and the cursor moved behind it. */
static uint32_t take(uint32_t *cursor, uint32_t bytes) {
    uint32_t at = *cursor;
    *cursor += align4(bytes);
    return at;
}

/* The one place that knows the arena's layout. Without an arena it only counts. */
static void lay_out(ff_model *model, int learning, uint8_t *arena, ff_ram *ram) {
    uint32_t widest_input = 0, widest_layer = 0, cursor = 0;
    for (uint32_t l = 0; l < model->layers; l++) {
        if (model->layer[l].n > widest_input) widest_input = model->layer[l].n;
        if (model->layer[l].m > widest_layer) widest_layer = model->layer[l].m;
    }
    uint32_t acc = take(&cursor, 4 * widest_layer);
    uint32_t goodness = take(&cursor, 4 * (uint32_t)model->groups);
    uint32_t score = take(&cursor, 4 * (uint32_t)model->classes);
    uint32_t x = take(&cursor, widest_input);
    ram->inference = cursor;
    uint32_t state = learning ? take(&cursor, model->state_bytes) : 0;
    ram->learning = cursor - ram->inference;
    ram->weights = cursor;
    if (arena) {
        model->acc = (int32_t *)(void *)(arena + acc);
        model->goodness = (uint32_t *)(void *)(arena + goodness);
        model->score = (uint32_t *)(void *)(arena + score);
        model->x = arena + x;
        if (learning) {
            model->state_ram = arena + state;
            model->state = model->state_ram;
            ff_copy(model->state_ram, model->image + model->state_at, model->state_bytes);
        }
    }
    uint32_t means = ff_state_fixed(model->layers) + (uint32_t)model->classes * 8;
    for (uint32_t l = 0; learning && l < model->layers; l++) {
        ff_layer *layer = &model->layer[l];
        if (layer->learns) {
            uint32_t bytes = (uint32_t)layer->n * layer->m;
            uint32_t weights = take(&cursor, bytes);
            if (arena) {
                layer->learned = (int8_t *)(arena + weights);
                ff_copy(layer->learned, layer->weights, bytes);
                layer->weights = layer->learned;
                layer->mean = (uint16_t *)(void *)(model->state_ram + means);
            }
            means += 2 * (uint32_t)layer->n;
        }
    }
    ram->weights = cursor - ram->weights;
}

static int any_layer_learns(const ff_model *model) {
    for (uint32_t l = 0; l < model->layers; l++)
        if (model->layer[l].learns) return 1;
    return 0;
}

uint32_t ff_model_ram(const ff_model *model, int learning, ff_ram *split) {
    lay_out((ff_model *)model, learning && any_layer_learns(model), 0,
            split); /* without an arena it only reads */
    return split->inference + split->learning + split->weights;
}

ff_status ff_model_bind(ff_model *model, int learning, void *arena, uint32_t bytes, ff_fault *fault) {
    ff_ram ram;
    uint32_t need = ff_model_ram(model, learning, &ram);
    if (need > bytes) return ff_fail(fault, FF_ARENA, need, bytes);
    model->learning = (uint8_t)(learning && any_layer_learns(model));
    lay_out(model, model->learning, arena, &ram);
    ff_model_moved(model, model->image); /* points the layers to where their state is now */
    return FF_OK;
}

/* Copies the part of [at, at + bytes) that lies in [offset, offset + count). */
static void overlay(uint8_t *to, uint32_t offset, uint32_t count, uint32_t at, const void *from,
                    uint32_t bytes) {
    uint32_t low = offset > at ? offset : at;
    uint32_t high = offset + count < at + bytes ? offset + count : at + bytes;
    if (low < high) ff_copy(to + (low - offset), (const uint8_t *)from + (low - at), high - low);
}

void ff_model_read(const ff_model *model, uint32_t offset, uint8_t *to, uint32_t count) {
    ff_copy(to, model->image + offset, count);
    if (!model->learning) return;
    overlay(to, offset, count, model->state_at, model->state_ram, model->state_bytes);
    for (uint32_t l = 0; l < model->layers; l++) {
        const ff_layer *layer = &model->layer[l];
        if (layer->learned)
            overlay(to, offset, count, layer->weights_at, layer->learned, (uint32_t)layer->n * layer->m);
    }
}

void ff_model_moved(ff_model *model, const uint8_t *image) {
    model->image = image;
    if (!model->learning) model->state = image + model->state_at;
    for (uint32_t l = 0; l < model->layers; l++) {
        ff_layer *layer = &model->layer[l];
        if (!layer->learned) layer->weights = (const int8_t *)(image + layer->weights_at);
        layer->state = model->state + ff_state_fixed(l);
    }
}
