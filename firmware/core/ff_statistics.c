#include "ff_statistics.h"
#include "ff_bytes.h"
#include "ff_math.h"

#define HEADER 4

/* Bytes of one class: count, then one or two numbers of 16 bits per input, padded. */
FF_INLINE uint32_t class_bytes(uint16_t raw, uint8_t level) {
    return (4 + 2 * (uint32_t)level * raw + 3) & ~(uint32_t)3;
}

uint32_t ff_statistics_bytes(const ff_model *model, uint8_t level) {
    return HEADER + model->classes * class_bytes(model->raw, level);
}

void ff_statistics_start(ff_statistics *statistics, const ff_model *model, uint8_t level, uint8_t *block) {
    statistics->block = block;
    statistics->bytes = (ff_size)ff_statistics_bytes(model, level);
    statistics->random = 0x2545F491;
    ff_clear(block, statistics->bytes);
    block[0] = level;
    block[1] = model->classes;
    ff_set16(block + 2, model->raw);
}

/*
 * mean += floor((v - mean + u * n / 65536) / n): rounded down after adding a part u / 65536 of a step, so
 * that on average nothing is lost. n times BIAS makes all numbers positive: v - mean >= -65280, and with n <=
 * 65535 the sum is at most 65280 * 65535 + 65280 + 65535 < 2^32.
 */
#define BIAS 65280u
static uint8_t *follow(uint8_t *p, uint16_t v, uint16_t n, uint16_t u) {
    const uint16_t mean = ff_at16(p);
    const uint32_t sum = (uint32_t)n * BIAS + v + (((uint32_t)n * u) >> 16) - mean;
    ff_set16(p, (uint16_t)(mean + ff_divide(sum, n) - BIAS));
    return p + 2;
}

void ff_statistics_add(ff_statistics *statistics, const uint8_t *x, uint8_t label) {
    uint8_t *p = statistics->block;
    if (!p) return;
    const uint8_t level = p[0];
    const uint16_t raw = ff_at16(p + 2);
    p += HEADER + (ff_size)(label * class_bytes(raw, level));
    ff_count32(p);
    const uint32_t count = ff_at32(p);
    const uint16_t n = (uint16_t)(count > 65535 ? 65535 : count);
    statistics->random = ff_xorshift32(statistics->random);
    uint32_t dither = statistics->random;
    uint8_t *square = p + 4 + 2 * (ff_size)raw;
    p += 4;
    for (uint16_t i = 0; i < raw; i++, dither += FF_DITHER_INPUT) {
        const uint16_t u = (uint16_t)(dither >> 16);
        p = follow(p, (uint16_t)((uint16_t)x[i] << 8), n, u);
        if (level > 1) square = follow(square, (uint16_t)((uint16_t)x[i] * x[i]), n, u);
    }
}
