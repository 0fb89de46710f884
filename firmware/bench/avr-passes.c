/*
 * The core's passes on an ATmega328P, as bench/passes.c has them for larger processors: `npm run bench:simd`
 * builds this with a model and samples (avr-model.h), and avr-cycles.c runs it. GPIOR0 says which pass
 * begins, or that it has ended (0); bytes of GPIOR1 are a checksum of what was computed.
 */
#include "avr-model.h" /* IMAGE, SAMPLES and LABELS in flash, SAMPLE_COUNT, RAW */
#include "goodness.h"
#include "kernels/ff_columns.h"
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>

enum { LOAD = 1, PRODUCT, INFER, LEARN, DONE = 0xFF };

static uint8_t arena[1000] __attribute__((aligned(4)));
static ff_model model;
static uint32_t hash;

void ff_rom_read(void *to, ff_rom at, ff_size count) {
    uint8_t *byte = to;
    while (count--)
        *byte++ = pgm_read_byte(at++);
}

/* Another sample for each pass; its label. */
static uint8_t sample(uint8_t i, uint8_t *x) {
    memcpy_P(x, SAMPLES + i * RAW, RAW);
    return pgm_read_byte(LABELS + i);
}

static void mix(const void *bytes, ff_size count) {
    hash = ff_crc32(hash, bytes, count);
}

static void infer(const uint8_t *x, uint8_t label, ff_result *result) {
    ff_infer(&model, x, label, result);
}

static void learn(const uint8_t *x, uint8_t label, ff_result *result) {
    ff_learn(&model, x, label, result);
}

static void each(uint8_t pass, void (*work)(const uint8_t *x, uint8_t label, ff_result *result)) {
    ff_result result;
    uint8_t x[RAW];
    for (uint8_t i = 0; i < SAMPLE_COUNT; i++) {
        const uint8_t label = sample(i, x);
        GPIOR0 = pass;
        work(x, label, &result);
        GPIOR0 = 0;
        mix(&result, sizeof result);
    }
}

static void products(void) {
    int32_t acc[32];
    uint8_t x[RAW];
    for (uint8_t i = 0; i < SAMPLE_COUNT; i++) {
        sample(i, x);
        ff_forward(&model, x, 0, 0, 0);
        memset(acc, 0, sizeof acc);
        GPIOR0 = PRODUCT;
        ff_columns_s8(acc, model.layer[0].learned, model.x, model.layer[0].n, model.layer[0].m);
        GPIOR0 = 0;
        mix(acc, sizeof acc);
    }
}

int main(void) {
    ff_fault fault;
    GPIOR0 = LOAD;
    uint8_t failed = ff_model_open(&model, (ff_rom)IMAGE, sizeof IMAGE, &fault) != FF_OK;
    GPIOR0 = 0;
    if (!failed) failed = ff_model_bind(&model, 1, arena, sizeof arena, &fault) != FF_OK;
    if (!failed) {
        products();
        each(INFER, infer);
        each(LEARN, learn);
        mix(model.state_ram, model.state_bytes);
        mix(model.layer[0].learned, model.layer[0].weights_bytes);
    }
    for (uint8_t i = 0; i < 4; i++)
        GPIOR1 = (uint8_t)(failed ? 0 : hash >> 8 * i);
    GPIOR0 = DONE;
    for (;;)
        ;
}
