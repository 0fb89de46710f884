#include "ff_patch.h"
#include "ff_bytes.h"
#include "ff_object.h"

#define HEADER 32
#define RECORD 12
#define HEAD_MOST (FF_STATE_HEAD + FF_MAX_LAYERS * FF_STATE_LAYER)

/* The learning layer whose weights hold all of [at, at + count), or NULL. */
static ff_layer *layer_at(ff_model *model, uint32_t at, uint32_t count) {
    for (uint32_t l = 0; l < model->layers; l++) {
        ff_layer *layer = &model->layer[l];
        uint32_t size = (uint32_t)layer->n * layer->m;
        if (layer->learned && at >= layer->weights_at && at - layer->weights_at <= size &&
            count <= size - (at - layer->weights_at))
            return layer;
    }
    return 0;
}

static int in_state(const ff_model *model, uint32_t at, uint32_t count) {
    return at >= model->state_at && at - model->state_at <= model->state_fields &&
           count <= model->state_fields - (at - model->state_at);
}

/* Checks one record at *cursor, and copies what it does to the state's fixed part into `head`. */
static ff_status check_record(ff_model *model, const uint8_t *patch, uint32_t bytes, uint32_t *cursor,
                              uint32_t *end, uint8_t *head, ff_fault *fault) {
    if (bytes - *cursor < RECORD) return ff_fail(fault, FF_FIELD, *cursor, bytes);
    const uint8_t *p = patch + *cursor;
    uint32_t at = ff_get32(p), count = ff_get32(p + 4);
    uint32_t room = bytes - *cursor - RECORD;
    if (at < *end) return ff_fail(fault, FF_FIELD, *cursor, at);
    if (count > room || ((count + 3) & ~(uint32_t)3) > room)
        return ff_fail(fault, FF_FIELD, *cursor + 4, count);
    if (p[8] > 1 || p[9] || p[10] || p[11]) return ff_fail(fault, FF_FIELD, *cursor + 8, p[8]);
    if (p[8] == 0 ? !in_state(model, at, count) : !layer_at(model, at, count))
        return ff_fail(fault, FF_FIELD, *cursor, at);
    if (p[8] == 0) {
        uint32_t head_bytes = ff_state_fixed(model->layers), from = at - model->state_at;
        for (uint32_t i = 0; i < count && from + i < head_bytes; i++)
            head[from + i] = p[RECORD + i];
    }
    *end = at + count;
    *cursor += RECORD + ((count + 3) & ~(uint32_t)3);
    return FF_OK;
}

static void apply_record(ff_model *model, const uint8_t *p) {
    uint32_t at = ff_get32(p), count = ff_get32(p + 4);
    if (p[8] == 0) {
        ff_copy(model->state_ram + (at - model->state_at), p + RECORD, count);
        return;
    }
    ff_layer *layer = layer_at(model, at, count);
    int8_t *w = layer->learned + (at - layer->weights_at);
    for (uint32_t i = 0; i < count; i++) {
        int16_t v = (int16_t)(w[i] + (int8_t)p[RECORD + i]);
        w[i] = (int8_t)(v > 127 ? 127 : v < -127 ? -127 : v);
    }
}

ff_status ff_patch_apply(ff_model *model, const uint8_t *patch, uint32_t bytes, uint32_t ticket,
                         ff_fault *fault) {
    uint8_t head[HEAD_MOST];
    ff_status status = ff_object_check(patch, bytes, 0x31504646, HEADER, fault);
    if (status != FF_OK) return status;
    if (!model->learning) return ff_fail(fault, FF_NO_LEARN, 0, 0);
    uint32_t base = ff_get32(model->state + FF_AT_BASE);
    if (ff_get32(patch + 16) != base) return ff_fail(fault, FF_BASE, base, ff_get32(patch + 16));
    if (ticket == 0 || ff_get32(patch + 24) != ticket)
        return ff_fail(fault, FF_TICKET, ticket, ff_get32(patch + 24));

    ff_copy(head, model->state, ff_state_fixed(model->layers));
    uint32_t cursor = HEADER, end = 0, records = ff_get32(patch + 28);
    for (uint32_t k = 0; k < records; k++) {
        status = check_record(model, patch, bytes, &cursor, &end, head, fault);
        if (status != FF_OK) return status;
    }
    if (cursor != bytes) return ff_fail(fault, FF_FIELD, 28, records);
    status = ff_state_check(head, model->layers, model->state_at, fault);
    if (status != FF_OK) return status;

    cursor = HEADER;
    for (uint32_t k = 0; k < records; k++) {
        apply_record(model, patch + cursor);
        cursor += RECORD + ((ff_get32(patch + cursor + 4) + 3) & ~(uint32_t)3);
    }
    ff_put32(model->state_ram + FF_AT_BASE, ff_get32(patch + 20));
    return FF_OK;
}
