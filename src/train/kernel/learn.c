/*
 * x^T dZ and the optimizer in one pass: the gradient of some inputs' weights is summed up in a thread's own
 * memory and spent at once, so that there is no array of gradients.
 */
#include "kernel.h"

/* Inputs whose gradient is summed up before it is spent. */
#define BUNCH 16

/* What the optimizer does with a gradient. */
typedef struct {
    uint32_t adam; /* else momentum */
    float rate;    /* Adam: with the correction for the first steps; momentum: as it is */
    float keep;    /* share of a weight that decay leaves */
    float rise1;   /* Adam: 1 - beta1; momentum: the momentum */
    float rise2;   /* Adam: 1 - beta2 */
    float floor;   /* Adam: epsilon */
} optimizer;

typedef struct {
    const layer *layer;
    const float *delta; /* (rows, outputs): slopes over pre-activations, or null ... */
    const float
        *slopes; /* ... and (rows, groups) here: over goodness, `factor` times the sum of a group's squares */
    uint32_t groups;
    float factor;
    const float *left;  /* (inputs), or null: left x right is added to the gradient */
    const float *right; /* (outputs) */
    blocks blocks;
    optimizer optimizer;
} learning;

/* A listed input turned over. */
typedef struct {
    uint32_t place; /* of its row's slopes in a block */
    float value;
} mark;

/* Rows of an item that packs slopes. */
#define PACK_PORTION 16

INLINE uint32_t marks_bytes(uint32_t rows) {
    return rows * UNIT * (uint32_t)sizeof(mark);
}

