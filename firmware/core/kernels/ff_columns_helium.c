#include "ff_kernels.h"

#if FF_KERNEL_SET == FF_KERNELS_helium
#include <arm_mve.h>

/* Eight registers: six accumulators, and one for weights. */
#define FF_OCTETS 3
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

#else
typedef int ff_no_helium; /* no translation unit may be empty */
#endif
