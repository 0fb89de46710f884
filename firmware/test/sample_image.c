#include "sample_image.h"
#include "ff_bytes.h"
#include "ff_crc32.h"
#include <string.h>

void sample_seal(uint8_t *object, uint32_t bytes) {
    ff_put32(object + 8, bytes);
    ff_put32(object + 12, ff_crc32(0, object + 16, bytes - 16));
}

uint32_t sample_image(uint8_t *to, uint8_t encoding, uint8_t objective, uint8_t bits) {
    static const uint16_t NEURONS[2] = {6, 3};
    const uint8_t learns = !objective;
    uint32_t n = (uint32_t)SAMPLE_RAW << encoding, at = 48 + 2 * 32, means = 0, random = 1;
    if (objective) n += SAMPLE_CLASSES;
    memset(to, 0, SAMPLE_MOST);
    memcpy(to, "FFM1", 4);
    ff_put16(to + 4, 2);
    ff_put16(to + 6, 48);
    ff_put16(to + 16, SAMPLE_RAW);
    to[18] = SAMPLE_CLASSES;
    to[19] = 2;
    to[20] = objective;
    to[21] = encoding;
    to[22] = 1;
    to[23] = objective ? 255 : 0;
    ff_put32(to + 24, at);
    for (int l = 0; l < 2; l++) {
        uint8_t *p = to + 48 + 32 * l;
        const uint32_t stride = bits == 8 ? NEURONS[l] : (NEURONS[l] + 1u) / 2,
                       bytes = (n * stride + 3) & ~3u;
        const int32_t most = (1 << (bits - 1)) - 1;
        ff_put16(p, (uint16_t)n);
        ff_put16(p + 2, NEURONS[l]);
        p[4] = 8;
        p[6] = bits;
        p[17] = bits == 8 ? 8 : 4;
        p[7] = learns;
        ff_put32(p + 8, at);
        ff_put32(p + 12, bytes);
        p[16] = 5;
        ff_put16(p + 18, 20000);
        for (uint32_t i = 0; i < n * NEURONS[l]; i++) {
            const uint32_t j = i % NEURONS[l];
            uint8_t *column = to + at + i / NEURONS[l] * stride;
            random = random * 1664525u + 1013904223u;
            const int32_t w = (int32_t)(random >> 24) % most - most / 2;
            if (bits == 8)
                column[j] = (uint8_t)w;
            else
                column[j / 2] |= (uint8_t)((w & 15) << (j % 2 * 4));
        }
        at += bytes;
        means += learns ? n : 0;
        n = NEURONS[l];
    }
    uint8_t *state = to + at;
    uint32_t state_bytes = (48 + 2 * 16 + SAMPLE_CLASSES * 8 + 2 * means + 3) & ~(uint32_t)3;
    ff_put32(to + 32, at);
    ff_put32(to + 36, state_bytes);
    ff_put32(state, 0xABCD);
    ff_put32(state + 8, 1);
    ff_put16(state + 36, 3000);
    ff_put16(state + 38, 282);
    state[40] = 51;
    state[41] = 8;
    state[42] = 6;
    state[43] = 2;
    for (int l = 0; l < 2; l++) {
        uint8_t *p = state + 48 + 16 * l;
        ff_put32(p, 100000);
        ff_put16(p + 4, 30000);
        ff_put16(p + 6, 20000);
        ff_put16(p + 8, 300);
        p[12] = 16;
    }
    for (int c = 0; c < SAMPLE_CLASSES; c++)
        ff_put32(state + 80 + 4 * c, 90000);
    sample_seal(to, at + state_bytes);
    return at + state_bytes;
}

void sample_stage(uint8_t *image, uint32_t bytes, uint8_t kind) {
    if (kind & 1) {
        image[41] = 9;
        image[42] = 8;
    }
    if (kind & 2) {
        ff_put16(image + 16, SAMPLE_UPPER_RAW);
        image[22] = 2;
        image[40] = 1;
    }
    sample_seal(image, bytes);
}

uint32_t sample_add(uint8_t *to, const uint8_t *image, uint32_t base, uint32_t ticket) {
    memset(to, 0, 68);
    memcpy(to, "FFP1", 4);
    ff_put16(to + 4, 2);
    ff_put16(to + 6, 32);
    ff_put32(to + 16, base);
    ff_put32(to + 20, base + 1);
    ff_put32(to + 24, ticket);
    ff_put32(to + 28, 2);
    ff_put32(to + 36, 8); /* from the first weight of the first layer on */
    to[40] = 1;
    memset(to + 44, 3, 8);
    ff_put32(to + 52, ff_get32(image + 32) + 80);
    ff_put32(to + 56, 4);
    ff_put32(to + 64, 12345);
    sample_seal(to, 68);
    return 68;
}
