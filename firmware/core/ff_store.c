#include "ff_store.h"

#define MARK 0x600DF00Du

/* A slot header, word by word (slots are aligned, and the target little-endian). */
enum { MAGIC, SEQUENCE, BYTES, OBJECT_CRC, KIND, RESERVED, HEADER_CRC, COMMIT, WORDS };

#define SLOT_MAGIC 0x31534646u /* FFS1 */

static ff_size slot_at(const ff_store *store, uint8_t slot) {
    return slot ? store->flash->slot_bytes : 0;
}

static uint8_t spare(const ff_store *store) {
    return store->sequence ? (uint8_t)(1 - store->active) : 0;
}

ff_rom ff_slot_object(ff_rom slot, ff_size room, uint8_t kind, ff_size *bytes, uint32_t *sequence) {
    uint32_t buffer[WORDS];
    if (room < FF_SLOT_HEADER) return 0; /* no flash there */
    const uint8_t *p = ff_rom_view(slot, buffer, sizeof buffer);
    const uint32_t *header = (const uint32_t *)(const void *)p;
    if (header[MAGIC] != SLOT_MAGIC || header[COMMIT] != MARK || header[KIND] != kind ||
        ff_crc32(0, p, 4 * COMMIT) != FF_CRC32_RESIDUE || header[BYTES] > (ff_size)(room - FF_SLOT_HEADER))
        return 0;
    *sequence = header[SEQUENCE];
    *bytes = (ff_size)header[BYTES];
    slot += FF_SLOT_HEADER;
    return ff_rom_crc32(0, slot, *bytes) == header[OBJECT_CRC] ? slot : 0;
}

ff_rom ff_store_staged(const ff_store *store) {
    return store->flash->map + slot_at(store, spare(store)) + FF_SLOT_HEADER;
}

ff_rom ff_store_current(const ff_store *store) {
    return store->flash->map + slot_at(store, store->active) + FF_SLOT_HEADER;
}

uint8_t ff_store_word(const ff_store *store) {
    return store->flash->word_bytes == 8 ? 8 : 4;
}

ff_status ff_store_erase(ff_store *store, ff_size bytes, uint8_t *more, ff_fault *fault) {
    const ff_flash *flash = store->flash;
    const ff_size at = (ff_size)(slot_at(store, spare(store)) + store->erased);
    if (flash->erase(flash->user, at) < 0) return ff_fail(fault, FF_FLASH, 0, at);
    store->erased = (ff_size)(store->erased + flash->page_bytes);
    *more = store->erased < FF_SLOT_HEADER + bytes;
    return FF_OK;
}

/* Programs whole words at an offset of the spare slot, its header included, and reads them back. */
static ff_status put(ff_store *store, ff_size offset, const void *from, ff_size count, ff_fault *fault) {
    const ff_flash *flash = store->flash;
    const uint8_t *byte = from;
    const ff_size at = (ff_size)(slot_at(store, spare(store)) + offset);
    uint8_t failed = flash->program(flash->user, at, from, count) < 0;
    for (ff_rom back = flash->map + at; count--; back++)
        if (ff_rom8(back) != *byte++) failed = 1;
    return failed ? ff_fail(fault, FF_FLASH, 0, at) : FF_OK;
}

ff_status ff_store_write(ff_store *store, ff_size offset, const uint8_t *from, ff_size count,
                         ff_fault *fault) {
    const ff_size odd = count & (ff_size)(ff_store_word(store) - 1); /* 0 or 4 */
    ff_status status = FF_OK;
    offset = (ff_size)(offset + FF_SLOT_HEADER);
    count = (ff_size)(count - odd);
    if (count) status = put(store, offset, from, count, fault);
    if (odd && status == FF_OK) {
        uint32_t word[2] = {ff_at32(from + count), 0xFFFFFFFFu};
        status = put(store, (ff_size)(offset + count), word, sizeof word, fault);
    }
    return status;
}

ff_status ff_store_commit(ff_store *store, ff_size bytes, uint32_t crc, ff_fault *fault) {
    uint32_t sequence = store->sequence + 1;
    if (sequence == 0) sequence = 1; /* 0 says that no slot is in use */
    const uint32_t kind = FF_RECORDS ? FF_KIND_RECORD : FF_KIND_IMAGE;
    uint32_t header[WORDS] = {SLOT_MAGIC, sequence, bytes, crc, kind, 0xFFFFFFFFu, 0, MARK};
    uint8_t *p = (uint8_t *)header;
    header[HEADER_CRC] = ff_crc32(0, p, 4 * HEADER_CRC);
    const uint8_t word = ff_store_word(store), first = (uint8_t)(FF_SLOT_HEADER - word);
    ff_status status = put(store, 0, p, first, fault);
    if (status == FF_OK) status = put(store, first, p + first, word, fault);
    if (status != FF_OK) return status;
    store->active = spare(store);
    store->sequence = sequence;
    return FF_OK;
}