INLINE uint32_t most(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

/* Memory that each thread needs. */
EXPORT(scratch_bytes) uint32_t scratch_bytes(uint32_t rows, uint32_t outputs) {
    const uint32_t learning = marks_bytes(rows) + BUNCH * outputs * (uint32_t)sizeof(float);
    const uint32_t tile = TILE * BLOCK_VECTORS * 4 * (uint32_t)sizeof(float);
    return (most(learning, tile) + 63) / 64 * 64;
}

/* Length of layer.packed. */
EXPORT(packed_floats) uint32_t packed_floats(uint32_t rows, uint32_t outputs) {
    const blocks b = blocks_of(outputs);
    return rows * b.count * b.width;
}

/* dL/dz of one row from dL/dG, since y = max(0, z) and G = factor * sum of y^2. */
static void squares_backward(const learning *job, uint32_t row, float *delta) {
    const uint32_t outputs = job->layer->outputs;
    const uint32_t size = outputs / job->groups;
    const float *y = job->layer->activities + row * outputs;
    for (uint32_t g = 0; g < job->groups; g++) {
        const float slope = 2 * job->factor * job->slopes[row * job->groups + g];
        const v128_t factor = wasm_f32x4_splat(slope);
        uint32_t j = g * size;
        for (; j + 4 <= (g + 1) * size; j += 4)
            wasm_v128_store(delta + j, wasm_f32x4_mul(wasm_v128_load(y + j), factor));
        for (; j < (g + 1) * size; j++)
            delta[j] = y[j] * slope;
    }
}

/* Slopes block by block, each block (rows, width): an item then reads them side by side. */
static void pack_item(const void *context, uint32_t item, void *scratch) {
    const learning *job = context;
    const layer *l = job->layer;
    const uint32_t outputs = l->outputs, rows = l->rows, stride = job->blocks.width;
    const uint32_t end = (item + 1) * PACK_PORTION < rows ? (item + 1) * PACK_PORTION : rows;
    for (uint32_t r = item * PACK_PORTION; r < end; r++) {
        const float *delta = job->delta + r * outputs;
        if (job->slopes) {
            squares_backward(job, r, scratch);
            delta = scratch;
        }
        for (uint32_t block = 0; block < job->blocks.count; block++)
            copy_floats(l->packed + (block * rows + r) * stride,
                        delta + block_begin(job->blocks, block, outputs),
                        block_width(job->blocks, block, outputs));
    }
}

INLINE void gradient_block(uint32_t vectors, const float *packed, const mark *list, uint32_t count,
                           float *gradient) {
    v128_t acc[BLOCK_VECTORS];
    for (uint32_t v = 0; v < vectors; v++)
        acc[v] = wasm_f32x4_splat(0);
    for (uint32_t k = 0; k < count; k++) {
        const v128_t x = wasm_v128_load32_splat(&list[k].value);
        const float *d = packed + list[k].place;
        for (uint32_t v = 0; v < vectors; v++)
            acc[v] = wasm_f32x4_add(acc[v], wasm_f32x4_mul(x, wasm_v128_load(d + 4 * v)));
    }
    for (uint32_t v = 0; v < vectors; v++)
        wasm_v128_store(gradient + 4 * v, acc[v]);
}

/* Up to three outputs that make no vector. */
static void gradient_single(uint32_t width, const float *packed, const mark *list, uint32_t count,
                            float *gradient) {
    for (uint32_t j = 0; j < width; j++) {
        float acc = 0;
        for (uint32_t k = 0; k < count; k++)
            acc += list[k].value * packed[list[k].place + j];
        gradient[j] = acc;
    }
}

#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        gradient_block(n, packed, list, count, gradient);                                                    \
        break;

static void sum_gradient(uint32_t width, const float *packed, const mark *list, uint32_t count,
                         float *gradient) {
    if (width % 4) {
        gradient_single(width, packed, list, count, gradient);
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

static void add_outer(float left, const float *right, uint32_t count, float *gradient) {
    for (uint32_t j = 0; j < count; j++)
        gradient[j] += left * right[j];
}

/*
 * Moments without a gradient fade into denormal numbers, which make a step twice as long, and stay there.
 * None this small moves a weight.
 */
#define FAINT 1e-30F

INLINE v128_t cleared(v128_t moment) {
    return wasm_v128_andnot(moment, wasm_f32x4_lt(wasm_f32x4_abs(moment), wasm_f32x4_splat(FAINT)));
}

INLINE float cleared_single(float moment) {
    return __builtin_fabsf(moment) < FAINT ? 0 : moment;
}

static void adam(const optimizer *o, float *weights, float *mean, float *square, const float *gradient,
                 uint32_t count) {
    const v128_t keep = wasm_f32x4_splat(o->keep), rate = wasm_f32x4_splat(o->rate);
    const v128_t rise1 = wasm_f32x4_splat(o->rise1), rise2 = wasm_f32x4_splat(o->rise2);
    const v128_t floor = wasm_f32x4_splat(o->floor);
    uint32_t j = 0;
    for (; j + 4 <= count; j += 4) {
        const v128_t g = wasm_v128_load(gradient + j);
        v128_t m = wasm_v128_load(mean + j), v = wasm_v128_load(square + j), w = wasm_v128_load(weights + j);
        m = cleared(wasm_f32x4_add(m, wasm_f32x4_mul(rise1, wasm_f32x4_sub(g, m))));
        v = cleared(wasm_f32x4_add(v, wasm_f32x4_mul(rise2, wasm_f32x4_sub(wasm_f32x4_mul(g, g), v))));
        const v128_t step =
            wasm_f32x4_div(wasm_f32x4_mul(rate, m), wasm_f32x4_add(wasm_f32x4_sqrt(v), floor));
        w = wasm_f32x4_sub(wasm_f32x4_mul(w, keep), step);
        wasm_v128_store(mean + j, m);
        wasm_v128_store(square + j, v);
        wasm_v128_store(weights + j, w);
    }
    for (; j < count; j++) {
        const float g = gradient[j];
        mean[j] = cleared_single(mean[j] + o->rise1 * (g - mean[j]));
        square[j] = cleared_single(square[j] + o->rise2 * (g * g - square[j]));
        weights[j] = weights[j] * o->keep - o->rate * mean[j] / (__builtin_sqrtf(square[j]) + o->floor);
    }
}

static void momentum(const optimizer *o, float *weights, float *velocity, const float *gradient,
                     uint32_t count) {
    for (uint32_t j = 0; j < count; j++) {
        velocity[j] = cleared_single(o->rise1 * velocity[j] + gradient[j]);
        weights[j] = weights[j] * o->keep - o->rate * velocity[j];
    }
}

static void learn_item(const void *context, uint32_t unit, void *scratch) {
    const learning *job = context;
    const layer *l = job->layer;
    const uint32_t outputs = l->outputs, rows = l->rows, inputs = l->inputs;
    const uint32_t first = unit * UNIT;
    const uint32_t size = inputs - first < UNIT ? inputs - first : UNIT;
    mark *marks = scratch;
    float *gradient = (float *)((uint8_t *)scratch + marks_bytes(rows));

    /* The lists turned over: of each input of the unit the rows in which it is not 0. */
    uint32_t ends[UNIT + 1] = {0};
    for (uint32_t r = 0; r < rows; r++) {
        const entry *list = l->entries + r * room_of(inputs);
        const uint32_t end = l->starts[(unit + 1) * rows + r];
        for (uint32_t k = l->starts[unit * rows + r]; k < end; k++)
            ends[list[k].index - first + 1]++;
    }
    for (uint32_t i = 0; i < UNIT; i++)
        ends[i + 1] += ends[i];
    for (uint32_t r = 0; r < rows; r++) {
        const entry *list = l->entries + r * room_of(inputs);
        const uint32_t end = l->starts[(unit + 1) * rows + r];
        for (uint32_t k = l->starts[unit * rows + r]; k < end; k++)
            marks[ends[list[k].index - first]++] =
                (mark){r * job->blocks.width, list[k].value * l->factors[r]};
    }
    /* Filling has moved each beginning to its end: the list of i now ends at ends[i], and begins where i - 1
     * ends. */

    for (uint32_t from = 0; from < size; from += BUNCH) {
        const uint32_t to = from + BUNCH < size ? from + BUNCH : size;
        for (uint32_t block = 0; block < job->blocks.count; block++) {
            const float *packed = l->packed + block * rows * job->blocks.width;
            const uint32_t column = block_begin(job->blocks, block, outputs);
            const uint32_t width = block_width(job->blocks, block, outputs);
            for (uint32_t i = from; i < to; i++) {
                const uint32_t begin = i == 0 ? 0 : ends[i - 1];
                sum_gradient(width, packed, marks + begin, ends[i] - begin,
                             gradient + (i - from) * outputs + column);
            }
        }
        for (uint32_t i = from; i < to; i++) {
            const uint32_t at = (first + i) * outputs;
            float *slopes = gradient + (i - from) * outputs;
            /* Without a gradient, now or ever, both optimizers leave a weight where it is. */
            if (job->left || ends[i] > (i == 0 ? 0 : ends[i - 1])) l->touched[first + i] = 1;
            if (!l->touched[first + i] && job->optimizer.keep == 1) continue;
            if (job->left) add_outer(job->left[first + i], job->right, outputs, slopes);
            if (job->optimizer.adam)
                adam(&job->optimizer, l->weights + at, l->first + at, l->second + at, slopes, outputs);
            else
                momentum(&job->optimizer, l->weights + at, l->first + at, slopes, outputs);
        }
    }
}

/*
 * One step of the optimizer along the gradient of the rows taken last, from the slopes over their
 * pre-activations, or from those over goodness as `measure` has it; `left` and `right` may add a product of
 * two vectors.
 */
EXPORT(learn)
void learn(const layer *l, const float *delta, const float *slopes, uint32_t groups, float factor,
           const float *left, const float *right, uint32_t adam, float rate, float keep, float rise1,
           float rise2, float floor) {
    const learning job = {l,
                          delta,
                          slopes,
                          groups,
                          factor,
                          left,
                          right,
                          blocks_of(l->outputs),
                          {adam, rate, keep, rise1, rise2, floor}};
    share(pack_item, &job, (l->rows + PACK_PORTION - 1) / PACK_PORTION, l->rows * l->outputs);
    share(learn_item, &job, units_of(l), (uint64_t)(entries_of(l) + l->inputs) * l->outputs);
}
