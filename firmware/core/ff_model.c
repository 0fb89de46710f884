#include "ff_model.h"
#include "ff_bytes.h"
#include "ff_crc32.h"
#include <string.h>

static uint32_t align4(uint32_t v) {
    return (v + 3) & ~(uint32_t)3;
}

ff_status ff_state_check(const uint8_t *state, uint8_t layers, uint32_t at, ff_fault *fault) {
    /* field: offset, width, least, most */
    static const struct {
        uint8_t at, width;
        uint16_t least, most;
    } RULES[] = {
        {FF_AT_TAU, 2, 1, 65535},          {FF_AT_CENTRING, 2, 0, 512},   {FF_AT_MEAN_SHIFT, 1, 1, 8},
        {FF_AT_THRESHOLD_SHIFT, 1, 0, 15}, {FF_AT_REVIVE_SHIFT, 1, 0, 8},
    };
    if (ff_get32(state + FF_AT_RANDOM) == 0) return ff_fail(fault, FF_FIELD, at + FF_AT_RANDOM, 0);
    for (unsigned i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        const uint8_t *p = state + RULES[i].at;
        uint16_t v = RULES[i].width == 2 ? ff_get16(p) : *p;
        if (v < RULES[i].least || v > RULES[i].most) return ff_fail(fault, FF_FIELD, at + RULES[i].at, v);
    }
    if (ff_get32(state + 44)) return ff_fail(fault, FF_FIELD, at + 44, ff_get32(state + 44));
    uint32_t factors = 0; /* <= 8 * 65535 */
    for (uint8_t l = 0; l < layers; l++) {
        uint32_t o = FF_STATE_HEAD + (uint32_t)l * FF_STATE_LAYER;
        const uint8_t *p = state + o;
        if (ff_get32(p + FF_AT_THETA) < 32)
            return ff_fail(fault, FF_FIELD, at + o + FF_AT_THETA, ff_get32(p + FF_AT_THETA));
        factors += ff_get16(p + FF_AT_FACTOR);
        if (factors > 65535) return ff_fail(fault, FF_FIELD, at + o + FF_AT_FACTOR, factors);
        uint8_t shift = p[FF_AT_LEARN_SHIFT];
        if (shift < 1 || shift > 24) return ff_fail(fault, FF_FIELD, at + o + FF_AT_LEARN_SHIFT, shift);
        if (p[11]) return ff_fail(fault, FF_FIELD, at + o + 11, p[11]);
    }
    return FF_OK;
}

/* One layer record. `n` is the width that must come in, *at the offset where the weights must lie. */
static ff_status open_layer(ff_model *model, uint8_t l, uint32_t n, uint32_t *at, ff_fault *fault) {
    const uint32_t o = FF_IMAGE_HEADER + (uint32_t)l * FF_LAYER_RECORD;
    const uint8_t *p = model->image + o;
    ff_layer *layer = &model->layer[l];
    layer->n = ff_get16(p);
    layer->m = ff_get16(p + 2);
    layer->length_shift = p[4];
    layer->learns = p[7];
    layer->weights_at = ff_get32(p + 8);
    layer->output_shift = p[16];
    layer->ymax = ff_get16(p + 18);
    layer->weights = (const int8_t *)(model->image + layer->weights_at);
    layer->learned = 0;
    layer->mean = 0;

    if (layer->n != n || n == 0) return ff_fail(fault, FF_FIELD, o, layer->n);
    if (layer->m == 0 || layer->m > FF_MAX_NEURONS || layer->m % model->groups)
        return ff_fail(fault, FF_FIELD, o + 2, layer->m);
    if (p[4] < 4 || p[4] > 12) return ff_fail(fault, FF_FIELD, o + 4, p[4]);
    if (p[5] != 0) return ff_fail(fault, FF_FIELD, o + 5, p[5]);
    if (p[6] != 8) return ff_fail(fault, FF_FIELD, o + 6, p[6]);
    if (p[7] > 1 || (p[7] && model->objective)) return ff_fail(fault, FF_FIELD, o + 7, p[7]);
    if (layer->weights_at != *at) return ff_fail(fault, FF_FIELD, o + 8, layer->weights_at);
    uint32_t bytes = align4(n * layer->m); /* <= 65535 * 4096 < 2^28 */
    if (ff_get32(p + 12) != bytes) return ff_fail(fault, FF_FIELD, o + 12, ff_get32(p + 12));
    if (bytes > model->image_bytes - *at) return ff_fail(fault, FF_FIELD, o + 12, bytes);
    if (p[16] > 24) return ff_fail(fault, FF_FIELD, o + 16, p[16]);
    if (p[17] != 0) return ff_fail(fault, FF_FIELD, o + 17, p[17]);
    /* m * ymax^2 <= 2^32 - 1, without a 64-bit product */
    uint32_t square = (uint32_t)layer->ymax * layer->ymax;
    if (layer->ymax == 0 || square > UINT32_MAX / layer->m)
        return ff_fail(fault, FF_FIELD, o + 18, layer->ymax);
    *at += bytes;
    return FF_OK;
}

