#include "ff_device.h"
#include "ff_bytes.h"
#include "ff_crc32.h"
#if FF_LEARN
#include "ff_learn.h"
#include "ff_patch.h"
#endif

#define STEP_BYTES 256u

static ff_status fail(ff_device *device, ff_status code, uint32_t expected, uint32_t got) {
    return ff_fail(&device->fault, code, expected, got);
}

static void unload(ff_device *device, ff_status why) {
    device->loaded = 0;
    device->load_status = (uint8_t)why;
    device->ticket = 0;
    device->next_index = 0;
    device->arena_used = 0;
    device->statistics.block = 0;
    device->statistics.bytes = 0;
}

ff_status ff_device_load(ff_device *device, const uint8_t *image, uint32_t bytes) {
    unload(device, FF_OK);
    ff_status status = ff_model_open(&device->model, image, bytes, &device->fault);
    if (status == FF_OK)
        status = ff_model_bind(&device->model, FF_LEARN, device->arena, device->arena_bytes, &device->fault);
    if (status == FF_OK) {
        ff_ram ram;
        device->arena_used = ff_model_ram(&device->model, FF_LEARN, &ram);
        device->loaded = 1;
    }
    device->load_status = (uint8_t)status;
    return status;
}

ff_status ff_device_start(ff_device *device) {
    const uint8_t *object[2];
    uint32_t bytes[2], sequence[2] = {0, 0};
    device->store.flash = &device->flash;
    device->store.sequence = 0;
    device->job = FF_JOB_NONE;
    ff_device_abort(device);
    device->client = 0;
    unload(device, FF_NO_MODEL);
    for (uint8_t s = 0; s < 2; s++)
        object[s] = ff_store_object(&device->flash, s, &bytes[s], &sequence[s]);
    const uint8_t newest = object[1] && (!object[0] || (int32_t)(sequence[1] - sequence[0]) > 0);
    for (uint8_t k = 0; k < 2 && !device->loaded; k++) {
        const uint8_t s = newest ^ k;
        if (!object[s]) continue;
        /* A newest slot that can't be loaded counts all the same: what is written next must be newer than it.
         */
        if (ff_device_load(device, object[s], bytes[s]) == FF_OK || k == 0) {
            device->store.active = s;
            device->store.sequence = sequence[s];
        }
    }
    return (ff_status)device->load_status;
}

/* A saved image is read twice, for its CRC and to be written: it mustn't change in between. */
static void finish_save(ff_device *device) {
    while (device->job == FF_JOB_SAVE)
        ff_device_step(device);
}

static ff_status check_sample(ff_device *device, uint8_t label, int may_lack) {
    if (!device->loaded) return fail(device, FF_NO_MODEL, 0, 0);
    if (label >= device->model.classes && !(may_lack && label == FF_NO_LABEL))
        return fail(device, FF_LABEL, device->model.classes, label);
    return FF_OK;
}

ff_status ff_device_infer(ff_device *device, const uint8_t *x, uint8_t label) {
    ff_status status = check_sample(device, label, 1);
    if (status == FF_OK) ff_infer(&device->model, x, label, &device->last);
    return status;
}

ff_status ff_device_learn(ff_device *device, const uint8_t *x, uint8_t label) {
    ff_status status = check_sample(device, label, 0);
    if (status != FF_OK) return status;
#if FF_LEARN
    finish_save(device);
    status = ff_learn(&device->model, x, label, &device->last);
    if (status == FF_OK)
        ff_statistics_add(&device->statistics, x, label);
    else
        fail(device, status, 0, 0);
    return status;
#else
    (void)x;
    return fail(device, FF_NO_LEARN, 0, 0);
#endif
}

ff_status ff_device_statistics(ff_device *device, uint8_t level) {
    if (!device->loaded) return fail(device, FF_NO_MODEL, 0, 0);
    if (level > 2) return fail(device, FF_ARGUMENT, 2, level);
    device->statistics.block = 0;
    device->statistics.bytes = 0;
    if (level == 0) return FF_OK;
    uint32_t need = device->arena_used + ff_statistics_bytes(&device->model, level);
    if (need > device->arena_bytes) return fail(device, FF_ARENA, need, device->arena_bytes);
    ff_statistics_start(&device->statistics, &device->model, level, device->arena + device->arena_used);
    return FF_OK;
}

