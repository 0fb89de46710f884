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

/* By mask of four lanes: the bytes that bring the marked lanes to the front and zeros behind them. */
static v128_t to_front[16];

/* Comes before everything else here. */
EXPORT(prepare) void prepare(void) {
    for (uint32_t mask = 0; mask < 16; mask++) {
        uint8_t *bytes = (uint8_t *)&to_front[mask];
        uint32_t at = 0;
        for (uint32_t lane = 0; lane < 4; lane++)
            for (uint32_t byte = 0; byte < 4 && mask >> lane & 1; byte++)
                bytes[at++] = (uint8_t)(4 * lane + byte);
        while (at < 16)
            bytes[at++] = 0xFF;
    }
}

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

/* A row's list as it grows. */
typedef struct {
    entry *next;
    v128_t squares;
} list;

/* Adds the marked ones of four inputs. */
INLINE void add_four(list *l, v128_t values, uint32_t first, uint32_t mask) {
    const v128_t order = to_front[mask];
    const v128_t v = wasm_i8x16_swizzle(values, order);
    const v128_t i = wasm_i8x16_swizzle(
        wasm_i32x4_add(wasm_i32x4_splat((int32_t)first), wasm_i32x4_make(0, 1, 2, 3)), order);
    wasm_v128_store(l->next, wasm_i32x4_shuffle(i, v, 0, 4, 1, 5));
    wasm_v128_store(l->next + 2, wasm_i32x4_shuffle(i, v, 2, 6, 3, 7));
    l->squares = wasm_f32x4_add(l->squares, wasm_f32x4_mul(v, v));
    l->next += __builtin_popcount(mask);
}

INLINE void add_bytes(list *l, v128_t span, uint32_t first, uint32_t keep) {
    const uint32_t bits = wasm_i8x16_bitmask(wasm_i8x16_ne(span, wasm_i8x16_splat(0))) & keep;
    if (bits == 0) return;
    const v128_t low = wasm_u16x8_extend_low_u8x16(span), high = wasm_u16x8_extend_high_u8x16(span);
    add_four(l, wasm_f32x4_convert_u32x4(wasm_u32x4_extend_low_u16x8(low)), first, bits & 15);
    add_four(l, wasm_f32x4_convert_u32x4(wasm_u32x4_extend_high_u16x8(low)), first + 4, bits >> 4 & 15);
    add_four(l, wasm_f32x4_convert_u32x4(wasm_u32x4_extend_low_u16x8(high)), first + 8, bits >> 8 & 15);
    add_four(l, wasm_f32x4_convert_u32x4(wasm_u32x4_extend_high_u16x8(high)), first + 12, bits >> 12);
}

INLINE void add_floats(list *l, const float *span, uint32_t first, uint32_t keep) {
    for (uint32_t k = 0; k < SPAN; k += 4) {
        const v128_t v = wasm_v128_load(span + k);
        const uint32_t bits = wasm_i32x4_bitmask(wasm_f32x4_ne(v, wasm_f32x4_splat(0))) & keep >> k & 15;
        add_four(l, v, first + k, bits);
    }
}

/* Length of layer.entries in words. */
EXPORT(entry_words) uint32_t entry_words(uint32_t rows, uint32_t inputs) {
    return rows * room_of(inputs) * (uint32_t)(sizeof(entry) / 4);
}

static void take_row(const taking *job, uint32_t row) {
    const layer *l = job->layer;
    const uint32_t inputs = l->inputs;
    entry *begin = l->entries + row * room_of(inputs);
    list list = {begin, wasm_f32x4_splat(0)};
    const uint32_t seed = job->seed ^ mix(row + 1);
    v128_t state = wasm_u32x4_make(mix(seed) | 1, mix(seed + 1) | 1, mix(seed + 2) | 1, mix(seed + 3) | 1);
    const uint32_t at = row * inputs;
    for (uint32_t from = 0; from < inputs; from += SPAN) {
        if (from % UNIT == 0) l->starts[from / UNIT * l->rows + row] = (uint32_t)(list.next - begin);
        const uint32_t keep = job->bar == 0 ? 0xFFFF : kept(&state, job->bar);
        if (from + SPAN <= inputs) {
            if (job->bytes)
                add_bytes(&list, wasm_v128_load(job->bytes + at + from), from, keep);
            else
                add_floats(&list, job->floats + at + from, from, keep);
        } else { /* what lies behind the row belongs to others */
            uint8_t bytes[SPAN] = {0};
            float floats[SPAN] = {0};
            for (uint32_t i = 0; from + i < inputs; i++) {
                if (job->bytes)
                    bytes[i] = job->bytes[at + from + i];
                else
                    floats[i] = job->floats[at + from + i];
            }
            if (job->bytes)
                add_bytes(&list, wasm_v128_load(bytes), from, keep);
            else
                add_floats(&list, floats, from, keep);
        }
    }
    l->starts[units_of(l) * l->rows + row] = (uint32_t)(list.next - begin);
    const float sum = sum_lanes(list.squares);
    l->factors[row] = !job->rescale ? 1 : sum > 0 ? __builtin_sqrtf((float)inputs / sum) : 0;
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
    share(take_item, &job, (l->rows + PORTION - 1) / PORTION, l->rows * l->inputs * 8);
}
