/*
 * As much CBOR (RFC 8949) as SMP requests and their answers need: one map of definite or indefinite length,
 * with short texts as keys and numbers, byte strings, texts and booleans as values. Whatever else comes is
 * refused.
 */
#ifndef BOOT_CBOR_H
#define BOOT_CBOR_H

#include <stdint.h>

/* Keys that a request may have; others are passed over. */
enum {
    KEY_OFF,
    KEY_LEN,
    KEY_IMAGE,
    KEY_SLOT,
    KEY_BOOT_MODE,
    KEY_DATA,
    KEY_SHA,
    KEY_HASH,
    KEY_D,
    KEY_QUERY,
    KEY_CONFIRM,
    KEY_UPGRADE,
    KEYS
};

/* A value, of the kind that its key has. */
typedef struct {
    const uint8_t *bytes; /* strings: into the request */
    uint32_t value;       /* numbers, booleans; strings: their length */
    uint8_t present;
} cbor_field;

/* Takes apart a whole request of `count` bytes. 0 if it is malformed, a key comes twice or has a value of
 * another kind. */
int cbor_read(const uint8_t *bytes, uint32_t count, cbor_field field[KEYS]);

/* A writer that stops at `end`: what doesn't fit sets `full`. */
typedef struct {
    uint8_t *p, *end;
    uint8_t full;
} cbor_writer;

enum { CBOR_NUMBER = 0, CBOR_BYTES = 2, CBOR_TEXT = 3, CBOR_ARRAY = 4, CBOR_MAP = 5 };
#define CBOR_BREAK 0xFFu
#define CBOR_TRUE 0xF5u

void put_byte(cbor_writer *w, uint32_t byte);
void put_head(cbor_writer *w, uint32_t major, uint32_t value); /* value < 65536 */
void put_bytes(cbor_writer *w, uint32_t major, const uint8_t *from, uint32_t count);
void put_text(cbor_writer *w, const char *text);

#endif