ff_status ff_device_seed(ff_device *device, uint32_t seed) {
    if (!device->loaded) return fail(device, FF_NO_MODEL, 0, 0);
    if (!device->model.learning) return fail(device, FF_NO_LEARN, 0, 0);
    if (seed == 0) return fail(device, FF_ARGUMENT, 1, 0);
    finish_save(device);
    ff_put32(device->model.state_ram + FF_AT_RANDOM, seed);
    return FF_OK;
}

ff_status ff_device_read(ff_device *device, uint8_t region, uint32_t offset, uint8_t *to, uint32_t *count) {
    if (!device->loaded) return fail(device, FF_NO_MODEL, 0, 0);
    if (region > 1) return fail(device, FF_RANGE, 1, region);
    uint32_t end = region == 0 ? device->model.image_bytes : device->statistics.bytes;
    if (offset > end) return fail(device, FF_RANGE, end, offset);
    if (*count > end - offset) *count = end - offset;
    if (region == 0)
        ff_model_read(&device->model, offset, to, *count);
    else if (*count)
        ff_copy(to, device->statistics.block + offset, *count);
    return FF_OK;
}

ff_status ff_device_patch(ff_device *device, const uint8_t *patch, uint32_t bytes, uint32_t ticket) {
    if (!device->loaded) return fail(device, FF_NO_MODEL, 0, 0);
#if FF_LEARN
    finish_save(device);
    return ff_patch_apply(&device->model, patch, bytes, ticket, &device->fault);
#else
    (void)patch;
    (void)bytes;
    (void)ticket;
    return fail(device, FF_NO_LEARN, 0, 0);
#endif
}

/* ---- transfer ---- */

static uint32_t object_room(const ff_device *device) {
    uint32_t slot = device->flash.slot_bytes;
    return slot > FF_SLOT_HEADER ? slot - FF_SLOT_HEADER : 0;
}

ff_status ff_device_begin(ff_device *device, uint32_t kind, uint32_t bytes, uint32_t crc) {
    if (kind != FF_KIND_IMAGE && kind != FF_KIND_PATCH) return fail(device, FF_ARGUMENT, FF_KIND_PATCH, kind);
    if (bytes > object_room(device)) return fail(device, FF_SLOT, object_room(device), bytes);
    if (bytes < 4 || bytes % 4) return fail(device, FF_ARGUMENT, 4, bytes);
    device->committed = 0;
    if (device->transferring && device->kind == kind && device->bytes == bytes && device->crc == crc)
        return FF_OK;
    device->transferring = 0;
    device->kind = kind;
    device->bytes = bytes;
    device->crc = crc;
    device->received = 0;
    device->store.erased = 0;
    device->job = FF_JOB_BEGIN;
    return FF_OK;
}

static ff_status step_begin(ff_device *device) {
    int more = 0;
    ff_status status = ff_store_erase(&device->store, &more, &device->fault);
    if (status != FF_OK || more) return status;
    device->transferring = 1;
    device->job = FF_JOB_NONE;
    return FF_OK;
}

ff_status ff_device_write(ff_device *device, uint32_t offset, const uint8_t *from, uint32_t count) {
    if (!device->transferring) return fail(device, FF_NO_TRANSFER, 0, 0);
    if (offset != device->received) return FF_OK; /* lost or doubled frames: the answer says where to go on */
    if (count == 0 || count % 4) return fail(device, FF_LENGTH, 4, count);
    if (count > device->bytes - offset) return fail(device, FF_RANGE, device->bytes, offset + count);
    ff_status status = ff_store_write(&device->store, offset, from, count, &device->fault);
    if (status == FF_OK)
        device->received += count;
    else
        device->transferring = 0;
    return status;
}

ff_status ff_device_commit(ff_device *device) {
    if (device->committed) return FF_OK;
    if (!device->transferring || device->received != device->bytes)
        return fail(device, FF_NO_TRANSFER, device->transferring ? device->bytes : 0, device->received);
    device->job = FF_JOB_COMMIT;
    device->cursor = 0;
    device->object_crc = 0;
    return FF_OK;
}

