#include "ff_store.h"
#include "ff_crc32.h"

#define MARK 0x600DF00Du

static uint8_t spare(const ff_store *store) {
    return store->sequence ? (uint8_t)(1 - store->active) : 0;
}

static uint32_t spare_at(const ff_store *store) {
    return spare(store) ? store->flash->slot_bytes : 0;
}

/* A slot header, word by word (flash is aligned to 4, and the target little-endian). */
enum { MAGIC, SEQUENCE, BYTES, OBJECT_CRC, KIND, RESERVED, HEADER_CRC, COMMIT, WORDS };

#define SLOT_MAGIC 0x31534646u /* FFS1 */

const uint8_t *ff_store_object(const ff_flash *flash, uint8_t slot, uint32_t *bytes, uint32_t *sequence) {
    if (flash->slot_bytes < FF_SLOT_HEADER) return 0; /* a device without flash */
    const uint8_t *p = flash->map + (slot ? flash->slot_bytes : 0);
    const uint32_t *header = (const uint32_t *)(const void *)p;
    if (header[MAGIC] != SLOT_MAGIC || header[COMMIT] != MARK || header[KIND] != FF_KIND_IMAGE ||
        header[HEADER_CRC] != ff_crc32(0, p, 4 * HEADER_CRC) ||
        header[BYTES] > flash->slot_bytes - FF_SLOT_HEADER)
        return 0;
    *sequence = header[SEQUENCE];
    *bytes = header[BYTES];
    p += FF_SLOT_HEADER;
    return ff_crc32(0, p, *bytes) == header[OBJECT_CRC] ? p : 0;
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

/* Programs bytes at an offset of the spare slot, its header included, and reads them back. */
static ff_status put(ff_store *store, uint32_t offset, const void *from, uint32_t count, ff_fault *fault) {
    const ff_flash *flash = store->flash;
    const uint8_t *byte = from;
    uint32_t at = spare_at(store) + offset;
    int failed = flash->program(flash->user, at, from, count) < 0;
    for (uint32_t i = 0; i < count; i++)
        failed |= flash->map[at + i] != byte[i];
    return failed ? ff_fail(fault, FF_FLASH, 0, at) : FF_OK;
}

ff_status ff_store_write(ff_store *store, uint32_t offset, const uint8_t *from, uint32_t count,
                         ff_fault *fault) {
    return put(store, FF_SLOT_HEADER + offset, from, count, fault);
}

ff_status ff_store_commit(ff_store *store, uint32_t bytes, uint32_t crc, ff_fault *fault) {
    uint32_t sequence = store->sequence + 1;
    if (sequence == 0) sequence = 1; /* 0 says that no slot is in use */
    uint32_t header[WORDS] = {SLOT_MAGIC, sequence, bytes, crc, FF_KIND_IMAGE, 0xFFFFFFFFu, 0, MARK};
    header[HEADER_CRC] = ff_crc32(0, (const uint8_t *)header, 4 * HEADER_CRC);
    ff_status status = put(store, 0, header, 4 * COMMIT, fault);
    if (status == FF_OK) status = put(store, 4 * COMMIT, &header[COMMIT], 4, fault);
    if (status != FF_OK) return status;
    store->active = spare(store);
    store->sequence = sequence;
    return FF_OK;
}
