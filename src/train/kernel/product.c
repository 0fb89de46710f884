/* relu(x W): sums of the weights' rows of those inputs that are not 0, in blocks of outputs that fit the
 * registers. */
#include "kernel.h"

/* Items of a job, at least, that many blocks of outputs make by themselves; else the rows are split as well.
 */
#define LEAST_ITEMS 8
/* A tile of wide weights is copied together first, if so many rows make use of it: its rows lie pages apart.
 */
#define WORTH_PACKING 8
#define WIDE 256

typedef struct {
    const layer *layer;
    blocks blocks;
    uint32_t parts;   /* of the rows */
    uint32_t rectify; /* whether negative sums become 0 */
} multiplying;

/* Where a sum stands: at its beginning, its end, or both; and what the end does. */
typedef struct {
    int begin;
    int end;
    int rectify;
    float factor;
} stage;

/* Adds `count` listed inputs times their weights to `vectors` vectors of sums; weights[0] is that of input 0.
 */
INLINE void sum_block(uint32_t vectors, const float *weights, uint32_t stride, const entry *list,
                      uint32_t count, float *sums, stage stage) {
    v128_t acc[BLOCK_VECTORS];
    for (uint32_t v = 0; v < vectors; v++)
        acc[v] = stage.begin ? wasm_f32x4_splat(0) : wasm_v128_load(sums + 4 * v);
    for (uint32_t k = 0; k < count; k++) {
        const v128_t x = wasm_v128_load32_splat(&list[k].value);
        const float *w = weights + list[k].index * stride;
        for (uint32_t v = 0; v < vectors; v++)
            acc[v] = wasm_f32x4_add(acc[v], wasm_f32x4_mul(x, wasm_v128_load(w + 4 * v)));
    }
    if (stage.end) {
        const v128_t factor = wasm_f32x4_splat(stage.factor);
        const v128_t least = wasm_f32x4_splat(stage.rectify ? 0 : -__builtin_inff());
        for (uint32_t v = 0; v < vectors; v++)
            acc[v] = wasm_f32x4_pmax(least, wasm_f32x4_mul(acc[v], factor));
    }
    for (uint32_t v = 0; v < vectors; v++)
        wasm_v128_store(sums + 4 * v, acc[v]);
}

/* Up to three outputs that make no vector. */
static void sum_single(uint32_t width, const float *weights, uint32_t stride, const entry *list,
                       uint32_t count, float *sums, stage stage) {
    for (uint32_t j = 0; j < width; j++) {
        float acc = stage.begin ? 0 : sums[j];
        for (uint32_t k = 0; k < count; k++)
            acc += list[k].value * weights[list[k].index * stride + j];
        if (stage.end) acc *= stage.factor;
        sums[j] = !stage.end || !stage.rectify || acc > 0 ? acc : 0;
    }
}

#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        sum_block(n, weights, stride, list, count, sums, stage);                                             \
        break;

static void sum(uint32_t width, const float *weights, uint32_t stride, const entry *list, uint32_t count,
                float *sums, stage stage) {
    if (width % 4) {
        sum_single(width, weights, stride, list, count, sums, stage);
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
    const int pack = end - begin >= WORTH_PACKING && outputs > WIDE;
    const uint32_t stride = pack ? job->blocks.width : outputs;
    float *tile = scratch;
    for (uint32_t unit = 0; unit < units; unit += TILE_UNITS) {
        const uint32_t next = unit + TILE_UNITS < units ? unit + TILE_UNITS : units;
        const uint32_t first = unit * UNIT;
        const uint32_t last = next * UNIT < inputs ? next * UNIT : inputs;
        if (pack)
            for (uint32_t i = first; i < last; i++)
                copy_floats(tile + (i - first) * stride, l->used + i * outputs + from, width);
        /* Indices count from the first input of all. */
        const uintptr_t weights = (uintptr_t)(pack ? tile : l->used + first * outputs + from);
        const float *origin = (const float *)(weights - first * stride * sizeof(float));
        for (uint32_t r = begin; r < end; r++) {
            const uint32_t k = l->starts[unit * rows + r];
            const uint32_t count = l->starts[next * rows + r] - k;
            if (count == 0 && unit > 0 && next < units) continue;
            sum(width, origin, stride, l->entries + r * room_of(inputs) + k, count,
                l->activities + r * outputs + from,
                (stage){unit == 0, next == units, job->rectify != 0, l->factors[r]});
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
    share(multiply_item, &job, b.count * parts, (uint64_t)entries_of(l) * l->outputs);
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
    const uint32_t all = l->inputs * l->outputs;
    share(round_item, &job, (all + ROUND_PORTION - 1) / ROUND_PORTION, all);
}
