/* Goodness of groups of neurons, and the default loss on it with its slope. */
#include "kernel.h"

/* Rows of an item. */
#define PORTION 32

typedef struct {
    const layer *layer;
    float *goodness; /* (rows, groups) */
    uint32_t groups;
    float factor;
} measuring;

static void measure_item(const void *context, uint32_t item, void *scratch) {
    (void)scratch;
    const measuring *job = context;
    const layer *l = job->layer;
    const uint32_t size = l->outputs / job->groups;
    const uint32_t begin = item * PORTION * job->groups;
    const uint32_t rows = l->rows - item * PORTION < PORTION ? l->rows - item * PORTION : PORTION;
    for (uint32_t g = begin; g < begin + rows * job->groups; g++) {
        const float *y = l->activities + g * size;
        v128_t sums = wasm_f32x4_splat(0);
        uint32_t j = 0;
        for (; j + 4 <= size; j += 4)
            sums = wasm_f32x4_add(sums, wasm_f32x4_mul(wasm_v128_load(y + j), wasm_v128_load(y + j)));
        float sum = sum_lanes(sums);
        for (; j < size; j++)
            sum += y[j] * y[j];
        job->goodness[g] = sum * job->factor;
    }
}

/* Sums of the squares of layer.activities over groups, times a factor. */
EXPORT(measure) void measure(const layer *l, float *goodness, uint32_t groups, float factor) {
    const measuring job = {l, goodness, groups, factor};
    share(measure_item, &job, (l->rows + PORTION - 1) / PORTION, l->rows * l->outputs);
}

/*
 * e^x for x <= 0 (Cephes' expf): within 2 units of the last place down to e^-60, below which nothing counts
 * here. Smaller numbers would soon make denormal ones, which processors are slow at.
 */
INLINE v128_t exp4(v128_t x) {
    x = wasm_f32x4_pmax(wasm_f32x4_splat(-60), x);
    const v128_t n = wasm_f32x4_nearest(wasm_f32x4_mul(x, wasm_f32x4_splat(1.44269504F)));
    v128_t r = wasm_f32x4_sub(x, wasm_f32x4_mul(n, wasm_f32x4_splat(0.693359375F)));
    r = wasm_f32x4_add(r, wasm_f32x4_mul(n, wasm_f32x4_splat(2.12194440e-4F)));
    static const float terms[] = {1.3981999507e-3F, 8.3334519073e-3F, 4.1665795894e-2F, 1.6666665459e-1F,
                                  5.0000001201e-1F};
    v128_t p = wasm_f32x4_splat(1.9875691500e-4F);
    for (uint32_t k = 0; k < 5; k++)
        p = wasm_f32x4_add(wasm_f32x4_mul(p, r), wasm_f32x4_splat(terms[k]));
    p = wasm_f32x4_add(wasm_f32x4_mul(wasm_f32x4_mul(p, r), r), wasm_f32x4_add(r, wasm_f32x4_splat(1)));
    const v128_t power =
        wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), wasm_i32x4_splat(127)), 23);
    return wasm_f32x4_mul(p, power);
}

/* log(1 + e) for e from 0 to 1: 2 atanh(e / (2 + e)). */
INLINE v128_t log1p4(v128_t e) {
    const v128_t s = wasm_f32x4_div(e, wasm_f32x4_add(e, wasm_f32x4_splat(2)));
    const v128_t q = wasm_f32x4_mul(s, s);
    v128_t p = wasm_f32x4_splat(1.0F / 13);
    for (int k = 11; k >= 1; k -= 2)
        p = wasm_f32x4_add(wasm_f32x4_mul(p, q), wasm_f32x4_splat(1.0F / (float)k));
    return wasm_f32x4_mul(wasm_f32x4_mul(s, p), wasm_f32x4_splat(2));
}

/* log(x) for x >= 1. */
static float log1(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, 4);
    const int exponent = (int)(bits >> 23) - 127;
    bits = (bits & 0x7FFFFF) | 127U << 23;
    float m;
    __builtin_memcpy(&m, &bits, 4);
    return (float)exponent * 0.693147181F + wasm_f32x4_extract_lane(log1p4(wasm_f32x4_splat(m - 1)), 0);
}

/* As LossConfig of the host, in this order; the reciprocals of temperatures. */
typedef struct {
    float theta;
    float contrast;
    float coldness;
    float sharpness;
    float negative_weight;
    float collaboration;
} loss_config;

