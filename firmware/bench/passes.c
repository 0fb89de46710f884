#include "passes.h"
#include "goodness.h"
#include "kernels/ff_columns.h"

#define NEURONS 256u

uint32_t passes_image[PASSES_IMAGE / 4];
passes_samples passes_test, passes_stream;

static uint32_t arena[PASSES_IMAGE / 4];
static uint8_t inputs[PASSES_SAMPLES * PASSES_RAW]; /* of the first layer */
static int32_t products[PASSES_SAMPLES * NEURONS];
static ff_result results[PASSES_SAMPLES];
static ff_model model;
static ff_fault fault;
static uint32_t hash;

static void mix(const void *bytes, size_t count) {
    hash = ff_crc32(hash, bytes, (ff_size)count);
}

uint32_t passes_open(uint32_t bytes) {
    const ff_status status = ff_model_open(&model, (const uint8_t *)passes_image, bytes, &fault);
    if (status != FF_OK) return (uint32_t)status;
    return model.raw != PASSES_RAW || model.layer[0].n != PASSES_RAW || model.layer[0].m > NEURONS ? FF_LIMIT
                                                                                                   : 0;
}

void passes_infer_start(void) {
    ff_model_bind(&model, 0, arena, sizeof arena, &fault);
    for (uint32_t i = 0; i < passes_test.count; i++) {
        ff_forward(&model, passes_test.bytes + i * PASSES_RAW, 0, 0, 0);
        memcpy(inputs + i * PASSES_RAW, model.x, PASSES_RAW);
    }
    mix(inputs, passes_test.count * PASSES_RAW);
}

/* Weights of the first layer, where they lie in the image. */
static const int8_t *weights(void) {
    return (const int8_t *)(model.image + model.layer[0].weights_at);
}

void passes_product_start(void) {
    memset(products, 0, sizeof products);
}

void passes_product(void) {
    const uint16_t n = model.layer[0].n, m = model.layer[0].m;
    if (model.layer[0].weight_bits != 8)
        for (uint32_t i = 0; i < passes_test.count; i++)
            ff_columns_s4(products + i * m, weights(), inputs + i * n, n, m);
    else
        for (uint32_t i = 0; i < passes_test.count; i++)
            ff_columns_s8(products + i * m, weights(), inputs + i * n, n, m);
}

void passes_dense(void) {
    const uint16_t n = model.layer[0].n, m = model.layer[0].m;
    for (uint32_t i = 0; i < passes_test.count; i++) {
        const int8_t *w = weights();
        const uint8_t *x = inputs + i * n;
        int32_t *acc = products + i * m;
        for (unsigned k = 0; k < n; k++, w += m)
            for (unsigned j = 0; j < m; j++)
                acc[j] += w[j] * x[k];
    }
}

void passes_product_mix(void) {
    mix(products, sizeof products);
}

void passes_infer(void) {
    for (uint32_t i = 0; i < passes_test.count; i++)
        ff_infer(&model, passes_test.bytes + i * PASSES_RAW,
                 passes_test.bytes[passes_test.count * PASSES_RAW + i], results + i);
}

void passes_learn_start(void) {
    ff_model_bind(&model, 1, arena, sizeof arena, &fault);
}

void passes_learn(void) {
    for (uint32_t i = 0; i < passes_stream.count; i++)
        ff_learn(&model, passes_stream.bytes + i * PASSES_RAW,
                 passes_stream.bytes[passes_stream.count * PASSES_RAW + i], results + i);
}

void passes_results_mix(void) {
    mix(results, sizeof results);
    if (!model.learning) return;
    mix(model.state_ram, model.state_bytes);
    for (uint8_t l = 0; l < model.layers; l++)
        if (model.layer[l].learned) mix(model.layer[l].learned, model.layer[l].weights_bytes);
}

uint32_t passes_hash(void) {
    return hash;
}
