/*
 * Fuzzes the link: the input is a script of requests with whatever payload, put into frames with the right
 * CRC, between raw bytes that need not be frames. The device must go on answering, and must keep its model
 * whenever nothing was committed.
 */
#include "ff_bytes.h"
#include "ff_crc32.h"
#include "goodness.h"
#include "sample_image.h"
#include <stdlib.h>
#include <string.h>

#define SLOT 1024u
#define PAGE 256u
#define PAYLOAD 64u
#define STAGE 128u

static uint32_t flash_words[2 * SLOT / 4];
static uint8_t *const flash = (uint8_t *)flash_words;

static int erase(void *user, uint32_t offset) {
    (void)user;
    if (offset % PAGE || offset >= 2 * SLOT) abort();
    memset(flash + offset, 0xFF, PAGE);
    return 0;
}

static int program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    const uint32_t word = *(const uint32_t *)user;
    if (offset % word || count % word || offset + count > 2 * SLOT || (uintptr_t)from % 4) abort();
    for (uint32_t i = 0; i < count; i++) {
        if (flash[offset + i] != 0xFF) abort(); /* only what was erased may be written */
        flash[offset + i] = from[i];
    }
    return 0;
}

/* Feeds bytes until all are taken, works, and throws the answers away. Returns the number of answered bytes.
 */
static uint32_t drive(ff_link *link, const uint8_t *bytes, uint32_t count) {
    uint8_t out[32];
    uint32_t answered = 0, rounds = 0;
    for (;;) {
        uint32_t used = ff_link_feed(link, bytes, count);
        bytes += used;
        count -= used;
        int more = ff_link_step(link);
        uint32_t n;
        while ((n = ff_link_take(link, out, sizeof out)) > 0)
            answered += n;
        if (!more && count == 0 && !link->has_request) return answered;
        if (++rounds > 100000) abort(); /* a state machine of bounded steps comes to an end */
    }
}

static uint32_t request(ff_link *link, uint8_t type, uint8_t sequence, const uint8_t *payload,
                        uint32_t count) {
    uint8_t block[2 * (PAYLOAD + 64)];
    uint8_t *raw = block + PAYLOAD + 32;
    if (count > PAYLOAD + 8) count = PAYLOAD + 8; /* a little too long is worth a try */
    uint8_t encoded[PAYLOAD + 64];
    raw[0] = type;
    raw[1] = sequence;
    memcpy(raw + 2, payload, count);
    uint32_t n = ff_encode(encoded, raw, count + 2);
    return drive(link, encoded, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint32_t image_words[SAMPLE_MOST / 4], arena[1024], buffer[512], stage[STAGE / 4], word;
    uint8_t *image = (uint8_t *)image_words;
    ff_device device;
    ff_link link;
    memset(&device, 0, sizeof device);
    memset(flash, 0xFF, 2 * SLOT);
    word = size && data[0] & 8 ? 8 : 4;
    device.flash = (ff_flash){flash, SLOT, PAGE, erase, program, &word, (uint8_t)word};
    device.stage = (uint8_t *)stage;
    device.stage_bytes = size && data[0] & 16 ? STAGE : 0;
    device.can_restart = 1;
    device.arena = (uint8_t *)arena;
    device.arena_bytes = sizeof arena;
    device.target = "fuzz";
    device.window = 1;
    if (ff_link_bytes(PAYLOAD, PAYLOAD) > sizeof buffer) abort();
    ff_link_start(&link, &device, (uint8_t *)buffer, PAYLOAD, PAYLOAD);
    ff_device_start(&device);
    if (size && data[0] & 1) { /* flash a model by the wire first */
        uint32_t bytes = sample_image(image, (data[0] >> 1) & 1, (data[0] >> 2) & 1, data[0] & 8 ? 4 : 8);
        if (!(data[0] & 6)) sample_stage(image, bytes, data[0] >> 6);
        uint8_t begin[12], piece[4 + 56];
        ff_put32(begin, FF_KIND_IMAGE);
        ff_put32(begin + 4, bytes);
        ff_put32(begin + 8, ff_crc32(0, image, bytes));
        request(&link, 0x10, 1, begin, 12);
        for (uint32_t at = 0; at < bytes; at += 56) {
            uint32_t n = bytes - at < 56 ? bytes - at : 56;
            ff_put32(piece, at);
            memcpy(piece + 4, image + at, n);
            request(&link, 0x11, 2, piece, n + 4);
        }
        request(&link, 0x12, 3, piece, 0);
        if (!device.loaded) abort();
    }
    for (size_t i = 1; i + 3 <= size;) {
        uint8_t type = data[i], sequence = data[i + 1];
        size_t count = data[i + 2];
        i += 3;
        if (count > size - i) count = size - i;
        if (type == 0xFF)
            drive(&link, data + i, (uint32_t)count);
        else
            request(&link, type, sequence, data + i, (uint32_t)count);
        i += count;
    }
    static const uint8_t ZERO = 0;
    drive(&link, &ZERO, 1); /* ends whatever frame was open */
    static const uint8_t HELLO[2] = {2, 0};
    if (request(&link, 0x01, 9, HELLO, 2) == 0) abort(); /* it still answers */
    if (device.loaded) {
        ff_status last = ff_device_start(&device);
        if (last != FF_OK) abort(); /* and finds its model again */
    }
    return 0;
}
