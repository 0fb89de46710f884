#include "slots.h"
#include "flash.h"
#include "layout.h"

#define BLANK 0xFFFFFFFFu

/* Flash is read as it stands, not as the compiler thinks that it is. */
static uint32_t word_at(uint32_t address) {
    return get32(flash_at(address));
}

static int blank(uint32_t page) {
    for (uint32_t i = 0; i < BOOT_PAGE; i += 4)
        if (word_at(page + i) != BLANK) return 0;
    return 1;
}

static int taken(void) {
    return word_at(BOOT_TAKEN) != BLANK;
}

int slots_pending(const boot_image *zero, const boot_image *one) {
    if (!one->bytes) return 0;
    return !zero->bytes || (!taken() && !same(zero->hash, one->hash, SHA256_BYTES));
}

/* Pages that are right already stay: a copy that was cut goes on where it ended, and costs no wear. */
static void copy(uint32_t bytes) {
    for (uint32_t page = 0; page < bytes; page += BOOT_PAGE) {
        const uint32_t count = bytes - page < BOOT_PAGE ? bytes - page : BOOT_PAGE;
        if (same(flash_at(BOOT_SLOT_0 + page), flash_at(BOOT_SLOT_1 + page), count)) continue;
        flash_erase(BOOT_SLOT_0 + page);
        for (uint32_t i = page; i < page + count; i += 4)
            flash_write(BOOT_SLOT_0 + i, word_at(BOOT_SLOT_1 + i));
    }
}

int slots_start(uint32_t *entry) {
    boot_image zero, one;
    image_check(BOOT_SLOT_0, &zero);
    image_check(BOOT_SLOT_1, &one);
    if (slots_pending(&zero, &one)) {
        copy(one.bytes);
        image_check(BOOT_SLOT_0, &zero);
    }
    /* Last of all: an image that was copied isn't copied again, unless slot 0 goes bad. */
    if (zero.bytes && one.bytes && !taken() && same(zero.hash, one.hash, SHA256_BYTES))
        flash_write(BOOT_TAKEN, 0);
    *entry = zero.entry;
    return zero.bytes != 0;
}

/* The page with the header goes first: from then on there is no image in the slot. */
boot_status slots_erase(boot_upload *upload) {
    upload->bytes = upload->received = 0;
    for (uint32_t page = BOOT_SLOT_1; page < BOOT_SLOT_1 + BOOT_SLOT_BYTES; page += BOOT_PAGE) {
        if (!blank(page)) flash_erase(page);
        if (!blank(page)) return BOOT_UNKNOWN;
    }
    return BOOT_OK;
}

boot_status upload_begin(boot_upload *upload, uint32_t bytes, const uint8_t *sha) {
    if (bytes == 0) return BOOT_INVALID;
    if (bytes > BOOT_ROOM) return BOOT_NO_MEMORY;
    if (sha && upload->has_sha && upload->bytes == bytes && same(sha, upload->sha, SHA256_BYTES))
        return BOOT_OK;
    const boot_status status = slots_erase(upload);
    if (status != BOOT_OK) return status;
    upload->bytes = bytes;
    upload->has_sha = sha != 0;
    for (unsigned i = 0; sha && i < SHA256_BYTES; i++)
        upload->sha[i] = sha[i];
    return BOOT_OK;
}

/* All is there: it must be what was announced, and an image that may run. */
static int upload_right(const boot_upload *upload) {
    uint8_t digest[SHA256_BYTES];
    boot_image one;
    if (upload->has_sha) {
        sha256(flash_at(BOOT_SLOT_1), upload->bytes, digest);
        if (!same(digest, upload->sha, SHA256_BYTES)) return 0;
    }
    return image_check(BOOT_SLOT_1, &one);
}

boot_status upload_take(boot_upload *upload, const uint8_t *from, uint32_t count) {
    if (count > upload->bytes - upload->received) return BOOT_INVALID;
    if (count == 0) return BOOT_OK;
    while (count--) {
        upload->rest[upload->received++ & 3] = *from++;
        const int last = upload->received == upload->bytes;
        if (last)
            for (uint32_t i = upload->received; i & 3; i++)
                upload->rest[i & 3] = 0xFF;
        if (last || (upload->received & 3) == 0)
            flash_write(BOOT_SLOT_1 + ((upload->received - 1) & ~3u), get32(upload->rest));
    }
    if (upload->received < upload->bytes || upload_right(upload)) return BOOT_OK;
    upload->bytes = upload->received = 0;
    flash_erase(BOOT_SLOT_1);
    return BOOT_CORRUPT;
}
