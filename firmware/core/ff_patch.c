#include "ff_patch.h"
#include "ff_object.h"

#define HEADER 32u
#define RECORD 12u

/* p[at - start], if all of [at, at + count) lies within the `bytes` bytes from `start` on, which p holds;
 * else NULL. What lies in front of `start` wraps around to a number larger than any `bytes`. */
FF_INLINE uint8_t *within(void *p, ff_size start, ff_size bytes, ff_size at, ff_size count) {
    at = (ff_size)(at - start);
    return at <= bytes && count <= (ff_size)(bytes - at) ? (uint8_t *)p + at : 0;
}

/* Where `count` bytes from offset `at` of the image lie, which this operation may touch; else NULL. */
FF_INLINE uint8_t *target(const ff_model *model, uint8_t operation, ff_size at, ff_size count) {
    if (operation == 0) return within(model->state_ram, model->state_at, model->state_fields, at, count);
    for (uint8_t l = 0; l < model->layers; l++) {
        const ff_layer *layer = &model->layer[l];
        if (!layer->learned) continue;
        uint8_t *p =
            within(layer->learned, layer->weights_at, (ff_size)((ff_size)layer->n * layer->m), at, count);
        if (p) return p;
    }
    return 0;
}

/* One record, and where in RAM it goes. */
typedef struct {
    ff_rom from;
    ff_size at, count;
    ff_size padded; /* bytes that it takes in the patch, its head included */
    uint8_t operation;
    uint8_t *to;
} record;

/* Reads the record at `cursor`. end: where the one before ended in the image. */
static ff_status read_record(const ff_model *model, ff_rom patch, ff_size bytes, ff_size cursor, record *r,
                             ff_fault *fault) {
    uint32_t buffer[RECORD / 4];
    const ff_size end = (ff_size)(r->at + r->count);
    ff_size room = (ff_size)(bytes - cursor);
    if (room < RECORD) return ff_fail(fault, FF_FIELD, cursor, bytes);
    r->from = patch + cursor + RECORD;
    const uint8_t *p = ff_rom_view(patch + cursor, buffer, RECORD);
    r->at = ff_get_size(p);
    r->count = ff_get_size(p + 4);
    r->operation = p[8];
    room = (ff_size)(room - RECORD);
    if (r->count > room) return ff_fail(fault, FF_FIELD, (ff_size)(cursor + 4), r->count);
    r->padded = (ff_size)((RECORD + r->count + 3) & ~3u); /* room is a multiple of 4, too */
    if (ff_at32(p + 8) > 1) return ff_fail(fault, FF_FIELD, (ff_size)(cursor + 8), r->operation);
    r->to = target(model, r->operation, r->at, r->count);
    return r->to && r->at >= end ? FF_OK : ff_fail(fault, FF_FIELD, cursor, r->at);
}

/* What the record does to `head`, the copy of the state's fixed part. */
static void foresee(const ff_model *model, const record *r, uint8_t *head) {
    const ff_size from = (ff_size)(r->at - model->state_at), fixed = ff_state_fixed(model->layers);
    if (r->operation || from >= fixed) return;
    const ff_size room = (ff_size)(fixed - from);
    ff_rom_read(head + from, r->from, r->count < room ? r->count : room);
}

FF_INLINE void apply(const record *r) {
    int8_t *w = (int8_t *)r->to;
    if (r->operation == 0) {
        ff_rom_read(r->to, r->from, r->count);
        return;
    }
    for (ff_size i = 0; i < r->count; i++, w++) {
        const int16_t v = (int16_t)(*w + (int8_t)ff_rom8(r->from + i));
        *w = (int8_t)(v > 127 ? 127 : v < -127 ? -127 : v);
    }
}

/* Goes through all records: with a `head` foresees, without one applies. */
static ff_status go_through(const ff_model *model, ff_rom patch, ff_size bytes, uint8_t *head,
                            ff_fault *fault) {
    ff_size cursor = HEADER;
    record r;
    ff_clear(&r, sizeof r);
    for (ff_size records = ff_rom_size(patch + 28); records--; cursor = (ff_size)(cursor + r.padded)) {
        ff_status status = read_record(model, patch, bytes, cursor, &r, fault);
        if (status != FF_OK) return status;
        if (head)
            foresee(model, &r, head);
        else
            apply(&r);
    }
    return cursor == bytes ? FF_OK : ff_fail(fault, FF_FIELD, 28, cursor);
}

FF_INLINE ff_status check_records(const ff_model *model, ff_rom patch, ff_size bytes, ff_fault *fault) {
    uint32_t words[FF_STATE_MOST / 4];
    uint8_t *head = (uint8_t *)words;
    ff_copy(head, model->state, ff_state_fixed(model->layers));
    ff_status status = go_through(model, patch, bytes, head, fault);
    return status == FF_OK ? ff_state_check(head, model->layers, model->state_at, fault) : status;
}

ff_status ff_patch_apply(ff_model *model, ff_rom patch, ff_size bytes, uint32_t ticket, ff_fault *fault) {
    ff_status status = ff_object_check(patch, bytes, 0x31504646, HEADER, fault);
    if (status != FF_OK) return status;
    if (!model->learning) return ff_fail(fault, FF_NO_LEARN, 0, 0);
    uint32_t is = ff_at32(model->state + FF_AT_BASE), wanted = ff_rom32(patch + 16);
    if (is != wanted) return ff_fail32(fault, FF_BASE, is, wanted);
    wanted = ff_rom32(patch + 24);
    if (ticket == 0 || ticket != wanted) return ff_fail32(fault, FF_TICKET, ticket, wanted);
    status = check_records(model, patch, bytes, fault);
    if (status != FF_OK) return status;
    go_through(model, patch, bytes, 0, fault);
    ff_rom_read(model->state_ram + FF_AT_BASE, patch + 20, 4);
    return FF_OK;
}
