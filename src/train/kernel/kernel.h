/*
 * The inner loops of training: one layer's products, gradients and optimizer, in WebAssembly with SIMD on as
 * many threads as the host gives. Results do not depend on the number of threads: a job is cut into items
 * that write apart from each other, and every sum runs in an order of its own (inputs upwards, rows upwards),
 * whoever does the item.
 *
 * The host owns the memory: everything here works on addresses that it hands in.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

/* Inputs of a unit: the lists of non-zero inputs know where each unit begins. */
#define UNIT 32
/* Units whose weights are worked on at once: a block of them stays in the first-level cache. */
#define TILE_UNITS 8
#define TILE (UNIT * TILE_UNITS)
/*
 * Most vectors of four outputs in a block. V8 loads all vectors of a step before it multiplies the first: 7
 * sums, 7 vectors and the factor are as many as there are registers.
 */
#define BLOCK_VECTORS 7

/* An input that is not 0. */
typedef struct {
    uint32_t index;
    float value;
} entry;

/* One layer in training. The host writes the fields, in this order. */
typedef struct {
    uint32_t inputs;
    uint32_t outputs;
    uint32_t rows;    /* in this batch */
    entry *entries;   /* (rows, room_of(inputs)): inputs of each row that are not 0, ascending, from the row's
                         start */
    float *factors;   /* (rows): what brings a row to mean square 1; 1 for rows that stay as they are */
    uint32_t *starts; /* (units + 1, rows): where in its row's list each unit begins */
    float *activities; /* (rows, outputs) */
    float *packed;     /* (blocks, rows, width of a block): slopes over pre-activations */
    float *used;      /* (inputs, outputs): what inputs are multiplied with; weights, or their rounded twin */
    float *weights;   /* (inputs, outputs) */
    float *first;     /* (inputs, outputs): Adam's mean gradient, or the velocity of momentum */
    float *second;    /* (inputs, outputs): Adam's mean square gradient */
    uint8_t *touched; /* (inputs): 0 as long as no gradient has reached the weights of an input */
} layer;

/* Room for a row's list: four entries are written at a time, of which some, or all, count for nothing. */
INLINE uint32_t room_of(uint32_t inputs) {
    return (inputs + 7) / 4 * 4;
}

INLINE uint32_t units_of(const layer *l) {
    return (l->inputs + UNIT - 1) / UNIT;
}

/* Inputs that are not 0, in all rows. */
INLINE uint32_t entries_of(const layer *l) {
    uint32_t count = 0;
    for (uint32_t r = 0; r < l->rows; r++)
        count += l->starts[units_of(l) * l->rows + r];
    return count;
}

/* How outputs are cut: blocks of so many vectors, the last one shorter, then up to 3 single outputs. */
typedef struct {
    uint32_t width; /* outputs of a whole block */
    uint32_t count; /* blocks, counting the single outputs as one */
} blocks;

INLINE blocks blocks_of(uint32_t outputs) {
    const uint32_t vectors = outputs / 4;
    const uint32_t least = (vectors + BLOCK_VECTORS - 1) / BLOCK_VECTORS;
    const uint32_t each = least == 0 ? 1 : (vectors + least - 1) / least;
    return (blocks){4 * each, (vectors + each - 1) / each + (outputs % 4 != 0)};
}

/* First output of a block, and how many it has. */
INLINE uint32_t block_begin(blocks b, uint32_t block, uint32_t outputs) {
    const uint32_t begin = b.width * block;
    return begin < outputs - outputs % 4 ? begin : outputs - outputs % 4;
}

INLINE uint32_t block_width(blocks b, uint32_t block, uint32_t outputs) {
    const uint32_t end = block + 1 == b.count ? outputs : block_begin(b, block + 1, outputs);
    return end - block_begin(b, block, outputs);
}

/* The compiler's own copy is a call out of WebAssembly, which costs more than the few floats that are copied
 * here. */
INLINE void copy_floats(float *to, const float *from, uint32_t count) {
    uint32_t i = 0;
    for (; i + 4 <= count; i += 4)
        wasm_v128_store(to + i, wasm_v128_load(from + i));
    for (; i < count; i++)
        to[i] = from[i];
}

INLINE float sum_lanes(v128_t v) {
    return (wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1)) +
           (wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3));
}

/* Does item `item` of a job; `scratch` is memory of the calling thread's own. */
typedef void (*work)(const void *job, uint32_t item, void *scratch);

/*
 * Does all items of a job, at most 65,535, and returns when they are done: on all threads if it takes many
 * operations, else on this one, which then is the quicker.
 */
void share(work work, const void *job, uint32_t items, uint64_t operations);

#endif
