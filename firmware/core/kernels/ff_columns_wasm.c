#include "ff_kernels.h"

#if FF_KERNEL_SET == FF_KERNELS_wasm
#include <wasm_simd128.h>

/* Engines have 16 registers on x86-64: eight accumulators leave room for weights and inputs. */
#define FF_OCTETS 4
#define FF_PACKS 4
#define FF_OWN_GATHER
#define FF_SOME 16
#include "ff_sparse.h"

FF_ALWAYS unsigned ff_gather_some(ff_gathered *to, unsigned count, const uint8_t *x, const int8_t *w,
                                  uintptr_t stride) {
    unsigned there = wasm_i8x16_bitmask(wasm_i8x16_ne(wasm_v128_load(x), wasm_i8x16_splat(0)));
    for (; there; there &= there - 1) {
        const unsigned i = (unsigned)__builtin_ctz(there);
        to->w[count] = w + i * stride;
        to->x[count++] = x[i];
    }
    return count;
}

/* Two columns at once: their weights are widened to 16 bits and put side by side, to be multiplied and added
 * in pairs. */
FF_ALWAYS void ff_block(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t j, unsigned octets) {
    v128_t sum[2 * FF_OCTETS];
    FF_UNROLLED
    for (unsigned v = 0; v < 2 * octets; v++)
        sum[v] = wasm_v128_load(acc + 4 * v);
    for (unsigned i = 0; i < count; i += 2) {
        const int8_t *a = list->w[i] + j, *b = list->w[i + 1] + j;
        const v128_t x = wasm_u16x8_extend_low_u8x16(wasm_v128_load16_splat(list->x + i));
        FF_UNROLLED
        for (unsigned v = 0; v < octets; v++) {
            const v128_t p = wasm_i16x8_load8x8(a + 8 * v), q = wasm_i16x8_load8x8(b + 8 * v);
            const v128_t low = wasm_i16x8_shuffle(p, q, 0, 8, 1, 9, 2, 10, 3, 11);
            const v128_t high = wasm_i16x8_shuffle(p, q, 4, 12, 5, 13, 6, 14, 7, 15);
            sum[2 * v] = wasm_i32x4_add(sum[2 * v], wasm_i32x4_dot_i16x8(low, x));
            sum[2 * v + 1] = wasm_i32x4_add(sum[2 * v + 1], wasm_i32x4_dot_i16x8(high, x));
        }
    }
    FF_UNROLLED
    for (unsigned v = 0; v < 2 * octets; v++)
        wasm_v128_store(acc + 4 * v, sum[v]);
}

/* sums: of neurons 4t, 4t + 1, 4t + 2, 4t + 3 in lane t; half of them to sixteen accumulators, the lower or
 * the upper one. */
FF_ALWAYS void add_pack(int32_t *acc, const v128_t *sums, unsigned upper) {
    v128_t p = wasm_i16x8_shuffle(sums[0], sums[1], 0, 8, 1, 9, 2, 10, 3, 11);
    v128_t q = wasm_i16x8_shuffle(sums[2], sums[3], 0, 8, 1, 9, 2, 10, 3, 11);
    if (upper) {
        p = wasm_i16x8_shuffle(sums[0], sums[1], 4, 12, 5, 13, 6, 14, 7, 15);
        q = wasm_i16x8_shuffle(sums[2], sums[3], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    const v128_t eight[2] = {wasm_i32x4_shuffle(p, q, 0, 4, 1, 5), wasm_i32x4_shuffle(p, q, 2, 6, 3, 7)};
    FF_UNROLLED
    for (unsigned k = 0; k < 2; k++, acc += 8) {
        const v128_t low = wasm_i32x4_extend_low_i16x8(eight[k]),
                     high = wasm_i32x4_extend_high_i16x8(eight[k]);
        wasm_v128_store(acc, wasm_i32x4_add(wasm_v128_load(acc), low));
        wasm_v128_store(acc + 4, wasm_i32x4_add(wasm_v128_load(acc + 4), high));
    }
}

/* Both bytes of 16 bits are taken apart into four weights; products are added up in 16 bits, and those sums
 * to the accumulators now and then. */
FF_ALWAYS void ff_block_s4(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t at,
                           unsigned packs) {
    for (unsigned i = 0; i < count;) {
        const unsigned end = count - i < FF_NARROW ? count : i + FF_NARROW;
        v128_t sum[2 * FF_PACKS];
        FF_UNROLLED
        for (unsigned v = 0; v < 2 * FF_PACKS; v++)
            sum[v] = wasm_i16x8_splat(0);
        for (; i < end; i++) {
            const int8_t *column = list->w[i] + at;
            const v128_t x = wasm_i16x8_splat(list->x[i]);
            FF_UNROLLED
            for (unsigned v = 0; v < packs; v += 2) {
                const v128_t both =
                    v + 1 < packs ? wasm_v128_load(column + 8 * v) : wasm_v128_load64_zero(column + 8 * v);
                const v128_t w[4] = {wasm_i16x8_shr(wasm_i16x8_shl(both, 12), 12),
                                     wasm_i16x8_shr(wasm_i16x8_shl(both, 8), 12),
                                     wasm_i16x8_shr(wasm_i16x8_shl(both, 4), 12), wasm_i16x8_shr(both, 12)};
                FF_UNROLLED
                for (unsigned k = 0; k < 4; k++)
                    sum[2 * v + k] = wasm_i16x8_add(sum[2 * v + k], wasm_i16x8_mul(w[k], x));
            }
        }
        FF_UNROLLED
        for (unsigned v = 0; v < packs; v++)
            add_pack(acc + 16 * v, sum + 2 * (v & ~1u), v & 1);
    }
}

#else
typedef int ff_no_wasm; /* no translation unit may be empty */
#endif
