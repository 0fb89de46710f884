#include "server.h"
#include "cbor.h"
#include "layout.h"

/* Header of a packet: operation and version, flags, u16 length, u16 group (both big-endian), sequence,
 * command. */
#define HEADER 8u
#define LEAST_FIRST_PIECE 32u

#define COMMAND(group, id, write) ((uint32_t)(group) << 9 | (uint32_t)(id) << 1 | (write))
enum {
    ECHO_READ = COMMAND(0, 0, 0),
    ECHO_WRITE = COMMAND(0, 0, 1),
    RESET = COMMAND(0, 5, 1),
    PARAMETERS = COMMAND(0, 6, 0),
    BOOTLOADER = COMMAND(0, 8, 0),
    STATE_READ = COMMAND(1, 0, 0),
    STATE_WRITE = COMMAND(1, 0, 1),
    UPLOAD = COMMAND(1, 1, 1),
    ERASE = COMMAND(1, 5, 1)
};

static void put_number(cbor_writer *w, const char *key, uint32_t value) {
    put_text(w, key);
    put_head(w, CBOR_NUMBER, value);
}

static void put_true(cbor_writer *w, const char *key) {
    put_text(w, key);
    put_byte(w, CBOR_TRUE);
}

static char *decimal(char *to, uint32_t value) {
    static const uint32_t TENS[] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                    10000,      1000,      100,      10,      1};
    int begun = 0;
    for (unsigned i = 0; i < 10; i++) {
        char c = '0';
        for (; value >= TENS[i]; value -= TENS[i])
            c++;
        begun |= c != '0' || i == 9;
        if (begun) *to++ = c;
    }
    return to;
}

static void put_version(cbor_writer *w, const uint8_t *version) {
    char text[24], *p = decimal(text, version[0]); /* 3 + 3 + 5 + 10 digits, 3 dots */
    *p++ = '.';
    p = decimal(p, version[1]);
    *p++ = '.';
    p = decimal(p, get16(version + 2));
    if (get32(version + 4)) {
        *p++ = '.';
        p = decimal(p, get32(version + 4));
    }
    put_text(w, "version");
    put_bytes(w, CBOR_TEXT, (const uint8_t *)text, (uint32_t)(p - text));
}

static void put_image(cbor_writer *w, uint32_t slot, const boot_image *image, int pending) {
    if (!image->bytes) return;
    put_head(w, CBOR_MAP, slot ? (pending ? 6 : 4) : 6);
    put_number(w, "slot", slot);
    put_version(w, image->version);
    put_text(w, "hash");
    put_bytes(w, CBOR_BYTES, image->hash, SHA256_BYTES);
    put_true(w, "bootable");
    if (!slot) {
        put_true(w, "active");
        put_true(w, "confirmed");
    } else if (pending) {
        put_true(w, "pending");
        put_true(w, "permanent");
    }
}

static boot_status state(const cbor_field *field, int write, cbor_writer *w) {
    boot_image zero, one;
    image_check(BOOT_SLOT_0, &zero);
    image_check(BOOT_SLOT_1, &one);
    const int pending = slots_pending(&zero, &one);
    if (write) {
        const cbor_field *hash = &field[KEY_HASH];
        if (!hash->present && !(field[KEY_CONFIRM].present && field[KEY_CONFIRM].value)) return BOOT_INVALID;
        if (hash->present && hash->value != SHA256_BYTES) return BOOT_INVALID;
        const int is_zero = zero.bytes && (!hash->present || same(hash->bytes, zero.hash, SHA256_BYTES));
        const int is_one = one.bytes && hash->present && same(hash->bytes, one.hash, SHA256_BYTES);
        if (!is_zero && !is_one) return BOOT_NO_ENTRY;
        /* Nothing has to be written: what is in slot 0 stays, and what was uploaded is pending already. */
        if (!is_zero && !pending) return BOOT_BAD_STATE;
    }
    put_head(w, CBOR_MAP, 1);
    put_text(w, "images");
    put_head(w, CBOR_ARRAY, (zero.bytes ? 1u : 0u) + (one.bytes ? 1u : 0u));
    put_image(w, 0, &zero, 0);
    put_image(w, 1, &one, pending);
    return BOOT_OK;
}

