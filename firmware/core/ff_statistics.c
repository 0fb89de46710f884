#include "ff_statistics.h"
#include "ff_bytes.h"
#include "ff_math.h"

#define HEADER 4

/* Bytes of one class: count, then one or two numbers of 16 bits per input, padded. */
static uint32_t class_bytes(uint16_t raw, uint8_t level) {
    return (4 + 2 * (uint32_t)level * raw + 3) & ~(uint32_t)3;
}

uint32_t ff_statistics_bytes(const ff_model *model, uint8_t level) {
    return HEADER + model->classes * class_bytes(model->raw, level);
}

void ff_statistics_start(ff_statistics *statistics, const ff_model *model, uint8_t level, uint8_t *block) {
    statistics->block = block;
    statistics->bytes = ff_statistics_bytes(model, level);
    statistics->random = 0x2545F491;
    ff_clear(block, statistics->bytes);
    block[0] = level;
    block[1] = model->classes;
    ff_put16(block + 2, model->raw);
}

/* mean += (v - mean) / n, rounded down after adding u / 65536: on average nothing is lost. |v - mean| < 2^16,
 * n * u < 2^32. */
static void follow(uint8_t *p, uint32_t v, uint32_t n, uint32_t u) {
    uint16_t mean = ff_get16(p);
    int32_t a = (int32_t)v - mean + (int32_t)((n * u) >> 16);
    int32_t q = a / (int32_t)n;
    if (a % (int32_t)n < 0) q--;
    ff_put16(p, (uint16_t)(mean + q));
}

void ff_statistics_add(ff_statistics *statistics, const uint8_t *x, uint8_t label) {
    if (!statistics->block) return;
    const uint8_t level = statistics->block[0];
    const uint16_t raw = ff_get16(statistics->block + 2);
    uint8_t *p = statistics->block + HEADER + label * class_bytes(raw, level);
    ff_count32(p);
    uint32_t n = ff_get32(p);
    if (n > 65535) n = 65535;
    statistics->random = ff_xorshift32(statistics->random);
    uint32_t dither = statistics->random;
    p += 4;
    for (uint32_t i = 0; i < raw; i++, p += 2, dither += FF_DITHER_INPUT) {
        follow(p, (uint32_t)x[i] << 8, n, dither >> 16);
        if (level > 1) follow(p + 2 * (uint32_t)raw, (uint32_t)x[i] * x[i], n, dither >> 16);
    }
}
