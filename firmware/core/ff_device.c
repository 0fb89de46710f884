#include "ff_device.h"
#if FF_LEARN
#include "ff_learn.h"
#include "ff_patch.h"
#endif

static ff_status fail(ff_device *device, ff_status code, ff_size expected, ff_size got) {
    return ff_fail(&device->fault, code, expected, got);
}

/* FF_OK for what needs a model, or one that learns. */
static ff_status need(ff_device *device, uint8_t learning) {
    if (!device->loaded) return fail(device, FF_NO_MODEL, 0, 0);
    return learning && !device->model.learning ? fail(device, FF_NO_LEARN, 0, 0) : FF_OK;
}

static void unload(ff_device *device, ff_status why) {
    ff_clear(&device->model, sizeof device->model); /* so that a shape asked for is all zeros */
    device->loaded = 0;
    device->load_status = (uint8_t)why;
    device->ticket = 0;
    device->next_index = 0;
#if FF_STAGES
    device->kept = 0;
#endif
    device->arena_used = 0;
    device->statistics.block = 0;
    device->statistics.bytes = 0;
}

ff_status ff_device_load(ff_device *device, ff_rom image, ff_size bytes) {
    ff_ram ram;
    unload(device, FF_OK);
    ff_status status = ff_model_open(&device->model, image, bytes, &device->fault);
    if (status == FF_OK)
        status = ff_model_bind(&device->model, FF_LEARN, device->arena, device->arena_bytes, &device->fault);
    device->load_status = (uint8_t)status;
    device->loaded = status == FF_OK;
    if (device->loaded)
        device->arena_used = ff_model_ram(&device->model, FF_LEARN, &ram);
    else
        ff_clear(&device->model, sizeof device->model);
    return status;
}

#if FF_RECORDS

#define SLOT_KIND FF_KIND_RECORD
#define RECORD_HEAD 4 /* the base image's CRC */
#define IMAGE_CRC_AT 12

FF_INLINE ff_status load_base(ff_device *device) {
    uint32_t sequence;
    ff_size bytes;
    ff_rom image =
        device->base ? ff_slot_object(device->base, device->base_bytes, FF_KIND_IMAGE, &bytes, &sequence) : 0;
    return image ? ff_device_load(device, image, bytes) : FF_NO_MODEL;
}

/* Bytes of the state and the learned weights: one block of the arena. */
static ff_size learned_bytes(const ff_device *device) {
    return (ff_size)(device->arena + device->arena_used - device->model.state_ram);
}

/* Lays a record over state and weights of the base, if it is one of this base. */
static uint8_t take(ff_device *device, ff_rom record, ff_size bytes) {
    ff_model *model = &device->model;
    uint32_t head[FF_STATE_MOST / 4];
    if (!device->loaded || !model->learning || bytes != RECORD_HEAD + learned_bytes(device) ||
        ff_rom32(record) != ff_rom32(model->image + IMAGE_CRC_AT))
        return 0;
    record += RECORD_HEAD;
    const uint8_t *state = ff_rom_view(record, head, ff_state_fixed(model->layers));
    if (ff_state_check(state, model->layers, 0, &device->fault) != FF_OK) return 0;
    ff_rom_read(model->state_ram, record, (ff_size)(bytes - RECORD_HEAD));
    return 1;
}

#else

#define SLOT_KIND FF_KIND_IMAGE

static uint8_t take(ff_device *device, ff_rom image, ff_size bytes) {
    return ff_device_load(device, image, bytes) == FF_OK;
}

#endif

/* What a slot holds. */
typedef struct {
    ff_rom object; /* 0 = nothing whole */
    ff_size bytes;
    uint32_t sequence;
} found;

ff_status ff_device_start(ff_device *device) {
    found slots[2], *f = slots;
    ff_rom at = device->flash.map;
    ff_store *store = &device->store;
    store->flash = &device->flash;
    store->sequence = 0;
    device->job = FF_JOB_NONE;
    ff_device_abort(device);
    device->client = 0;
    unload(device, FF_NO_MODEL);
#if FF_RECORDS
    load_base(device);
#endif
    for (; f < slots + 2; f++, at += device->flash.slot_bytes)
        f->object = ff_slot_object(at, device->flash.slot_bytes, SLOT_KIND, &f->bytes, &f->sequence);
    uint8_t s = slots[1].object &&
                (!slots[0].object || (int32_t)(slots[1].sequence - slots[0].sequence) > 0); /* the newest */
    for (uint_fast8_t k = 0; k < 2; k++, s ^= 1) {
        f = &slots[s];
        if (!f->object) continue;
        const uint8_t taken = take(device, f->object, f->bytes);
        /* A newest slot that can't be taken counts all the same: what is written next must be newer than it.
         */
        if (taken || k == 0) {
            store->active = s;
            store->sequence = f->sequence;
        }
        if (taken) break;
    }
    return (ff_status)device->load_status;
}

