#include "ff_patch.h"
#include "ff_object.h"

#define HEADER 32u
#define RECORD 12u

/* p[at - start], if all of [at, at + count) lies within the `bytes` bytes from `start` on, which p holds; else
 * NULL. What lies in front of `start` wraps around to a number larger than any `bytes`. */
static uint8_t *within(void *p, ff_size start, ff_size bytes, ff_size at, ff_size count) {
    at = (ff_size)(at - start);
    return at <= bytes && count <= (ff_size)(bytes - at) ? (uint8_t *)p + at : 0;
}

/* Where `count` bytes from offset `at` of the image lie, which this operation may touch; else NULL. */
static uint8_t *target(const ff_model *model, uint8_t operation, ff_size at, ff_size count) {
    if (operation == 0) return within(model->state_ram, model->state_at, model->state_fields, at, count);
    for (uint8_t l = 0; l < model->layers; l++) {
        const ff_layer *layer = &model->layer[l];
        uint8_t *p =
            within(layer->learned, layer->weights_at, (ff_size)((ff_size)layer->n * layer->m), at, count);
        if (layer->learned && p) return p;
    }
    return 0;
}

/* Goes through all records. With `head`, a copy of the state's fixed part, it checks them, and does to `head`
 * what they would do to the state; without, it carries them out. */
static ff_status go_through(const ff_model *model, ff_rom patch, ff_size bytes, ff_size records, uint8_t *head,
                            ff_fault *fault) {
    const ff_size fixed = ff_state_fixed(model->layers);
    ff_size cursor = HEADER, end = 0;
    while (records--) {
        uint32_t buffer[RECORD / 4];
        ff_size room = (ff_size)(bytes - cursor);
        if (room < RECORD) return ff_fail(fault, FF_FIELD, cursor, bytes);
        const uint8_t *p = ff_rom_view(patch + cursor, buffer, RECORD);
        const ff_size at = ff_get_size(p), count = ff_get_size(p + 4);
        const uint8_t operation = p[8];
        const ff_size padded = (ff_size)((count + 3) & ~(ff_size)3);
        room = (ff_size)(room - RECORD);
        if (at < end) return ff_fail(fault, FF_FIELD, cursor, at);
        if (count > room || padded > room) return ff_fail(fault, FF_FIELD, cursor + 4, count);
        if (ff_at32(p + 8) > 1) return ff_fail(fault, FF_FIELD, cursor + 8, operation);
        uint8_t *to = target(model, operation, at, count);
        if (!to) return ff_fail(fault, FF_FIELD, cursor, at);
        cursor = (ff_size)(cursor + RECORD);
        if (operation == 0) {
            const ff_size from = (ff_size)(at - model->state_at);
            if (!head)
                ff_rom_read(to, patch + cursor, count);
            else if (from < fixed)
                ff_rom_read(head + from, patch + cursor, count < fixed - from ? count : (ff_size)(fixed - from));
        } else if (!head) {
            for (ff_size i = 0; i < count; i++) {
                const int16_t v = (int16_t)((int8_t)to[i] + (int8_t)ff_rom8(patch + cursor + i));
                to[i] = (uint8_t)(v > 127 ? 127 : v < -127 ? -127 : v);
            }
        }
        end = (ff_size)(at + count);
        cursor = (ff_size)(cursor + padded);
    }
    return cursor == bytes ? FF_OK : ff_fail(fault, FF_FIELD, 28, records);
}

ff_status ff_patch_apply(ff_model *model, ff_rom patch, ff_size bytes, uint32_t ticket, ff_fault *fault) {
    uint32_t words[FF_STATE_MOST / 4], buffer[4];
    uint8_t *head = (uint8_t *)words;
    ff_status status = ff_object_check(patch, bytes, 0x31504646, HEADER, fault);
    if (status != FF_OK) return status;
    if (!model->learning) return ff_fail(fault, FF_NO_LEARN, 0, 0);
    const uint8_t *p = ff_rom_view(patch + 16, buffer, sizeof buffer); /* base, next base, ticket, records */
    const uint32_t base = ff_at32(model->state + FF_AT_BASE);
    if (ff_at32(p) != base) return ff_fail32(fault, FF_BASE, base, ff_at32(p));
    if (ticket == 0 || ff_at32(p + 8) != ticket) return ff_fail32(fault, FF_TICKET, ticket, ff_at32(p + 8));

    const ff_size records = ff_get_size(p + 12);
    ff_copy(head, model->state, ff_state_fixed(model->layers));
    status = go_through(model, patch, bytes, records, head, fault);
    if (status == FF_OK) status = ff_state_check(head, model->layers, model->state_at, fault);
    if (status != FF_OK) return status;
    go_through(model, patch, bytes, records, 0, fault);
    ff_copy(model->state_ram + FF_AT_BASE, p + 4, 4);
    return FF_OK;
}