static boot_status upload(boot_upload *u, const cbor_field *field, cbor_writer *w) {
    const cbor_field *data = &field[KEY_DATA], *sha = &field[KEY_SHA];
    if (!field[KEY_OFF].present || !data->present) return BOOT_INVALID;
    boot_status status = BOOT_OK;
    if (field[KEY_OFF].value == 0) {
        if (!field[KEY_LEN].present || field[KEY_IMAGE].value > 2) return BOOT_INVALID;
        if (sha->present && sha->value != SHA256_BYTES) return BOOT_INVALID;
        boot_image zero;
        if (field[KEY_UPGRADE].value && image_check(BOOT_SLOT_0, &zero)) {
            if (data->value < LEAST_FIRST_PIECE) return BOOT_INVALID;
            if (!image_newer(data->bytes + 20, zero.version)) return BOOT_BAD_STATE;
        }
        status = upload_begin(u, field[KEY_LEN].value, sha->present ? sha->bytes : 0);
    }
    /* A piece that isn't the next one changes nothing; the answer says which one is. */
    if (status == BOOT_OK && field[KEY_OFF].value == u->received)
        status = upload_take(u, data->bytes, data->value);
    if (status != BOOT_OK) return status;
    const int matches = u->has_sha && u->bytes && u->received == u->bytes;
    put_head(w, CBOR_MAP, matches ? 2 : 1);
    put_number(w, "off", u->received);
    if (matches) put_true(w, "match");
    return BOOT_OK;
}

static boot_status dispatch(server *s, uint32_t command, const cbor_field *field, cbor_writer *w) {
    const cbor_field *text = &field[KEY_D];
    switch (command) {
    case ECHO_READ:
    case ECHO_WRITE:
        put_head(w, CBOR_MAP, 1);
        put_text(w, "r");
        put_bytes(w, CBOR_TEXT, text->bytes, text->value);
        return BOOT_OK;
    case RESET:
        s->then = field[KEY_BOOT_MODE].value ? SERVER_RESET_AND_STAY : SERVER_RESET;
        break;
    case PARAMETERS:
        put_head(w, CBOR_MAP, 2);
        put_number(w, "buf_size", CONSOLE_PACKET);
        put_number(w, "buf_count", 1);
        return BOOT_OK;
    case BOOTLOADER:
        put_head(w, CBOR_MAP, 1);
        if (field[KEY_QUERY].present) {
            put_number(w, "mode", 2); /* MCUboot's number for: overwritten, never swapped back */
        } else {
            put_text(w, "bootloader");
            put_text(w, "Goodness");
        }
        return BOOT_OK;
    case STATE_READ:
    case STATE_WRITE:
        return state(field, command == STATE_WRITE, w);
    case UPLOAD:
        return upload(&s->upload, field, w);
    case ERASE:
        if (field[KEY_SLOT].present && field[KEY_SLOT].value != 1) return BOOT_INVALID;
        if (slots_erase(&s->upload) != BOOT_OK) return BOOT_UNKNOWN;
        break;
    default:
        return BOOT_NOT_SUPPORTED;
    }
    put_head(w, CBOR_MAP, 0);
    return BOOT_OK;
}

void server_take(server *s, const uint8_t *packet, uint32_t count) {
    cbor_field field[KEYS];
    uint8_t *answer = s->answer;
    s->answer_bytes = 0;
    s->then = SERVER_NOTHING;
    if (count < HEADER || packet[0] & 5) return; /* not a request: 0 is read, 2 is write */
    const uint32_t length = (uint32_t)packet[2] << 8 | packet[3],
                   group = (uint32_t)packet[4] << 8 | packet[5];
    cbor_writer w = {answer + HEADER, answer + sizeof s->answer, 0};
    boot_status status = BOOT_INVALID;
    for (unsigned i = 0; i < KEYS; i++)
        field[i].value = 0;
    if (length == count - HEADER && cbor_read(packet + HEADER, length, field))
        status = dispatch(s, COMMAND(group, packet[7], packet[0] >> 1 & 1), field, &w);
    if (status != BOOT_OK || w.full) {
        w.p = answer + HEADER;
        put_head(&w, CBOR_MAP, 1);
        put_number(&w, "rc", status ? status : BOOT_UNKNOWN);
    }
    const uint32_t bytes = (uint32_t)(w.p - answer);
    answer[0] = packet[0] | 1;
    answer[1] = 0;
    answer[2] = (uint8_t)((bytes - HEADER) >> 8);
    answer[3] = (uint8_t)(bytes - HEADER);
    for (unsigned i = 4; i < HEADER; i++)
        answer[i] = packet[i];
    s->answer_bytes = bytes;
}