/* A saved image is read twice, for its CRC and to be written: it mustn't change in between. */
static void finish_save(ff_device *device) {
    while (device->job == FF_JOB_SAVE)
        ff_device_step(device);
}

FF_INLINE ff_status check_sample(ff_device *device, uint8_t label, uint8_t may_lack) {
    const ff_status status = need(device, 0);
    if (status == FF_OK && label >= device->model.classes && !(may_lack && label == FF_NO_LABEL))
        return fail(device, FF_LABEL, device->model.classes, label);
    return status;
}

static uint32_t now(const ff_device *device) {
    return device->clock ? device->clock() : 0;
}

ff_status ff_device_infer(ff_device *device, const uint8_t *x, uint8_t label) {
    ff_status status = check_sample(device, label, 1);
    if (status != FF_OK) return status;
    const uint32_t start = now(device);
    ff_infer(&device->model, x, label, &device->last);
    device->microseconds = now(device) - start;
    return FF_OK;
}

ff_status ff_device_learn(ff_device *device, const uint8_t *x, uint8_t label) {
    ff_status status = check_sample(device, label, 0);
#if FF_LEARN
    if (status == FF_OK) status = need(device, 1);
    if (status != FF_OK) return status;
    finish_save(device);
    const uint32_t start = now(device);
    ff_learn(&device->model, x, label, &device->last);
#if FF_STATISTICS
    ff_statistics_add(&device->statistics, x, label);
#endif
    device->microseconds = now(device) - start;
    return FF_OK;
#else
    (void)x;
    return status == FF_OK ? fail(device, FF_NO_LEARN, 0, 0) : status;
#endif
}

ff_status ff_device_statistics(ff_device *device, uint8_t level) {
    const ff_status status = need(device, 0);
    if (status != FF_OK) return status;
    const uint8_t most = FF_STATISTICS && !(FF_STAGES && device->model.flags & FF_RESCALED) ? 2 : 0;
    if (level > most) return fail(device, FF_ARGUMENT, most, level);
    device->statistics.block = 0;
    device->statistics.bytes = 0;
    if (level == 0) return FF_OK;
#if FF_STATISTICS
    const uint32_t need = device->arena_used + ff_statistics_bytes(&device->model, level);
    if (need > device->arena_bytes) return ff_fail32(&device->fault, FF_ARENA, need, device->arena_bytes);
    ff_statistics_start(&device->statistics, &device->model, level, device->arena + device->arena_used);
#endif
    return FF_OK;
}

ff_status ff_device_seed(ff_device *device, uint32_t seed) {
    const ff_status status = need(device, 1);
    if (status != FF_OK) return status;
    if (seed == 0) return fail(device, FF_ARGUMENT, 1, 0);
    finish_save(device);
    ff_set32(device->model.state_ram + FF_AT_RANDOM, seed);
    return FF_OK;
}

ff_status ff_device_read(ff_device *device, uint8_t region, ff_size offset, uint8_t *to, ff_size *count) {
    const ff_status status = need(device, 0);
    if (status != FF_OK) return status;
    if (region > 1) return fail(device, FF_RANGE, 1, region);
    const ff_size end = region == 0 ? device->model.image_bytes : device->statistics.bytes;
    if (offset > end) return fail(device, FF_RANGE, end, offset);
    if (*count > end - offset) *count = (ff_size)(end - offset);
    if (region == 0)
        ff_model_read(&device->model, offset, to, *count);
    else if (*count)
        ff_copy(to, device->statistics.block + offset, *count);
    return FF_OK;
}

