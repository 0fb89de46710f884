#include "image.h"
#include "flash.h"
#include "layout.h"
#include "sha256.h"

#define MAGIC 0x96f3b83du
#define TAGS 0x6907u
#define PROTECTED_TAGS 0x6908u
#define TAG_SHA256 0x10u
#define LEAST_HEADER 32u

uint32_t get16(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8;
}

uint32_t get32(const uint8_t *p) {
    return get16(p) | get16(p + 2) << 16;
}

int same(const uint8_t *a, const uint8_t *b, uint32_t count) {
    while (count--)
        if (*a++ != *b++) return 0;
    return 1;
}

/* The hash among the tags at p, of which there are no more than `room` bytes; NULL if it isn't there exactly
 * once or a length is wrong. *bytes: of all tags. */
static const uint8_t *find_hash(const uint8_t *p, uint32_t room, uint32_t *bytes) {
    const uint8_t *hash = 0;
    if (room < 4 || get16(p) != TAGS) return 0;
    const uint32_t end = get16(p + 2);
    if (end > room) return 0;
    uint32_t at = 4;
    while (at + 4 <= end) {
        const uint32_t tag = get16(p + at), length = get16(p + at + 2);
        at += 4;
        if (length > end - at) return 0;
        if (tag == TAG_SHA256) {
            if (hash || length != SHA256_BYTES) return 0;
            hash = p + at;
        }
        at += length;
    }
    *bytes = end;
    return at == end ? hash : 0;
}

int image_check(uint32_t slot, boot_image *image) {
    const uint8_t *p = flash_at(slot);
    uint8_t digest[SHA256_BYTES];
    image->bytes = 0;
    if (get32(p) != MAGIC) return 0;
    const uint32_t header = get16(p + 8), more = get16(p + 10), code = get32(p + 12);
    if (header < LEAST_HEADER || header % 4 || get32(p + 16)) return 0;
    /* header and more are below 2^16, so no sum wraps */
    if (code < 8 || code > BOOT_ROOM || header + code + more > BOOT_ROOM) return 0;
    const uint32_t hashed = header + code + more;
    if (more &&
        (more < 4 || get16(p + header + code) != PROTECTED_TAGS || get16(p + header + code + 2) != more))
        return 0;
    uint32_t tags = 0;
    const uint8_t *hash = find_hash(p + hashed, BOOT_ROOM - hashed, &tags);
    if (!hash) return 0;
    const uint32_t stack = get32(p + header) - BOOT_RAM, reset = get32(p + header + 4);
    if (stack % 4 || stack == 0 || stack > BOOT_RAM_BYTES) return 0;
    if (!(reset & 1) || reset - BOOT_SLOT_0 - header >= code) return 0;
    sha256(p, hashed, digest);
    if (!same(digest, hash, SHA256_BYTES)) return 0;
    image->hash = hash;
    image->version = p + 20;
    image->entry = BOOT_SLOT_0 + header;
    image->bytes = hashed + tags;
    return 1;
}

int image_newer(const uint8_t *a, const uint8_t *b) {
    const uint32_t x = (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | get16(a + 2);
    const uint32_t y = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | get16(b + 2);
    return x > y;
}