ff_status ff_model_open(ff_model *model, const uint8_t *image, uint32_t bytes, ff_fault *fault) {
    memset(model, 0, sizeof *model);
    if (bytes < FF_IMAGE_HEADER) return ff_fail(fault, FF_TRUNCATED, FF_IMAGE_HEADER, bytes);
    if (memcmp(image, "FFM1", 4) != 0) return ff_fail(fault, FF_MAGIC, 0x314D4646, ff_get32(image));
    if (ff_get16(image + 4) != 1) return ff_fail(fault, FF_VERSION, 1, ff_get16(image + 4));
    if (ff_get32(image + 8) != bytes) return ff_fail(fault, FF_TRUNCATED, ff_get32(image + 8), bytes);
    uint32_t crc = ff_crc32(0, image + 16, bytes - 16);
    if (ff_get32(image + 12) != crc) return ff_fail(fault, FF_CRC, ff_get32(image + 12), crc);

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

    if (ff_get16(image + 6) != FF_IMAGE_HEADER) return ff_fail(fault, FF_FIELD, 6, ff_get16(image + 6));
    if (bytes % 4 || bytes > 16777216) return ff_fail(fault, FF_FIELD, 8, bytes);
    if (model->raw == 0) return ff_fail(fault, FF_FIELD, 16, 0);
    if (model->classes == 0 || model->classes == 255) return ff_fail(fault, FF_FIELD, 18, model->classes);
    if (model->layers == 0 || model->layers > 8) return ff_fail(fault, FF_FIELD, 19, model->layers);
    if (model->layers > FF_MAX_LAYERS) return ff_fail(fault, FF_LIMIT, FF_MAX_LAYERS, model->layers);
    if (model->objective > 1) return ff_fail(fault, FF_FIELD, 20, model->objective);
    if (model->encoding > 1) return ff_fail(fault, FF_FIELD, 21, model->encoding);
    if (model->subtract_minimum > 1) return ff_fail(fault, FF_FIELD, 22, model->subtract_minimum);
    if (model->label_value && !model->objective) return ff_fail(fault, FF_FIELD, 23, model->label_value);

    uint32_t at = FF_IMAGE_HEADER + (uint32_t)model->layers * FF_LAYER_RECORD;
    if (at > bytes) return ff_fail(fault, FF_FIELD, 19, model->layers);
    uint32_t meta_at = ff_get32(image + 24), meta_bytes = ff_get32(image + 28);
    if (meta_at != at) return ff_fail(fault, FF_FIELD, 24, meta_at);
    if (meta_bytes > 65535 || align4(meta_bytes) > bytes - at)
        return ff_fail(fault, FF_FIELD, 28, meta_bytes);
    at += align4(meta_bytes);
    if (ff_get32(image + 40)) return ff_fail(fault, FF_FIELD, 40, ff_get32(image + 40));
    if (ff_get32(image + 44)) return ff_fail(fault, FF_FIELD, 44, ff_get32(image + 44));

    /* the encoded width may be up to 2 * 65535 + 254: it is compared, as 32 bits, with what a u16 can say */
    uint32_t n = (uint32_t)model->raw << model->encoding;
    if (model->objective) n += model->classes;
    uint32_t state_bytes =
        FF_STATE_HEAD + (uint32_t)model->layers * FF_STATE_LAYER + (uint32_t)model->classes * 8;
    for (uint8_t l = 0; l < model->layers; l++) {
        ff_status status = open_layer(model, l, n, &at, fault);
        if (status != FF_OK) return status;
        if (model->layer[l].learns) state_bytes += 2 * n;
        n = model->layer[l].m;
    }
    state_bytes = align4(state_bytes);
    if (model->state_at != at) return ff_fail(fault, FF_FIELD, 32, model->state_at);
    if (model->state_bytes != state_bytes || state_bytes != bytes - at)
        return ff_fail(fault, FF_FIELD, 36, model->state_bytes);
    model->state = image + at;
    for (uint8_t l = 0; l < model->layers; l++)
        model->layer[l].state = model->state + FF_STATE_HEAD + (uint32_t)l * FF_STATE_LAYER;
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
    for (uint8_t l = 0; l < model->layers; l++) {
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
            memcpy(model->state_ram, model->image + model->state_at, model->state_bytes);
        }
    }
    uint32_t means = FF_STATE_HEAD + (uint32_t)model->layers * FF_STATE_LAYER + (uint32_t)model->classes * 8;
    for (uint8_t l = 0; learning && l < model->layers; l++) {
        ff_layer *layer = &model->layer[l];
        if (layer->learns) {
            uint32_t bytes = (uint32_t)layer->n * layer->m;
            uint32_t weights = take(&cursor, bytes);
            if (arena) {
                layer->learned = (int8_t *)(arena + weights);
                memcpy(layer->learned, layer->weights, bytes);
                layer->weights = layer->learned;
                layer->mean = (uint16_t *)(void *)(model->state_ram + means);
            }
            means += 2 * (uint32_t)layer->n;
        }
        if (arena) layer->state = model->state_ram + FF_STATE_HEAD + (uint32_t)l * FF_STATE_LAYER;
    }
    ram->weights = cursor - ram->weights;
}

