#include "rig.h"
#include "ff_bytes.h"
#include "ff_crc32.h"
#include <stdlib.h>
#include <string.h>

static uint32_t words[2 * RIG_SLOT / 4], arena[512], buffer[2][128];
static uint8_t sequence;

ff_device rig_device;
ff_link rig_link[2];
uint8_t *const rig_flash = (uint8_t *)words;
int (*rig_operation)(uint8_t *at, const uint8_t *from);

static int erase(void *user, uint32_t offset) {
    (void)user;
    if (offset % RIG_PAGE || offset >= 2 * RIG_SLOT) abort();
    if (rig_operation && rig_operation(rig_flash + offset, 0) < 0) return -1;
    memset(rig_flash + offset, 0xFF, RIG_PAGE);
    return 0;
}

/* Flash can only clear bits, and no part takes a word twice between two erases. */
static int program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    (void)user;
    if (offset % 4 || count % 4 || offset + count > 2 * RIG_SLOT || (uintptr_t)from % 4) abort();
    for (uint32_t i = 0; i < count; i += 4) {
        if (ff_get32(rig_flash + offset + i) != 0xFFFFFFFFu) abort();
        if (rig_operation && rig_operation(rig_flash + offset + i, from + i) < 0) return -1;
        for (uint32_t k = i; k < i + 4; k++)
            rig_flash[offset + k] &= from[k];
    }
    return 0;
}

ff_status rig_boot(void) {
    memset(&rig_device, 0, sizeof rig_device);
    memset(arena, 0xA5, sizeof arena);
    rig_device.flash = (ff_flash){rig_flash, RIG_SLOT, RIG_PAGE, erase, program, 0};
    rig_device.arena = (uint8_t *)arena;
    rig_device.arena_bytes = sizeof arena;
    rig_device.target = "rig";
    rig_device.window = 1;
    rig_device.keeps_store = 1;
    if (ff_link_bytes(RIG_PAYLOAD) > sizeof buffer[0]) abort();
    for (int i = 0; i < 2; i++)
        ff_link_start(&rig_link[i], &rig_device, (uint8_t *)buffer[i], RIG_PAYLOAD);
    return ff_device_start(&rig_device);
}

void rig_send(ff_link *link, uint8_t type, const void *payload, uint32_t count) {
    uint8_t raw[RIG_PAYLOAD + FF_FRAME_OVERHEAD], encoded[RIG_PAYLOAD + 16];
    if (count > RIG_PAYLOAD) abort();
    raw[0] = type;
    raw[1] = ++sequence;
    if (count) memcpy(raw + 2, payload, count);
    uint32_t bytes = ff_encode(encoded, raw, count + 2);
    if (ff_link_feed(link, encoded, bytes) != bytes) abort();
}

int rig_answer(ff_link *link, uint32_t rounds, uint8_t *payload) {
    uint8_t frame[RIG_PAYLOAD + FF_FRAME_OVERHEAD], byte;
    ff_decoder decoder;
    memset(&decoder, 0, sizeof decoder);
    decoder.buffer = frame;
    decoder.capacity = sizeof frame;
    while (rounds--) {
        ff_link_step(link);
        while (ff_link_take(link, &byte, 1)) {
            if (!ff_decode(&decoder, byte)) continue;
            if (payload) memcpy(payload, frame + 3, decoder.count - 3);
            return frame[2];
        }
    }
    return RIG_NO_ANSWER;
}

int rig_request(ff_link *link, uint8_t type, const void *payload, uint32_t count, uint8_t *answer) {
    rig_send(link, type, payload, count);
    return rig_answer(link, 10000, answer);
}

int rig_begin(ff_link *link, uint32_t kind, const uint8_t *object, uint32_t bytes, uint8_t *answer) {
    uint8_t payload[12];
    ff_put32(payload, kind);
    ff_put32(payload + 4, bytes);
    ff_put32(payload + 8, ff_crc32(0, object, bytes));
    return rig_request(link, RIG_BEGIN, payload, sizeof payload, answer);
}

int rig_write(ff_link *link, const uint8_t *object, uint32_t from, uint32_t to) {
    uint8_t payload[RIG_PAYLOAD];
    for (uint32_t at = from; at < to; at += RIG_PAYLOAD - 4) {
        uint32_t count = to - at < RIG_PAYLOAD - 4 ? to - at : RIG_PAYLOAD - 4;
        ff_put32(payload, at);
        memcpy(payload + 4, object + at, count);
        int status = rig_request(link, RIG_WRITE, payload, 4 + count, 0);
        if (status != FF_OK) return status;
    }
    return FF_OK;
}

int rig_hello(ff_link *link, uint8_t *answer) {
    static const uint8_t PROTOCOL[2] = {1, 0};
    return rig_request(link, RIG_HELLO, PROTOCOL, sizeof PROTOCOL, answer);
}

int rig_transfer(ff_link *link, uint32_t kind, const uint8_t *object, uint32_t bytes) {
    int status = rig_begin(link, kind, object, bytes, 0);
    if (status == FF_OK) status = rig_write(link, object, 0, bytes);
    return status == FF_OK ? rig_request(link, RIG_COMMIT, 0, 0, 0) : status;
}

uint32_t rig_read(ff_link *link, uint8_t *to, uint32_t room) {
    uint8_t payload[7] = {0}, answer[RIG_PAYLOAD];
    const uint32_t piece = RIG_PAYLOAD - 1, bytes = rig_device.loaded ? rig_device.model.image_bytes : 0;
    if (bytes > room) abort();
    for (uint32_t at = 0; at < bytes; at += piece) {
        ff_put32(payload + 1, at);
        ff_put16(payload + 5, (uint16_t)piece);
        if (rig_request(link, RIG_READ, payload, sizeof payload, answer) != FF_OK) abort();
        memcpy(to + at, answer, bytes - at < piece ? bytes - at : piece);
    }
    return bytes;
}
