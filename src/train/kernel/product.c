/* relu(x W): sums of the weights' rows of those inputs that are not 0, in blocks of outputs that fit the
 * registers. */
#include "kernel.h"

/* Items of a job, at least, that many blocks of outputs make by themselves; else the rows are split as well.
 */
#define LEAST_ITEMS 8
/* Rows from which on a tile of weights is copied together first. */
#define WORTH_PACKING 8

typedef struct {
    const layer *layer;
    blocks blocks;
    uint32_t parts;   /* of the rows */
    uint32_t rectify; /* whether negative sums become 0 */
} multiplying;

/* Adds `count` listed inputs times their weights to `vectors` vectors of sums. */
INLINE void sum_block(uint32_t vectors, const float *weights, uint32_t stride, uint32_t first,
                      const uint32_t *index, const float *value, uint32_t count, float *sums, int begin,
                      int rectify) {
    v128_t acc[BLOCK_VECTORS];
    for (uint32_t v = 0; v < vectors; v++)
        acc[v] = begin ? wasm_f32x4_splat(0) : wasm_v128_load(sums + 4 * v);
    for (uint32_t k = 0; k < count; k++) {
        const v128_t x = wasm_v128_load32_splat(value + k);
        const float *w = weights + (index[k] - first) * stride;
        for (uint32_t v = 0; v < vectors; v++)
            acc[v] = wasm_f32x4_add(acc[v], wasm_f32x4_mul(x, wasm_v128_load(w + 4 * v)));
    }
    for (uint32_t v = 0; v < vectors; v++)
        wasm_v128_store(sums + 4 * v, rectify ? wasm_f32x4_pmax(wasm_f32x4_splat(0), acc[v]) : acc[v]);
}

/* Up to three outputs that make no vector. */
static void sum_single(uint32_t width, const float *weights, uint32_t stride, uint32_t first,
                       const uint32_t *index, const float *value, uint32_t count, float *sums, int begin,
                       int rectify) {
    float acc[3] = {0, 0, 0};
    for (uint32_t j = 0; j < width && !begin; j++)
        acc[j] = sums[j];
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t j = 0; j < width; j++)
            acc[j] += value[k] * weights[(index[k] - first) * stride + j];
    for (uint32_t j = 0; j < width; j++)
        sums[j] = !rectify || acc[j] > 0 ? acc[j] : 0;
}

#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        sum_block(n, weights, stride, first, index, value, count, sums, begin, rectify);                     \
        break;

static void sum(uint32_t width, const float *weights, uint32_t stride, uint32_t first, const uint32_t *index,
                const float *value, uint32_t count, float *sums, int begin, int rectify) {
    if (width % 4) {
        sum_single(width, weights, stride, first, index, value, count, sums, begin, rectify);
        return;
    }
    switch (width / 4) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
    }
}

static void multiply_item(const void *context, uint32_t item, void *scratch) {
    const multiplying *job = context;
    const layer *l = job->layer;
    const uint32_t outputs = l->outputs, rows = l->rows, inputs = l->inputs, units = units_of(l);
    const uint32_t block = item % job->blocks.count, part = item / job->blocks.count;
    const uint32_t from = block_begin(job->blocks, block, outputs);
    const uint32_t width = block_width(job->blocks, block, outputs);
    const uint32_t begin = part * rows / job->parts, end = (part + 1) * rows / job->parts;
    const int pack = end - begin >= WORTH_PACKING;
    float *tile = scratch;
    for (uint32_t unit = 0; unit < units; unit += TILE_UNITS) {
        const uint32_t next = unit + TILE_UNITS < units ? unit + TILE_UNITS : units;
        const uint32_t first = unit * UNIT;
        const uint32_t last = next * UNIT < inputs ? next * UNIT : inputs;
        const float *weights = l->used + first * outputs + from;
        if (pack) {
            for (uint32_t i = first; i < last; i++)
                copy_floats(tile + (i - first) * width, l->used + i * outputs + from, width);
            weights = tile;
        }
        for (uint32_t r = begin; r < end; r++) {
            const uint32_t k = l->starts[unit * rows + r];
            const uint32_t count = l->starts[next * rows + r] - k;
            if (count == 0 && unit > 0 && next < units) continue;
            sum(width, weights, pack ? width : outputs, first, l->index + r * inputs + k,
                l->value + r * inputs + k, count, l->activities + r * outputs + from, unit == 0,
                job->rectify && next == units);
        }
    }
}

/* Sets layer.activities to the product of the rows taken last and layer.used; negative ones to 0 if asked
 * for. */
EXPORT(multiply) void multiply(const layer *l, uint32_t rectify) {
    const blocks b = blocks_of(l->outputs);
    const uint32_t least = b.count >= LEAST_ITEMS ? 1 : (LEAST_ITEMS + b.count - 1) / b.count;
    const uint32_t parts = least < l->rows ? least : l->rows;
    const multiplying job = {l, b, parts, rectify};
    share(multiply_item, &job, b.count * parts);
}

typedef struct {
    const layer *layer;
    float scale;
    float limit;
} rounding;

/* Weights of an item. */
#define ROUND_PORTION 16384

static void round_item(const void *context, uint32_t item, void *scratch) {
    (void)scratch;
    const rounding *job = context;
    const layer *l = job->layer;
    const uint32_t all = l->inputs * l->outputs;
    const uint32_t end = (item + 1) * ROUND_PORTION < all ? (item + 1) * ROUND_PORTION : all;
    const float inverse = 1 / job->scale;
    uint32_t i = item * ROUND_PORTION;
    for (; i + 4 <= end; i += 4) {
        v128_t q = wasm_f32x4_mul(wasm_v128_load(l->weights + i), wasm_f32x4_splat(inverse));
        q = wasm_f32x4_nearest(q);
        q = wasm_f32x4_pmax(wasm_f32x4_splat(-job->limit), wasm_f32x4_pmin(wasm_f32x4_splat(job->limit), q));
        wasm_v128_store(l->used + i, wasm_f32x4_mul(q, wasm_f32x4_splat(job->scale)));
    }
    for (; i < end; i++) {
        const float q = __builtin_rintf(l->weights[i] * inverse);
        l->used[i] = (q < -job->limit ? -job->limit : q > job->limit ? job->limit : q) * job->scale;
    }
}

/* Sets layer.used to the weights rounded to whole steps of `scale`, at most `limit` of them. */
EXPORT(round_weights) void round_weights(const layer *l, float scale, float limit) {
    const rounding job = {l, scale, limit};
    share(round_item, &job, (l->inputs * l->outputs + ROUND_PORTION - 1) / ROUND_PORTION);
}
