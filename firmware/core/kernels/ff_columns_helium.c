#include "ff_kernels.h"

#if FF_KERNEL_SET == FF_KERNELS_helium
#include <arm_mve.h>

/* Eight registers: six accumulators, and one for weights. */
#define FF_OCTETS 3
#define FF_PACKS 2
#include "ff_sparse.h"

/* One column after the other: weights are widened to 32 bits as they are loaded. */
FF_ALWAYS void ff_block(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t j, unsigned octets) {
    int32x4_t sum[2 * FF_OCTETS];
    FF_UNROLLED
    for (unsigned v = 0; v < 2 * octets; v++)
        sum[v] = vld1q_s32(acc + 4 * v);
    for (unsigned i = 0; i < count; i++) {
        const int8_t *column = (const int8_t *)((uintptr_t)list->w[i] + j);
        const int32_t x = list->x[i];
        FF_UNROLLED
        for (unsigned v = 0; v < 2 * octets; v++)
            sum[v] = vmlaq_n_s32(sum[v], vldrbq_s32(column + 4 * v), x);
    }
    FF_UNROLLED
    for (unsigned v = 0; v < 2 * octets; v++)
        vst1q_s32(acc + 4 * v, sum[v]);
}

/* Both weights of a byte are widened to 16 bits; sums of that width are added to the accumulators now and
 * then. */
FF_ALWAYS void ff_block_s4(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t at,
                           unsigned packs) {
    for (unsigned i = 0; i < count;) {
        const unsigned end = count - i < FF_NARROW ? count : i + FF_NARROW;
        int16x8_t even[FF_PACKS], odd[FF_PACKS];
        FF_UNROLLED
        for (unsigned v = 0; v < packs; v++)
            even[v] = odd[v] = vdupq_n_s16(0);
        for (; i < end; i++) {
            const int8_t *column = (const int8_t *)((uintptr_t)list->w[i] + at);
            const int16_t x = list->x[i];
            FF_UNROLLED
            for (unsigned v = 0; v < packs; v++) {
                const int16x8_t both = vldrbq_s16(column + 8 * v);
                even[v] = vmlaq_n_s16(even[v], vshrq_n_s16(vshlq_n_s16(both, 12), 12), x);
                odd[v] = vmlaq_n_s16(odd[v], vshrq_n_s16(both, 4), x);
            }
        }
        FF_UNROLLED
        for (unsigned v = 0; v < packs; v++) {
            int16_t sums[16];
            const int16x8x2_t pair = {{even[v], odd[v]}};
            vst2q_s16(sums, pair);
            FF_UNROLLED
            for (unsigned k = 0; k < 16; k += 4) {
                int32_t *to = acc + 16 * v + k;
                vst1q_s32(to, vaddq_s32(vld1q_s32(to), vldrhq_s32(sums + k)));
            }
        }
    }
}

#else
typedef int ff_no_helium; /* no translation unit may be empty */
#endif