ff_status ff_device_patch(ff_device *device, ff_rom patch, ff_size bytes, uint32_t ticket) {
    const ff_status status = need(device, 0);
    if (status != FF_OK) return status;
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

ff_size ff_device_room(const ff_device *device, ff_size kind) {
    const ff_size slot = device->flash.slot_bytes;
    const ff_size room = slot > FF_SLOT_HEADER ? (ff_size)(slot - FF_SLOT_HEADER) : 0;
    return kind == FF_KIND_PATCH && device->stage_bytes > room ? device->stage_bytes : room;
}

/* Patches are staged in RAM if they fit there: no erase, no wear, and flash may be out of order. */
static uint8_t in_ram(const ff_device *device) {
    return device->kind == FF_KIND_PATCH && device->bytes <= device->stage_bytes;
}

ff_status ff_device_begin(ff_device *device, ff_size kind, ff_size bytes, uint32_t crc) {
    if (kind != FF_KIND_PATCH && (FF_RECORDS || kind != FF_KIND_IMAGE))
        return fail(device, FF_ARGUMENT, FF_KIND_PATCH, kind);
    const ff_size room = ff_device_room(device, kind);
    if (bytes > room) return fail(device, FF_SLOT, room, bytes);
    if (bytes < 4 || bytes % 4) return fail(device, FF_ARGUMENT, 4, bytes);
    device->committed = 0;
    if (device->transferring && device->kind == kind && device->bytes == bytes && device->crc == crc)
        return FF_OK;
    device->kind = (uint8_t)kind;
    device->bytes = bytes;
    device->crc = crc;
    device->received = 0;
    device->store.erased = 0;
    device->transferring = (uint8_t)in_ram(device);
    if (!device->transferring) device->job = FF_JOB_BEGIN;
    return FF_OK;
}

ff_status ff_device_write(ff_device *device, ff_size offset, const uint8_t *from, ff_size count) {
    if (!device->transferring) return fail(device, FF_NO_TRANSFER, 0, 0);
    if (offset != device->received) return FF_OK; /* lost or doubled frames: the answer says where to go on */
    const ff_size left = (ff_size)(device->bytes - offset);
    const uint8_t word = count == left ? 4 : ff_store_word(&device->store);
    if (count == 0 || count & (word - 1u)) return fail(device, FF_LENGTH, word, count);
    if (count > left) return fail(device, FF_RANGE, device->bytes, offset + count);
    ff_status status = FF_OK;
    if (in_ram(device))
        ff_copy(device->stage + offset, from, count);
    else
        status = ff_store_write(&device->store, offset, from, count, &device->fault);
    if (status == FF_OK)
        device->received = (ff_size)(device->received + count);
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

/* Bytes from the cursor on that one step works on. */
static ff_size step_count(const ff_device *device, ff_size total) {
    const ff_size left = (ff_size)(total - device->cursor);
    return left < FF_STEP_BYTES ? left : FF_STEP_BYTES;
}

/* The object's CRC in pieces, then the object itself. */
FF_INLINE ff_status step_commit(ff_device *device) {
#if FF_ROM_FAR
    const ff_rom stage = device->stage_rom;
#else
    const ff_rom stage = device->stage;
#endif
    const ff_rom object = in_ram(device) ? stage : ff_store_staged(&device->store);
    if (device->cursor < device->bytes) {
        const ff_size count = step_count(device, device->bytes);
        device->object_crc = ff_rom_crc32(device->object_crc, object + device->cursor, count);
        device->cursor = (ff_size)(device->cursor + count);
        return FF_OK;
    }
    device->job = FF_JOB_NONE;
    device->transferring = 0; /* whatever comes of it: a new try begins with BEGIN */
    if (device->object_crc != device->crc)
        return ff_fail32(&device->fault, FF_CRC, device->crc, device->object_crc);
    ff_status status;
#if !FF_RECORDS
    if (device->kind == FF_KIND_IMAGE) {
        /* all that could make the new image fail is checked before the old one gives way */
        ff_model model;
        ff_ram ram;
        status = ff_model_open(&model, object, device->bytes, &device->fault);
        if (status != FF_OK) return status;
        const ff_size need = ff_model_ram(&model, FF_LEARN, &ram);
        if (need > device->arena_bytes) return ff_fail32(&device->fault, FF_ARENA, need, device->arena_bytes);
        status = ff_store_commit(&device->store, device->bytes, device->crc, &device->fault);
        if (status == FF_OK) status = ff_device_load(device, object, device->bytes);
    } else
#endif
    {
        status = ff_device_patch(device, object, device->bytes, device->ticket);
        if (status == FF_OK) device->ticket = 0;
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

/* What a save writes: the image as it stands, or a record of what was learned. */
static ff_size saved_bytes(const ff_device *device) {
#if FF_RECORDS
    return (ff_size)(RECORD_HEAD + learned_bytes(device));
#else
    return device->model.image_bytes;
#endif
}

FF_INLINE void read_saved(const ff_device *device, ff_size offset, uint8_t *to, ff_size count) {
#if FF_RECORDS
    const uint32_t crc = ff_rom32(device->model.image + IMAGE_CRC_AT);
    ff_overlay(to, offset, count, 0, &crc, RECORD_HEAD);
    ff_overlay(to, offset, count, RECORD_HEAD, device->model.state_ram, learned_bytes(device));
#else
    ff_model_read(&device->model, offset, to, count);
#endif
}

ff_status ff_device_save(ff_device *device) {
    const ff_status status = need(device, FF_RECORDS);
    if (status != FF_OK) return status;
    const ff_size bytes = saved_bytes(device), room = ff_device_room(device, FF_KIND_IMAGE);
    if (bytes > room) return fail(device, FF_SLOT, room, bytes);
    ff_device_abort(device); /* the slot that a transfer was filling is the one to save to */
    device->job = FF_JOB_SAVE;
    device->job_phase = SAVE_ERASE;
    device->store.erased = 0;
    return FF_OK;
}

/* A page of the slot for a transfer or a save, and when all are erased what comes next. */
FF_INLINE ff_status step_erase(ff_device *device) {
    const uint8_t saves = device->job == FF_JOB_SAVE;
    uint8_t more = 0;
    ff_status status =
        ff_store_erase(&device->store, saves ? saved_bytes(device) : device->bytes, &more, &device->fault);
    if (status != FF_OK || more) return status;
    if (saves) {
        device->job_phase = FF_RECORDS ? SAVE_WRITE : SAVE_SUM;
        device->cursor = FF_RECORDS ? 0 : 16;
        device->image_crc = 0;
        device->object_crc = 0;
    } else {
        device->transferring = 1;
        device->job = FF_JOB_NONE;
    }
    return FF_OK;
}

/* CRC over what the image will be (records have none), write; the CRC of the whole object grows with the
 * writing. Its buffer must not lie on the stack below other steps. */
#if FF_SMALL
FF_INLINE
#else
__attribute__((noinline)) static
#endif
ff_status step_save(ff_device *device) {
    uint32_t words[FF_STEP_BYTES / 4];
    uint8_t *piece = (uint8_t *)words;
    const ff_size total = saved_bytes(device), count = step_count(device, total);
    read_saved(device, device->cursor, piece, count);
    if (!FF_RECORDS && device->job_phase == SAVE_SUM) {
        device->image_crc = ff_crc32(device->image_crc, piece, count);
        device->cursor = (ff_size)(device->cursor + count);
        if (device->cursor < total) return FF_OK;
        device->job_phase = SAVE_WRITE;
        device->cursor = 0;
        return FF_OK;
    }
    if (!FF_RECORDS && device->cursor == 0) ff_set32(piece + 12, device->image_crc);
    device->object_crc = ff_crc32(device->object_crc, piece, count);
    ff_status status = ff_store_write(&device->store, device->cursor, piece, count, &device->fault);
    if (status != FF_OK) return status;
    device->cursor = (ff_size)(device->cursor + count);
    if (device->cursor < total) return FF_OK;
    status = ff_store_commit(&device->store, total, device->object_crc, &device->fault);
    device->job = FF_JOB_NONE;
    if (status != FF_OK) return status;
#if !FF_RECORDS
    /* The older slot may be erased for the next transfer: nothing may be read from it any more. */
    ff_model_moved(&device->model, ff_store_current(&device->store));
#endif
    return FF_OK;
}

ff_status ff_device_step(ff_device *device) {
    ff_status status = FF_OK;
    if (device->job == FF_JOB_COMMIT)
        status = step_commit(device);
    else if (device->job == FF_JOB_SAVE && device->job_phase != SAVE_ERASE)
        status = step_save(device);
    else if (device->job != FF_JOB_NONE)
        status = step_erase(device);
    if (status != FF_OK) {
        device->job = FF_JOB_NONE;
        device->transferring = 0;
    }
    device->job_status = (uint8_t)status;
    device->job_fault = device->fault;
    return status;
}
