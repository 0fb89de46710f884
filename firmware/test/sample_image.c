#include "sample_image.h"
#include "ff_bytes.h"
#include "ff_crc32.h"
#include <string.h>

void sample_seal(uint8_t *object, uint32_t bytes) {
    ff_put32(object + 8, bytes);
    ff_put32(object + 12, ff_crc32(0, object + 16, bytes - 16));
}

uint32_t sample_image(uint8_t *to, uint8_t encoding, uint8_t objective) {
    static const uint16_t NEURONS[2] = {6, 3};
    const uint8_t learns = !objective;
    uint32_t n = (uint32_t)SAMPLE_RAW << encoding, at = 48 + 2 * 32, means = 0, random = 1;
    if (objective) n += SAMPLE_CLASSES;
    memset(to, 0, SAMPLE_MOST);
    memcpy(to, "FFM1", 4);
    ff_put16(to + 4, 1);
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
        uint32_t weights = n * NEURONS[l], bytes = (weights + 3) & ~(uint32_t)3;
        ff_put16(p, (uint16_t)n);
        ff_put16(p + 2, NEURONS[l]);
        p[4] = 8;
        p[6] = 8;
        p[7] = learns;
        ff_put32(p + 8, at);
        ff_put32(p + 12, bytes);
        p[16] = 5;
        ff_put16(p + 18, 20000);
        for (uint32_t i = 0; i < weights; i++) {
            random = random * 1664525u + 1013904223u;
            to[at + i] = (uint8_t)(int8_t)((int32_t)(random >> 24) % 127 - 63);
        }
        at += bytes;
        means += learns ? n : 0;
        n = NEURONS[l];
    }
    uint8_t *state = to + at;
    uint32_t state_bytes = (48 + 2 * 12 + SAMPLE_CLASSES * 8 + 2 * means + 3) & ~(uint32_t)3;
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
        uint8_t *p = state + 48 + 12 * l;
        ff_put32(p, 100000);
        ff_put16(p + 4, 30000);
        ff_put16(p + 6, 20000);
        ff_put16(p + 8, 300);
        p[10] = 16;
    }
    for (int c = 0; c < SAMPLE_CLASSES; c++)
        ff_put32(state + 72 + 4 * c, 90000);
    sample_seal(to, at + state_bytes);
    return at + state_bytes;
}

uint32_t sample_add(uint8_t *to, const uint8_t *image, uint32_t base, uint32_t ticket) {
    memset(to, 0, 68);
    memcpy(to, "FFP1", 4);
    ff_put16(to + 4, 1);
    ff_put16(to + 6, 32);
    ff_put32(to + 16, base);
    ff_put32(to + 20, base + 1);
    ff_put32(to + 24, ticket);
    ff_put32(to + 28, 2);
    ff_put32(to + 32, ff_get32(image + 48 + 8));
    ff_put32(to + 36, 8);
    to[40] = 1;
    memset(to + 44, 3, 8);
    ff_put32(to + 52, ff_get32(image + 32) + 72);
    ff_put32(to + 56, 4);
    ff_put32(to + 64, 12345);
    sample_seal(to, 68);
    return 68;
}
