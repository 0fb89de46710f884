#include "ff_kernels.h"

#if FF_KERNEL_SET == FF_KERNELS_wasm
#include <wasm_simd128.h>

/* Engines have 16 registers on x86-64: eight accumulators leave room for weights and inputs. */
#define FF_OCTETS 4
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

#else
typedef int ff_no_wasm; /* no translation unit may be empty */
#endif