static int any_layer_learns(const ff_model *model) {
    for (uint8_t l = 0; l < model->layers; l++)
        if (model->layer[l].learns) return 1;
    return 0;
}

uint32_t ff_model_ram(const ff_model *model, int learning, ff_ram *split) {
    ff_model copy = *model; /* nothing is written without an arena; the copy keeps the caller's model const */
    lay_out(&copy, learning && any_layer_learns(model), 0, split);
    return split->inference + split->learning + split->weights;
}

ff_status ff_model_bind(ff_model *model, int learning, void *arena, uint32_t bytes, ff_fault *fault) {
    ff_ram ram;
    uint32_t need = ff_model_ram(model, learning, &ram);
    if (need > bytes) return ff_fail(fault, FF_ARENA, need, bytes);
    model->learning = (uint8_t)(learning && any_layer_learns(model));
    lay_out(model, model->learning, arena, &ram);
    return FF_OK;
}

/* Copies the part of [at, at + bytes) that lies in [offset, offset + count). */
static void overlay(uint8_t *to, uint32_t offset, uint32_t count, uint32_t at, const void *from,
                    uint32_t bytes) {
    uint32_t low = offset > at ? offset : at;
    uint32_t high = offset + count < at + bytes ? offset + count : at + bytes;
    if (low < high) memcpy(to + (low - offset), (const uint8_t *)from + (low - at), high - low);
}

void ff_model_read(const ff_model *model, uint32_t offset, uint8_t *to, uint32_t count) {
    memcpy(to, model->image + offset, count);
    if (!model->learning) return;
    overlay(to, offset, count, model->state_at, model->state_ram, model->state_bytes);
    for (uint8_t l = 0; l < model->layers; l++) {
        const ff_layer *layer = &model->layer[l];
        if (layer->learned)
            overlay(to, offset, count, layer->weights_at, layer->learned, (uint32_t)layer->n * layer->m);
    }
}

void ff_model_moved(ff_model *model, const uint8_t *image) {
    model->image = image;
    if (!model->learning) model->state = image + model->state_at;
    for (uint8_t l = 0; l < model->layers; l++) {
        ff_layer *layer = &model->layer[l];
        if (!layer->learned) layer->weights = (const int8_t *)(image + layer->weights_at);
        layer->state = model->state + FF_STATE_HEAD + (uint32_t)l * FF_STATE_LAYER;
    }
}
