#include "cbor.h"

enum { LOGIC = 7 };

/* In the order of the keys' numbers. */
static const char NAMES[] = "off\0len\0image\0slot\0boot_mode\0data\0sha\0hash\0d\0query\0confirm\0upgrade";
static const uint8_t KINDS[KEYS] = {CBOR_NUMBER, CBOR_NUMBER, CBOR_NUMBER, CBOR_NUMBER,
                                    CBOR_NUMBER, CBOR_BYTES,  CBOR_BYTES,  CBOR_BYTES,
                                    CBOR_TEXT,   CBOR_TEXT,   LOGIC,       LOGIC};

/* Number of the key of `count` characters, KEYS if it is none of ours. */
static unsigned find(const uint8_t *text, uint32_t count) {
    const char *name = NAMES;
    unsigned key = 0;
    for (; key < KEYS; key++) {
        uint32_t i = 0;
        while (name[i] && i < count && (uint8_t)name[i] == text[i])
            i++;
        if (i == count && !name[i]) break;
        while (*name++)
            ;
    }
    return key;
}

/* Reads an item's head at *p and moves *p behind it, strings included. -1 if it doesn't end before `end` or
 * is of no kind that we take; else its major type. */
static int item(const uint8_t **p, const uint8_t *end, cbor_field *field) {
    const uint8_t *at = *p;
    if (at == end) return -1;
    const unsigned major = *at >> 5;
    uint32_t value = *at++ & 31;
    if (major == LOGIC) {
        if (value != 20 && value != 21) return -1;
        value -= 20;
    } else if (major == CBOR_NUMBER || major == CBOR_BYTES || major == CBOR_TEXT) {
        if (value > 26) return -1; /* 64 bits, and strings in pieces */
        if (value >= 24) {
            uint32_t more = 1u << (value - 24); /* 1, 2 or 4 bytes */
            if ((uint32_t)(end - at) < more) return -1;
            for (value = 0; more--;)
                value = value << 8 | *at++;
        }
    } else {
        return -1;
    }
    field->value = value;
    if (major == CBOR_BYTES || major == CBOR_TEXT) {
        if (value > (uint32_t)(end - at)) return -1;
        field->bytes = at;
        at += value;
    }
    *p = at;
    return (int)major;
}

int cbor_read(const uint8_t *bytes, uint32_t count, cbor_field field[KEYS]) {
    const uint8_t *p = bytes, *end = bytes + count;
    for (unsigned i = 0; i < KEYS; i++)
        field[i].present = 0;
    if (count == 0) return 0;
    const unsigned head = *p++;
    if (head != 0xBF && (head < 0xA0 || head > 0xB7)) return 0;
    for (unsigned pairs = head - 0xA0; head == 0xBF || pairs; pairs--) {
        cbor_field key, value;
        if (head == 0xBF && p < end && *p == CBOR_BREAK) {
            p++;
            break;
        }
        if (item(&p, end, &key) != CBOR_TEXT) return 0;
        const int major = item(&p, end, &value);
        if (major < 0) return 0;
        const unsigned which = find(key.bytes, key.value);
        if (which == KEYS) continue;
        if (field[which].present || major != KINDS[which]) return 0;
        field[which].present = 1;
        field[which].bytes = value.bytes;
        field[which].value = value.value;
    }
    return p == end;
}

void put_byte(cbor_writer *w, uint32_t byte) {
    if (w->p < w->end)
        *w->p++ = (uint8_t)byte;
    else
        w->full = 1;
}

void put_head(cbor_writer *w, uint32_t major, uint32_t value) {
    major <<= 5;
    if (value < 24) {
        put_byte(w, major | value);
        return;
    }
    const int two = value > 255;
    put_byte(w, major | (two ? 25 : 24));
    if (two) put_byte(w, value >> 8);
    put_byte(w, value & 255);
}

void put_bytes(cbor_writer *w, uint32_t major, const uint8_t *from, uint32_t count) {
    put_head(w, major, count);
    while (count--)
        put_byte(w, *from++);
}

void put_text(cbor_writer *w, const char *text) {
    uint32_t count = 0;
    while (text[count])
        count++;
    put_bytes(w, CBOR_TEXT, (const uint8_t *)text, count);
}
