/*
 * Two flash slots and the writer that fills the one not in use (SPEC.md 8). The commit mark is written last,
 * so a power cut at any instant leaves the last whole image in place.
 */
#ifndef FF_STORE_H
#define FF_STORE_H

#include "ff_status.h"
#include <stdint.h>

#define FF_SLOT_HEADER 32
enum { FF_KIND_IMAGE = 1, FF_KIND_PATCH = 2 };

/* What a port gives: two slots of memory-mapped flash, one behind the other. */
typedef struct {
    const uint8_t *map;  /* start of slot 0, aligned to 4; slot 1 follows at slot_bytes */
    uint32_t slot_bytes; /* slot header included; a multiple of page_bytes */
    uint32_t page_bytes; /* what one erase clears to 0xFF */
    int (*erase)(void *user, uint32_t offset); /* the page at this offset from map; < 0 = failed */
    /* offset and count are multiples of 4; the bytes were erased before; `from` is aligned to 4; < 0 = failed
     */
    int (*program)(void *user, uint32_t offset, const uint8_t *from, uint32_t count);
    void *user;
} ff_flash;

/* A slot being written. */
typedef struct {
    const ff_flash *flash;
    uint32_t sequence; /* of the slot in use; 0 = none is */
    uint8_t active;    /* the slot in use, if sequence != 0 */
    uint32_t erased;   /* bytes of the other slot erased so far */
} ff_store;

/* The object in a slot, if the slot is committed, its header and CRC fit; else NULL. */
const uint8_t *ff_store_object(const ff_flash *flash, uint8_t slot, uint32_t *bytes, uint32_t *sequence);

/* Where the object of the slot in use lies (memory-mapped); meaningless if sequence is 0. */
const uint8_t *ff_store_current(const ff_store *store);

/* Where the object of the slot that is not in use lies. */
const uint8_t *ff_store_staged(const ff_store *store);

/* Erases the next page of the slot that is not in use. FF_OK when all are erased, else *more = 1. Start with
 * store->erased = 0. */
ff_status ff_store_erase(ff_store *store, int *more, ff_fault *fault);

/* Programs a part of the object into the erased slot. offset and count: multiples of 4, within the slot. */
ff_status ff_store_write(ff_store *store, uint32_t offset, const uint8_t *from, uint32_t count,
                         ff_fault *fault);

/* Writes the slot header and, last of all, the commit mark: the slot is in use from then on. */
ff_status ff_store_commit(ff_store *store, uint32_t bytes, uint32_t crc, ff_fault *fault);

#endif
