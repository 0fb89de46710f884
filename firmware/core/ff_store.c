#include "ff_store.h"
#include "ff_bytes.h"
#include "ff_crc32.h"
#include <string.h>

#define MARK 0x600DF00Du

static uint8_t spare(const ff_store *store) {
    return store->sequence ? (uint8_t)(1 - store->active) : 0;
}

static uint32_t spare_at(const ff_store *store) {
    return spare(store) ? store->flash->slot_bytes : 0;
}

const uint8_t *ff_store_object(const ff_flash *flash, uint8_t slot, uint32_t *bytes, uint32_t *sequence) {
    const uint8_t *p = flash->map + (slot ? flash->slot_bytes : 0);
    if (memcmp(p, "FFS1", 4) != 0 || ff_get32(p + 28) != MARK || ff_get32(p + 16) != FF_KIND_IMAGE) return 0;
    if (ff_get32(p + 24) != ff_crc32(0, p, 24)) return 0;
    *sequence = ff_get32(p + 4);
    *bytes = ff_get32(p + 8);
    if (*bytes > flash->slot_bytes - FF_SLOT_HEADER) return 0;
    return ff_crc32(0, p + FF_SLOT_HEADER, *bytes) == ff_get32(p + 12) ? p + FF_SLOT_HEADER : 0;
}

const uint8_t *ff_store_staged(const ff_store *store) {
    return store->flash->map + spare_at(store) + FF_SLOT_HEADER;
}

const uint8_t *ff_store_current(const ff_store *store) {
    return store->flash->map + (store->active ? store->flash->slot_bytes : 0) + FF_SLOT_HEADER;
}

ff_status ff_store_erase(ff_store *store, int *more, ff_fault *fault) {
    const ff_flash *flash = store->flash;
    uint32_t at = spare_at(store) + store->erased;
    if (flash->erase(flash->user, at) < 0) return ff_fail(fault, FF_FLASH, 0, at);
    store->erased += flash->page_bytes;
    *more = store->erased < flash->slot_bytes;
    return FF_OK;
}

ff_status ff_store_write(ff_store *store, uint32_t offset, const uint8_t *from, uint32_t count,
                         ff_fault *fault) {
    const ff_flash *flash = store->flash;
    uint32_t at = spare_at(store) + FF_SLOT_HEADER + offset;
    if (flash->program(flash->user, at, from, count) < 0 || memcmp(flash->map + at, from, count) != 0)
        return ff_fail(fault, FF_FLASH, 0, at);
    return FF_OK;
}

ff_status ff_store_commit(ff_store *store, uint32_t bytes, uint32_t crc, ff_fault *fault) {
    const ff_flash *flash = store->flash;
    uint32_t words[FF_SLOT_HEADER / 4]; /* aligned to 4, as program() wants it */
    uint8_t *header = (uint8_t *)words;
    uint32_t at = spare_at(store), sequence = store->sequence + 1;
    if (sequence == 0) sequence = 1; /* 0 says that no slot is in use */
    memcpy(header, "FFS1", 4);
    ff_put32(header + 4, sequence);
    ff_put32(header + 8, bytes);
    ff_put32(header + 12, crc);
    ff_put32(header + 16, FF_KIND_IMAGE);
    ff_put32(header + 20, 0xFFFFFFFFu);
    ff_put32(header + 24, ff_crc32(0, header, 24));
    ff_put32(header + 28, MARK);
    if (flash->program(flash->user, at, header, FF_SLOT_HEADER - 4) < 0 ||
        memcmp(flash->map + at, header, FF_SLOT_HEADER - 4) != 0)
        return ff_fail(fault, FF_FLASH, 0, at);
    at += FF_SLOT_HEADER - 4;
    if (flash->program(flash->user, at, header + FF_SLOT_HEADER - 4, 4) < 0 ||
        ff_get32(flash->map + at) != MARK)
        return ff_fail(fault, FF_FLASH, 0, at);
    store->active = spare(store);
    store->sequence = sequence;
    return FF_OK;
}
