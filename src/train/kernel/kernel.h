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
#define TILE_UNITS 4
#define TILE (UNIT * TILE_UNITS)
/* Most vectors of four outputs in a block: as many sums as there are registers, less those for factors. */
#define BLOCK_VECTORS 12

/* One layer in training. The host writes the fields, in this order. */
typedef struct {
    uint32_t inputs;
    uint32_t outputs;
    uint32_t rows;    /* in this batch */
    uint32_t *index;  /* (rows, inputs): inputs of each row that are not 0, ascending, from the row's start */
    float *value;     /* (rows, inputs): their values */
    uint32_t *starts; /* (units + 1, rows): where in its row's list each unit begins */
    float *activities; /* (rows, outputs) */
    float *packed;     /* (rows, outputs), block by block: slopes over pre-activations */
    float *used;      /* (inputs, outputs): what inputs are multiplied with; weights, or their rounded twin */
    float *weights;   /* (inputs, outputs) */
    float *first;     /* (inputs, outputs): Adam's mean gradient, or the velocity of momentum */
    float *second;    /* (inputs, outputs): Adam's mean square gradient */
    uint8_t *touched; /* (inputs): 0 as long as no gradient has reached the weights of an input */
} layer;

/* How the outputs of a layer are cut: blocks of so many vectors, the last one shorter, then up to 3 single
 * outputs. */
typedef struct {
    uint32_t vectors; /* of a whole block */
    uint32_t count;   /* blocks, counting the single outputs as one */
} blocks;

INLINE uint32_t units_of(const layer *l) {
    return (l->inputs + UNIT - 1) / UNIT;
}

INLINE blocks blocks_of(uint32_t outputs) {
    const uint32_t vectors = outputs / 4;
    const uint32_t least = (vectors + BLOCK_VECTORS - 1) / BLOCK_VECTORS;
    const uint32_t each = least == 0 ? BLOCK_VECTORS : (vectors + least - 1) / least;
    return (blocks){each, (vectors + each - 1) / each + (outputs % 4 != 0)};
}

/* First output and width of a block. */
INLINE uint32_t block_begin(blocks b, uint32_t block, uint32_t outputs) {
    const uint32_t begin = 4 * b.vectors * block;
    return begin < outputs - outputs % 4 ? begin : outputs - outputs % 4;
}

INLINE uint32_t block_width(blocks b, uint32_t block, uint32_t outputs) {
    return block + 1 == b.count ? outputs - block_begin(b, block, outputs)
                                : block_begin(b, block + 1, outputs) - block_begin(b, block, outputs);
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

/* Does item `item` of a job; `scratch` is memory of the calling thread's own. */
typedef void (*work)(const void *job, uint32_t item, void *scratch);

/* Does all items of a job, at most 65,535, on all threads, and returns when they are done. */
void share(work work, const void *job, uint32_t items);

#endif
