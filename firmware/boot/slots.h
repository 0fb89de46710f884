/*
 * The two firmware slots: what runs, what is copied, and the upload that fills slot 1. README.md says why a
 * power cut at any flash operation does no harm; test/powercut.c tries them all.
 */
#ifndef BOOT_SLOTS_H
#define BOOT_SLOTS_H

#include "image.h"
#include "sha256.h"

/* Codes of MCUmgr (MGMT_ERR_*). */
typedef enum {
    BOOT_OK = 0,
    BOOT_UNKNOWN = 1,   /* flash doesn't take what is written */
    BOOT_NO_MEMORY = 2, /* the image doesn't fit the slot */
    BOOT_INVALID = 3,   /* the request is wrong */
    BOOT_NO_ENTRY = 5,  /* no image has this hash */
    BOOT_BAD_STATE = 6, /* not now: an older version, or an image that was copied before */
    BOOT_NOT_SUPPORTED = 8,
    BOOT_CORRUPT = 9 /* the uploaded image is none, or its hash is wrong */
} boot_status;

typedef struct {
    uint32_t bytes;    /* of the file; 0 = there is no upload */
    uint32_t received; /* bytes taken so far; the last few may be in `rest` still */
    uint8_t sha[SHA256_BYTES];
    uint8_t has_sha;
    uint8_t rest[4]; /* bytes that don't fill a word yet */
} boot_upload;

/*
 * What a start does: checks both slots, copies slot 1 over slot 0 if it must, and marks it as taken. Returns
 * 1 and the vector table's address in *entry if slot 0 may run.
 */
int slots_start(uint32_t *entry);

/* 1 if the next start copies slot 1 (both as image_check() left them). */
int slots_pending(const boot_image *zero, const boot_image *one);

/* Begins an upload of `bytes` bytes, or finds that it is the one under way: then it goes on at
 * upload->received. sha: of the whole file, or NULL: then it always starts from the beginning. */
boot_status upload_begin(boot_upload *upload, uint32_t bytes, const uint8_t *sha);

/* Takes the next bytes. When all are there the image is checked: BOOT_CORRUPT refuses it, and slot 1 is void.
 */
boot_status upload_take(boot_upload *upload, const uint8_t *from, uint32_t count);

/* Empties slot 1: what is pending isn't any more. */
boot_status slots_erase(boot_upload *upload);

#endif
