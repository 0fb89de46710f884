#include "ff_patch.h"
#include "ff_math.h"
#include "ff_object.h"
#include "kernels/ff_layout.h"

#define HEADER 32u
#define RECORD 12u

/* One record: what it does, and to what. */
typedef struct {
    ff_rom from;
    ff_size at, count; /* bytes of the image, or weights of the layer */
    ff_size padded;    /* bytes that it takes in the patch, its head included */
    uint8_t layer;     /* layers in all: the state is replaced; else weights of this one are added to */
} record;

/* Whether this operation may touch what the record names. */
FF_INLINE uint8_t allowed(const ff_model *model, const record *r) {
    const ff_layer *layer = &model->layer[r->layer];
    ff_size start = model->state_at, end = model->state_fields;
    if (r->layer < model->layers) {
        if (!layer->learned) return 0;
        start = 0;
        end = (ff_size)((ff_size)layer->n * layer->m);
    }
    const ff_size at = (ff_size)(r->at - start); /* what lies in front of it wraps around */
    return at <= end && r->count <= (ff_size)(end - at);
}

/* Reads the record at `cursor`; *r is the one before. */
FF_INLINE ff_status read_record(const ff_model *model, ff_rom patch, ff_size bytes, ff_size cursor, record *r,
                                ff_fault *fault) {
    uint32_t buffer[RECORD / 4];
    const ff_size end = (ff_size)(r->at + r->count);
    const uint8_t before = r->layer;
    ff_size room = (ff_size)(bytes - cursor);
    if (room < RECORD) return ff_fail(fault, FF_FIELD, cursor, bytes);
    r->from = patch + cursor + RECORD;
    const uint8_t *p = ff_rom_view(patch + cursor, buffer, RECORD);
    r->at = ff_get_size(p);
    r->count = ff_get_size(p + 4);
    const uint32_t what = ff_at32(p + 8); /* operation, and its layer in the second byte */
    r->layer = (uint8_t)(what ? what >> 8 : model->layers);
    room = (ff_size)(room - RECORD);
    if (r->count > room) return ff_fail(fault, FF_FIELD, (ff_size)(cursor + 4), r->count);
    r->padded = (ff_size)((RECORD + r->count + 3) & ~3u); /* room is a multiple of 4, too */
    if (what && ((what & 0xFFFF00FF) != 1 || r->layer >= model->layers))
        return ff_fail(fault, FF_FIELD, (ff_size)(cursor + 8), p[8]);
    if (r->layer < before || (r->layer == before && r->at < end) || !allowed(model, r))
        return ff_fail(fault, FF_FIELD, cursor, r->at);
    return FF_OK;
}

/* What the record does to `head`, the copy of the state's fixed part. */
FF_INLINE void foresee(const ff_model *model, const record *r, uint8_t *head) {
    const ff_size from = (ff_size)(r->at - model->state_at), fixed = ff_state_fixed(model->layers);
    if (r->layer < model->layers || from >= fixed) return;
    const ff_size room = (ff_size)(fixed - from);
    ff_rom_read(head + from, r->from, r->count < room ? r->count : room);
}

FF_INLINE void apply(const ff_model *model, const record *r) {
    if (r->layer == model->layers) {
        ff_rom_read(model->state_ram + (r->at - model->state_at), r->from, r->count);
        return;
    }
    const ff_layer *layer = &model->layer[r->layer];
    ff_size i = (ff_size)ff_divide(r->at, layer->m);
    unsigned j = (unsigned)(r->at - i * layer->m);
    int8_t *column = ff_layout_column(layer, i);
    for (ff_size k = 0; k < r->count; k++, j++) {
        if (j == layer->m) {
            j = 0;
            column = ff_layout_next(layer, column, i++);
        }
        ff_layout_add(layer, column, j, (int8_t)ff_rom8(r->from + k));
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
            apply(model, &r);
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
