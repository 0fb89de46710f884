/*
 * Two flash slots and the writer that fills the one not in use (SPEC.md 8). The commit mark is written last,
 * so a power cut at any instant leaves the last whole object in place.
 */
#ifndef FF_STORE_H
#define FF_STORE_H

#include "ff_rom.h"
#include "ff_status.h"

#define FF_SLOT_HEADER 32u
enum { FF_KIND_IMAGE = 1, FF_KIND_PATCH = 2, FF_KIND_RECORD = 3 };

/* -DFF_RECORDS: the image comes with the firmware, and the slots hold what was learned only (SPEC.md 8.1). */
#ifndef FF_RECORDS
#define FF_RECORDS 0
#endif

/* What a port gives: two slots, one behind the other. */
typedef struct {
    ff_rom map;         /* start of slot 0, aligned to 8; slot 1 follows at slot_bytes */
    ff_size slot_bytes; /* slot header included; a multiple of page_bytes. 0 = no flash */
    ff_size page_bytes; /* what one erase clears to 0xFF; a multiple of 8 */
    /* The page at this offset from map; < 0 = failed. Memory that overwrites without an erase (EEPROM) may
     * leave any page as it is but the one that holds a slot's header: that one must be cleared. */
    int (*erase)(void *user, ff_size offset);
    /* offset and count are multiples of word_bytes; the page was erased before; `from` is aligned to 4; < 0 =
     * failed */
    int (*program)(void *user, ff_size offset, const uint8_t *from, ff_size count);
    void *user;
    /* What is programmed at once, and only once between two erases: 4 (or 0, which says 4), or 8 where flash
     * keeps an error correcting code for each double word. */
    uint8_t word_bytes;
} ff_flash;

/* A slot being written. */
typedef struct {
    const ff_flash *flash;
    uint32_t sequence; /* of the slot in use; 0 = none is */
    ff_size erased;    /* bytes of the other slot erased so far */
    uint8_t active;    /* the slot in use, if sequence != 0 */
} ff_store;

/* The object in the slot of `room` bytes at `slot`, if it is committed, of this kind, and header and CRC fit;
 * else 0. */
ff_rom ff_slot_object(ff_rom slot, ff_size room, uint8_t kind, ff_size *bytes, uint32_t *sequence);

/* Where the object of the slot in use lies; meaningless if sequence is 0. */
ff_rom ff_store_current(const ff_store *store);

/* Where the object of the slot that is not in use lies. */
ff_rom ff_store_staged(const ff_store *store);

/* Bytes of a word of the flash: 4 or 8. */
uint8_t ff_store_word(const ff_store *store);

/* Erases the next page of the slot that is not in use, as far as an object of `bytes` bytes needs it. FF_OK
 * when all are erased, else *more = 1. Start with store->erased = 0. */
ff_status ff_store_erase(ff_store *store, ff_size bytes, uint8_t *more, ff_fault *fault);

/* Programs a part of the object into the erased slot. offset: a multiple of the word, within the slot; count:
 * likewise, except at the object's end, where a multiple of 4 is enough. from: aligned to 4. */
ff_status ff_store_write(ff_store *store, ff_size offset, const uint8_t *from, ff_size count,
                         ff_fault *fault);

/* Writes the slot header and, last of all, the word with the commit mark: the slot is in use from then on. */
ff_status ff_store_commit(ff_store *store, ff_size bytes, uint32_t crc, ff_fault *fault);

#endif