#define MOST_GROUPS 256

/*
 * The loss of class-partitioned layers, as partitionedLoss of the host defines it, for rows that all have a
 * label. goodness, total and slopes are (rows, groups). Returns the loss summed up over the rows.
 */
EXPORT(partitioned_loss)
float partitioned_loss(const loss_config *c, const float *goodness, const float *total, const uint8_t *labels,
                       uint32_t rows, uint32_t groups, float *slopes) {
    float logits[MOST_GROUPS + 4], signs[MOST_GROUPS + 4], own[MOST_GROUPS + 4];
    const float share = 1 / (float)rows;
    const float positive = 1 - c->contrast, negative = positive * c->negative_weight;
    float loss = 0;
    for (uint32_t r = 0; r < rows; r++) {
        const float *g = goodness + r * groups, *t = total + r * groups;
        const uint32_t truth = labels[r];
        float highest = -__builtin_inff();
        for (uint32_t k = 0; k < groups; k++) {
            own[k] = g[k];
            logits[k] = (g[k] + c->collaboration * (t[k] - g[k])) * c->coldness;
            highest = logits[k] > highest ? logits[k] : highest;
            signs[k] = 1;
        }
        signs[truth] = -1;
        for (uint32_t k = groups; k % 4; k++) { /* lanes that count for nothing */
            own[k] = 0;
            logits[k] = -__builtin_inff();
            signs[k] = 0;
        }
        const float truth_logit = logits[truth] - highest;
        v128_t sums = wasm_f32x4_splat(0);
        for (uint32_t k = 0; k < groups; k += 4) {
            const v128_t live = wasm_f32x4_abs(wasm_v128_load(signs + k));
            const v128_t e = exp4(wasm_f32x4_sub(wasm_v128_load(logits + k), wasm_f32x4_splat(highest)));
            sums = wasm_f32x4_add(sums, wasm_f32x4_mul(e, live));
            wasm_v128_store(logits + k, e);
        }
        const float sum = sum_lanes(sums);
        const float slope = c->contrast * c->coldness * share;
        const v128_t part = wasm_f32x4_splat(slope / sum);
        v128_t losses = wasm_f32x4_splat(0);
        for (uint32_t k = 0; k < groups; k += 4) {
            const v128_t sign = wasm_v128_load(signs + k);
            const v128_t truths = wasm_f32x4_lt(sign, wasm_f32x4_splat(0));
            const v128_t weight =
                wasm_v128_bitselect(wasm_f32x4_splat(positive), wasm_f32x4_splat(negative), truths);
            /* softplus(x) and its slope, the sigmoid, from one exponential. */
            const v128_t excess =
                wasm_f32x4_mul(wasm_f32x4_sub(wasm_v128_load(own + k), wasm_f32x4_splat(c->theta)),
                               wasm_f32x4_splat(c->sharpness));
            const v128_t x = wasm_f32x4_mul(sign, excess);
            const v128_t e = exp4(wasm_f32x4_neg(wasm_f32x4_abs(x)));
            const v128_t up = wasm_f32x4_div(wasm_f32x4_splat(1), wasm_f32x4_add(wasm_f32x4_splat(1), e));
            const v128_t sigmoid =
                wasm_v128_bitselect(up, wasm_f32x4_mul(e, up), wasm_f32x4_ge(x, wasm_f32x4_splat(0)));
            const v128_t softplus = wasm_f32x4_add(wasm_f32x4_pmax(wasm_f32x4_splat(0), x), log1p4(e));
            losses = wasm_f32x4_add(losses,
                                    wasm_f32x4_mul(wasm_f32x4_mul(weight, softplus), wasm_f32x4_abs(sign)));
            const v128_t threshold =
                wasm_f32x4_mul(wasm_f32x4_mul(weight, sign),
                               wasm_f32x4_mul(sigmoid, wasm_f32x4_splat(c->sharpness * share)));
            const v128_t cross = wasm_f32x4_sub(wasm_f32x4_mul(wasm_v128_load(logits + k), part),
                                                wasm_v128_and(truths, wasm_f32x4_splat(slope)));
            wasm_v128_store(own + k, wasm_f32x4_add(cross, threshold));
        }
        copy_floats(slopes + r * groups, own, groups);
        loss += c->contrast * (log1(sum) - truth_logit) + sum_lanes(losses);
    }
    return loss;
}
