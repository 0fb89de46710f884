/*
 * What goes into a layer, as lists: of each row the inputs that are neither 0 nor dropped. Most inputs are 0
 * (the background of an image, the neurons that relu cuts), and lists skip them in the product as well as in
 * the gradient.
 */
#include "kernel.h"

/* Rows of an item. */
#define PORTION 16
/* Inputs that are looked at together. */
#define SPAN 16

typedef struct {
    layer *layer;
    const uint8_t *bytes; /* (rows, inputs), or null ... */
    const float *floats;  /* ... and (rows, inputs) here */
    uint32_t bar;         /* chance of being dropped, in 1/65536 */
    uint32_t seed;
    uint32_t rescale;
} taking;

/* A number with all bits mixed (the finalizer of MurmurHash3). */
INLINE uint32_t mix(uint32_t x) {
    x ^= x >> 16;
    x *= 0x85EBCA6BU;
    x ^= x >> 13;
    x *= 0xC2B2AE35U;
    return x ^ x >> 16;
}

/* The next four words of four xorshift32 generators. */
INLINE v128_t draw(v128_t *state) {
    v128_t s = *state;
    s = wasm_v128_xor(s, wasm_i32x4_shl(s, 13));
    s = wasm_v128_xor(s, wasm_u32x4_shr(s, 17));
    s = wasm_v128_xor(s, wasm_i32x4_shl(s, 5));
    return *state = s;
}

/* One bit per input of a span: whether it stays. */
INLINE uint32_t kept(v128_t *state, uint32_t bar) {
    const v128_t least = wasm_i16x8_splat((int16_t)bar);
    const v128_t low = wasm_u16x8_ge(draw(state), least);
    const v128_t high = wasm_u16x8_ge(draw(state), least);
    return wasm_i8x16_bitmask(wasm_i8x16_narrow_i16x8(low, high));
}

/* One bit per input of a span: whether it is not 0. Less than a whole span is left at the end of a row. */
INLINE uint32_t some_bytes(const uint8_t *x, uint32_t count) {
    if (count == SPAN) return wasm_i8x16_bitmask(wasm_i8x16_ne(wasm_v128_load(x), wasm_i8x16_splat(0)));
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i++)
        bits |= (uint32_t)(x[i] != 0) << i;
    return bits;
}

INLINE uint32_t some_floats(const float *x, uint32_t count) {
    uint32_t bits = 0;
    if (count == SPAN) {
        for (uint32_t k = 0; k < SPAN / 4; k++) {
            const v128_t some = wasm_f32x4_ne(wasm_v128_load(x + 4 * k), wasm_f32x4_splat(0));
            bits |= wasm_i32x4_bitmask(some) << (4 * k);
        }
        return bits;
    }
    for (uint32_t i = 0; i < count; i++)
        bits |= (uint32_t)(x[i] != 0) << i;
    return bits;
}

/* Factor that brings a row to mean square 1; 0 for a row of zeros. */
INLINE float length_factor(const float *value, uint32_t count, uint32_t inputs) {
    v128_t sums = wasm_f32x4_splat(0);
    uint32_t k = 0;
    for (; k + 4 <= count; k += 4) {
        const v128_t v = wasm_v128_load(value + k);
        sums = wasm_f32x4_add(sums, wasm_f32x4_mul(v, v));
    }
    float sum = (wasm_f32x4_extract_lane(sums, 0) + wasm_f32x4_extract_lane(sums, 1)) +
                (wasm_f32x4_extract_lane(sums, 2) + wasm_f32x4_extract_lane(sums, 3));
    for (; k < count; k++)
        sum += value[k] * value[k];
    return sum > 0 ? __builtin_sqrtf((float)inputs / sum) : 0;
}

static void take_row(const taking *job, uint32_t row) {
    const layer *l = job->layer;
    const uint32_t inputs = l->inputs;
    uint32_t *index = l->index + row * inputs;
    float *value = l->value + row * inputs;
    const uint32_t seed = job->seed ^ mix(row + 1);
    v128_t state = wasm_u32x4_make(mix(seed) | 1, mix(seed + 1) | 1, mix(seed + 2) | 1, mix(seed + 3) | 1);
    uint32_t count = 0;
    for (uint32_t from = 0; from < inputs; from += SPAN) {
        const uint32_t span = inputs - from < SPAN ? inputs - from : SPAN;
        if (from % UNIT == 0) l->starts[from / UNIT * l->rows + row] = count;
        const uint32_t keep = job->bar == 0 ? 0xFFFF : kept(&state, job->bar);
        if (job->bytes) {
            const uint8_t *x = job->bytes + row * inputs + from;
            for (uint32_t bits = some_bytes(x, span) & keep; bits; bits &= bits - 1) {
                const uint32_t i = (uint32_t)__builtin_ctz(bits);
                index[count] = from + i;
                value[count++] = x[i];
            }
        } else {
            const float *x = job->floats + row * inputs + from;
            for (uint32_t bits = some_floats(x, span) & keep; bits; bits &= bits - 1) {
                const uint32_t i = (uint32_t)__builtin_ctz(bits);
                index[count] = from + i;
                value[count++] = x[i];
            }
        }
    }
    l->starts[units_of(l) * l->rows + row] = count;
    if (!job->rescale) return;
    const float factor = length_factor(value, count, inputs);
    uint32_t k = 0;
    for (; k + 4 <= count; k += 4)
        wasm_v128_store(value + k, wasm_f32x4_mul(wasm_v128_load(value + k), wasm_f32x4_splat(factor)));
    for (; k < count; k++)
        value[k] *= factor;
}

static void take_item(const void *context, uint32_t item, void *scratch) {
    (void)scratch;
    const taking *job = context;
    const uint32_t end = (item + 1) * PORTION;
    for (uint32_t r = item * PORTION; r < end && r < job->layer->rows; r++)
        take_row(job, r);
}

/*
 * Takes a batch of layer.rows rows, as bytes or as floats, rescaled to mean square 1 if asked for. Which
 * inputs are dropped depends on the seed and on their place alone.
 */
EXPORT(take)
void take(layer *l, const uint8_t *bytes, const float *floats, uint32_t bar, uint32_t seed,
          uint32_t rescale) {
    const taking job = {l, bytes, floats, bar, seed, rescale};
    share(take_item, &job, (l->rows + PORTION - 1) / PORTION);
}
