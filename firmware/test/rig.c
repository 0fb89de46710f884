#include "rig.h"
#include "ff_bytes.h"
#include "ff_crc32.h"
#include <stdlib.h>
#include <string.h>

static uint32_t words[2 * RIG_SLOT / 4], base[RIG_SLOT / 4], stage[RIG_STAGE / 4], arena[512], buffer[2][128];
static uint8_t sequence;

ff_device rig_device;
ff_link rig_link[2];
uint8_t *const rig_flash = (uint8_t *)words;
uint8_t *const rig_base = (uint8_t *)base;
uint32_t rig_stage_bytes, rig_erases;
int (*rig_operation)(uint8_t *at, const uint8_t *from);

#if FF_ROM_FAR

/* Memory that has got a number: region k starts at (k + 1) << 12. */
static struct {
    const uint8_t *p;
    uint32_t bytes;
} region[15];

ff_rom rig_rom(const void *p, uint32_t bytes) {
    for (uint32_t k = 0; k < 15; k++) {
        if (region[k].p && region[k].p != p) continue;
        region[k].p = p;
        region[k].bytes = bytes;
        return (ff_rom)((k + 1) << 12);
    }
    abort();
}

void ff_rom_read(void *to, ff_rom at, ff_size count) {
    const uint32_t k = (uint32_t)(at >> 12) - 1, from = at & 0xFFF;
    if (k >= 15 || !region[k].p || from > region[k].bytes || count > region[k].bytes - from) abort();
    memcpy(to, region[k].p + from, count);
}

#else

ff_rom rig_rom(const void *p, uint32_t bytes) {
    (void)bytes;
    return p;
}

#endif

static int erase(void *user, ff_size offset) {
    (void)user;
    if (offset % RIG_PAGE || offset >= 2 * RIG_SLOT) abort();
    rig_erases++;
    if (RIG_EEPROM && offset % RIG_SLOT) return 0;
    if (rig_operation && rig_operation(rig_flash + offset, 0) < 0) return -1;
    memset(rig_flash + offset, 0xFF, RIG_PAGE);
    return 0;
}

/* Flash can only clear bits, and takes no word twice between two erases. */
static int program(void *user, ff_size offset, const uint8_t *from, ff_size count) {
    (void)user;
    if (offset % RIG_WORD || count % RIG_WORD || offset + count > 2 * RIG_SLOT || (uintptr_t)from % 4)
        abort();
    for (uint32_t i = 0; i < count; i += RIG_WORD) {
        uint8_t *at = rig_flash + offset + i;
        for (uint32_t k = 0; !RIG_EEPROM && k < RIG_WORD; k++)
            if (at[k] != 0xFF) abort();
        if (rig_operation && rig_operation(at, from + i) < 0) return -1;
        memcpy(at, from + i, RIG_WORD);
    }
    return 0;
}

ff_status rig_boot(void) {
    memset(&rig_device, 0, sizeof rig_device);
    memset(arena, 0xA5, sizeof arena);
    memset(stage, 0xA5, sizeof stage);
    rig_device.flash.map = rig_rom(words, sizeof words);
    rig_device.flash.slot_bytes = RIG_SLOT;
    rig_device.flash.page_bytes = RIG_PAGE;
    rig_device.flash.erase = erase;
    rig_device.flash.program = program;
    rig_device.flash.word_bytes = RIG_WORD;
    rig_device.arena = (uint8_t *)arena;
    rig_device.arena_bytes = sizeof arena;
    rig_device.stage = (uint8_t *)stage;
    rig_device.stage_bytes = rig_stage_bytes;
#if FF_ROM_FAR
    rig_device.stage_rom = rig_rom(stage, sizeof stage);
#endif
#if FF_RECORDS
    rig_device.base = rig_rom(base, sizeof base);
    rig_device.base_bytes = sizeof base;
#endif
    rig_device.target = "rig";
    rig_device.window = 1;
    rig_device.keeps_store = 1;
    if (ff_link_bytes(RIG_PAYLOAD, RIG_PAYLOAD) > sizeof buffer[0]) abort();
    for (int i = 0; i < 2; i++)
        ff_link_start(&rig_link[i], &rig_device, (uint8_t *)buffer[i], RIG_PAYLOAD, RIG_PAYLOAD);
    return ff_device_start(&rig_device);
}

void rig_slot(uint8_t *to, const uint8_t *object, uint32_t bytes, uint32_t kind, uint32_t number) {
    const uint32_t header[6] = {0x31534646, number, bytes, ff_crc32(0, object, bytes), kind, 0xFFFFFFFF};
    memset(to, 0xFF, RIG_SLOT);
    memcpy(to, header, sizeof header);
    ff_put32(to + 24, ff_crc32(0, to, 24));
    ff_put32(to + 28, 0x600DF00D);
    memcpy(to + 32, object, bytes);
}

int rig_fresh(const uint8_t *image, uint32_t bytes) {
    memset(rig_flash, 0xFF, 2 * RIG_SLOT);
#if FF_RECORDS
    rig_slot(rig_base, image, bytes, FF_KIND_IMAGE, 1);
    return rig_boot();
#else
    rig_boot();
    return rig_transfer(&rig_link[0], FF_KIND_IMAGE, image, bytes);
#endif
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
    for (uint32_t at = from; at < to; at += RIG_PIECE) {
        uint32_t count = to - at < RIG_PIECE ? to - at : RIG_PIECE;
        ff_put32(payload, at);
        memcpy(payload + 4, object + at, count);
        int status = rig_request(link, RIG_WRITE, payload, 4 + count, 0);
        if (status != FF_OK) return status;
    }
    return FF_OK;
}

int rig_hello(ff_link *link, uint8_t *answer) {
    static const uint8_t PROTOCOL[2] = {2, 0};
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