/* The object's CRC in pieces, then the object itself. */
static ff_status step_commit(ff_device *device) {
    const uint8_t *object = ff_store_staged(&device->store);
    if (device->cursor < device->bytes) {
        uint32_t count = device->bytes - device->cursor;
        if (count > STEP_BYTES) count = STEP_BYTES;
        device->object_crc = ff_crc32(device->object_crc, object + device->cursor, count);
        device->cursor += count;
        return FF_OK;
    }
    device->job = FF_JOB_NONE;
    device->transferring = 0; /* whatever comes of it: a new try begins with BEGIN */
    if (device->object_crc != device->crc) return fail(device, FF_CRC, device->crc, device->object_crc);
    ff_status status;
    if (device->kind == FF_KIND_PATCH) {
        status = ff_device_patch(device, object, device->bytes, device->ticket);
        if (status == FF_OK) device->ticket = 0;
    } else {
        /* all that could make the new image fail is checked before the old one gives way */
        ff_model model;
        ff_ram ram;
        status = ff_model_open(&model, object, device->bytes, &device->fault);
        if (status != FF_OK) return status;
        uint32_t need = ff_model_ram(&model, FF_LEARN, &ram);
        if (need > device->arena_bytes) return fail(device, FF_ARENA, need, device->arena_bytes);
        status = ff_store_commit(&device->store, device->bytes, device->crc, &device->fault);
        if (status == FF_OK) status = ff_device_load(device, object, device->bytes);
    }
    if (status == FF_OK) device->committed = 1;
    return status;
}

void ff_device_abort(ff_device *device) {
    device->transferring = 0;
    device->committed = 0;
}

/* ---- save ---- */

enum { SAVE_ERASE, SAVE_SUM, SAVE_WRITE };

ff_status ff_device_save(ff_device *device) {
    if (!device->loaded) return fail(device, FF_NO_MODEL, 0, 0);
    if (device->model.image_bytes > object_room(device))
        return fail(device, FF_SLOT, object_room(device), device->model.image_bytes);
    ff_device_abort(device); /* the slot that a transfer was filling is the one to save to */
    device->job = FF_JOB_SAVE;
    device->job_phase = SAVE_ERASE;
    device->store.erased = 0;
    return FF_OK;
}

/* Erase, CRC over what the image will be, write; the CRC of the whole object grows with the writing. */
static ff_status step_save(ff_device *device) {
    uint32_t words[STEP_BYTES / 4];
    uint8_t *piece = (uint8_t *)words;
    const uint32_t total = device->model.image_bytes;
    ff_status status = FF_OK;
    if (device->job_phase == SAVE_ERASE) {
        int more = 0;
        status = ff_store_erase(&device->store, &more, &device->fault);
        if (status != FF_OK || more) return status;
        device->job_phase = SAVE_SUM;
        device->cursor = 16;
        device->image_crc = 0;
        return FF_OK;
    }
    uint32_t count = total - device->cursor;
    if (count > STEP_BYTES) count = STEP_BYTES;
    ff_model_read(&device->model, device->cursor, piece, count);
    if (device->job_phase == SAVE_SUM) {
        device->image_crc = ff_crc32(device->image_crc, piece, count);
        device->cursor += count;
        if (device->cursor < total) return FF_OK;
        device->job_phase = SAVE_WRITE;
        device->cursor = 0;
        device->object_crc = 0;
        return FF_OK;
    }
    if (device->cursor == 0) ff_put32(piece + 12, device->image_crc);
    device->object_crc = ff_crc32(device->object_crc, piece, count);
    status = ff_store_write(&device->store, device->cursor, piece, count, &device->fault);
    if (status != FF_OK) return status;
    device->cursor += count;
    if (device->cursor < total) return FF_OK;
    status = ff_store_commit(&device->store, total, device->object_crc, &device->fault);
    device->job = FF_JOB_NONE;
    if (status != FF_OK) return status;
    /* The older slot may be erased for the next transfer: nothing may be read from it any more. */
    ff_model_moved(&device->model, ff_store_current(&device->store));
    return FF_OK;
}

ff_status ff_device_step(ff_device *device) {
    ff_status status = FF_OK;
    if (device->job == FF_JOB_BEGIN)
        status = step_begin(device);
    else if (device->job == FF_JOB_COMMIT)
        status = step_commit(device);
    else if (device->job == FF_JOB_SAVE)
        status = step_save(device);
    if (status != FF_OK) {
        device->job = FF_JOB_NONE;
        device->transferring = 0;
    }
    device->job_status = (uint8_t)status;
    device->job_fault = device->fault;
    return status;
}
