/*
 * Whatever comes over the line or lies in a slot: the bootloader's readers stay within their bounds
 * (sanitizers watch) and the firmware that runs stays what it is. Requests are made well formed, then broken
 * in some places, so that they get far.
 */
#include "console.h"
#include "rig.h"
#include "server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t sent[4 * CONSOLE_PACKET];
static uint32_t sent_count;
static server smp;
static console line;

static void collect(uint8_t byte) {
    if (sent_count == sizeof sent) abort();
    sent[sent_count++] = byte;
}

/* A packet through the framing and back: it must arrive as it was sent. */
static void framing(const uint8_t *packet, uint32_t count) {
    uint32_t arrived = 0, width = 0;
    sent_count = 0;
    console_send(packet, count, collect);
    for (uint32_t i = 0; i < sent_count; i++) {
        width = sent[i] == '\n' ? 0 : width + 1;
        if (width > 126 || (arrived && i)) abort();
        arrived = console_take(&line, sent[i]);
    }
    if (arrived != count || memcmp(line.buffer + 2, packet, count) != 0) abort();
}

/* The same with some bytes broken: nothing else may arrive, but by a CRC that fits by chance. */
static uint32_t broken_framing(const uint8_t *packet, uint32_t count) {
    uint32_t arrived = 0;
    for (uint32_t k = 1 + rig_draw() % 3; k--;)
        sent[rig_draw() % sent_count] ^= (uint8_t)(1u << rig_draw() % 8);
    for (uint32_t i = 0; i < sent_count; i++) {
        const uint32_t got = console_take(&line, sent[i]);
        arrived += got && (got != count || memcmp(line.buffer + 2, packet, count) != 0);
    }
    return arrived;
}

static uint8_t *text(uint8_t *p, const char *s) {
    const uint32_t n = (uint32_t)strlen(s);
    *p++ = (uint8_t)(0x60 | n);
    memcpy(p, s, n);
    return p + n;
}

/* A request with a map of some keys, each with a value that suits it more or less. */
static uint32_t request(uint8_t *packet) {
    static const char *const KEYS_AND_MORE[] = {"off",     "len",     "image", "slot", "boot_mode",
                                                "data",    "sha",     "hash",  "d",    "query",
                                                "confirm", "upgrade", "offs",  "x",    ""};
    static const uint8_t IDS[] = {0, 0, 5, 6, 8, 0, 1, 1, 1, 5, 7};
    uint8_t *p = packet + 8;
    const uint32_t pairs = rig_draw() % 6, boundless = rig_draw() & 1;
    *p++ = (uint8_t)(boundless ? 0xBF : 0xA0 + pairs);
    for (uint32_t i = 0; i < pairs; i++) {
        const uint32_t kind = rig_draw() % 6, n = rig_draw() % 5 ? 32 : rig_draw() % 24;
        p = text(p, KEYS_AND_MORE[rig_draw() % 15]);
        if (kind == 0) {
            *p++ = (uint8_t)(rig_draw() % 24);
        } else if (kind == 1) {
            *p++ = (uint8_t)(0x18 + rig_draw() % 3);
            for (uint32_t k = 1u << (p[-1] - 0x18); k--;)
                *p++ = (uint8_t)(rig_draw() & rig_draw());
        } else if (kind < 5) {
            *p++ = kind == 4 ? 0x78 : 0x58;
            *p++ = (uint8_t)n;
            for (uint32_t k = n; k--;)
                *p++ = (uint8_t)rig_draw();
        } else {
            *p++ = (uint8_t)(0xF4 + rig_draw() % 3);
        }
    }
    if (boundless) *p++ = 0xFF;
    const uint32_t which = rig_draw() % sizeof IDS, count = (uint32_t)(p - packet);
    const uint8_t header[8] = {(uint8_t)(rig_draw() % 4 ? rig_draw() & 2 : rig_draw()),
                               0,
                               (uint8_t)((count - 8) >> 8),
                               (uint8_t)(count - 8),
                               0,
                               (uint8_t)(which > 4),
                               (uint8_t)rig_draw(),
                               IDS[which]};
    memcpy(packet, header, 8);
    return count;
}

/* The copy has no byte to spare, so that sanitizers see a read behind its end. */
static void take(const uint8_t *packet, uint32_t count) {
    uint8_t *exact = malloc(count);
    if (!exact) abort();
    memcpy(exact, packet, count);
    server_take(&smp, exact, count);
    free(exact);
    if (smp.answer_bytes > sizeof smp.answer) abort();
}

int main(void) {
    static uint8_t packet[CONSOLE_PACKET], image[BOOT_SLOT_BYTES], before[BOOT_SLOT_BYTES];
    uint32_t requests = 0, refused = 0, broken = 0, images = 0, runnable = 0, chance = 0;
    memset(rig_flash, 0xFF, sizeof rig_flash);
    rig_image(rig_flash + BOOT_SLOT_0, 600, 1, 1);
    memcpy(before, rig_flash + BOOT_SLOT_0, sizeof before);
    for (uint32_t round = 0; round < 60000; round++) {
        const uint32_t count = request(packet);
        if (round % 2)
            for (uint32_t k = 1 + rig_draw() % 3; k--;)
                packet[rig_draw() % count] ^= (uint8_t)(1u << rig_draw() % 8);
        take(packet, round % 7 ? count : rig_draw() % count);
        requests++;
        refused += smp.answer_bytes == 13 && memcmp(smp.answer + 8, "\xA1\x62rc", 4) == 0;
        if (memcmp(before, rig_flash + BOOT_SLOT_0, sizeof before) != 0) abort();
        if (round % 4 == 0) {
            framing(packet, count);
            chance += broken_framing(packet, count);
            broken++;
        }
    }
    /* lengths of an image, and everything else in its header and tags */
    const uint32_t bytes = rig_image(image, 600, 2, 2);
    for (uint32_t round = 0; round < 60000; round++) {
        boot_image found;
        memcpy(rig_flash + BOOT_SLOT_1, image, bytes);
        for (uint32_t k = 1 + rig_draw() % 2; k--;) {
            const uint32_t at = rig_draw() % 64;
            rig_flash[BOOT_SLOT_1 + (at < 24 ? at : bytes - 64 + at)] = (uint8_t)rig_draw();
        }
        runnable += (uint32_t)image_check(BOOT_SLOT_1, &found);
        if (found.bytes > BOOT_ROOM) abort();
        images++;
    }
    printf("%u requests, %u refused; %u broken lines, %u taken for others; %u images, %u still whole\n",
           (unsigned)requests, (unsigned)refused, (unsigned)broken, (unsigned)chance, (unsigned)images,
           (unsigned)runnable);
    /* A CRC of 16 bits lets one in 65,536 pass; bytes of an image that were set to what they were stay right.
     */
    return chance > 3 || refused == 0 || refused == requests || runnable > images / 10;
}
