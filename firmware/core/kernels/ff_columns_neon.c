#include "ff_kernels.h"

#if FF_KERNEL_SET == FF_KERNELS_neon
#include <arm_neon.h>

/* Registers of 16 bytes: 32 on AArch64, 16 on ARMv7. */
#ifdef __aarch64__
#define FF_OCTETS 8
#else
#define FF_OCTETS 5
#endif
#include "ff_sparse.h"

#ifdef __ARM_FEATURE_DOTPROD
/*
 * Four columns at once: their weights are put side by side, and made 0 to 255, since inputs are, too. That
 * adds 128 times the sum of the inputs. Sums of 32 bits wrap around, and back: every final one fits.
 */
FF_ALWAYS void ff_block(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t j, unsigned octets) {
    const uint8x16_t flip = vdupq_n_u8(0x80);
    uint32x4_t sum[2 * FF_OCTETS], inputs = vdupq_n_u32(0);
    FF_UNROLLED
    for (unsigned v = 0; v < 2 * octets; v++)
        sum[v] = vreinterpretq_u32_s32(vld1q_s32(acc + 4 * v));
    for (unsigned i = 0; i < count; i += 4) {
        const uint8_t *a = (const uint8_t *)list->w[i] + j, *b = (const uint8_t *)list->w[i + 1] + j;
        const uint8_t *c = (const uint8_t *)list->w[i + 2] + j, *d = (const uint8_t *)list->w[i + 3] + j;
        uint32_t four;
        __builtin_memcpy(&four, list->x + i, sizeof four);
        const uint8x16_t x = vreinterpretq_u8_u32(vdupq_n_u32(four));
        inputs = vdotq_u32(inputs, x, flip); /* 128 times their sum */
        FF_UNROLLED
        for (unsigned v = 0; v < octets / 2; v++) {
            const uint8x16_t p = vld1q_u8(a + 16 * v), q = vld1q_u8(b + 16 * v);
            const uint8x16_t r = vld1q_u8(c + 16 * v), s = vld1q_u8(d + 16 * v);
            const uint16x8x2_t pq = {
                {vreinterpretq_u16_u8(vzip1q_u8(p, q)), vreinterpretq_u16_u8(vzip2q_u8(p, q))}};
            const uint16x8x2_t rs = {
                {vreinterpretq_u16_u8(vzip1q_u8(r, s)), vreinterpretq_u16_u8(vzip2q_u8(r, s))}};
            FF_UNROLLED
            for (unsigned h = 0; h < 2; h++) {
                const uint8x16_t low = vreinterpretq_u8_u16(vzip1q_u16(pq.val[h], rs.val[h]));
                const uint8x16_t high = vreinterpretq_u8_u16(vzip2q_u16(pq.val[h], rs.val[h]));
                sum[4 * v + 2 * h] = vdotq_u32(sum[4 * v + 2 * h], veorq_u8(low, flip), x);
                sum[4 * v + 2 * h + 1] = vdotq_u32(sum[4 * v + 2 * h + 1], veorq_u8(high, flip), x);
            }
        }
        if (octets & 1) {
            const unsigned v = 2 * octets - 2;
            const uint8x8_t zero = vdup_n_u8(0);
            const uint8x16_t p = vcombine_u8(vld1_u8(a + 4 * v), zero),
                             q = vcombine_u8(vld1_u8(b + 4 * v), zero);
            const uint8x16_t r = vcombine_u8(vld1_u8(c + 4 * v), zero),
                             s = vcombine_u8(vld1_u8(d + 4 * v), zero);
            const uint16x8_t pq = vreinterpretq_u16_u8(vzip1q_u8(p, q)),
                             rs = vreinterpretq_u16_u8(vzip1q_u8(r, s));
            sum[v] = vdotq_u32(sum[v], veorq_u8(vreinterpretq_u8_u16(vzip1q_u16(pq, rs)), flip), x);
            sum[v + 1] = vdotq_u32(sum[v + 1], veorq_u8(vreinterpretq_u8_u16(vzip2q_u16(pq, rs)), flip), x);
        }
    }
    FF_UNROLLED
    for (unsigned v = 0; v < 2 * octets; v++)
        vst1q_s32(acc + 4 * v, vreinterpretq_s32_u32(vsubq_u32(sum[v], inputs)));
}
#else

/* a += the upper half of w times x. */
#ifdef __aarch64__
#define ADD_HIGH(a, w, x) vmlal_high_lane_s16(a, w, x, 0)
#else
#define ADD_HIGH(a, w, x) vmlal_lane_s16(a, vget_high_s16(w), x, 0)
#endif

/* One column after the other: weights and inputs are widened to 16 bits, products to 32. */
FF_ALWAYS void ff_block(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t j, unsigned octets) {
    int32x4_t sum[2 * FF_OCTETS];
    FF_UNROLLED
    for (unsigned v = 0; v < 2 * octets; v++)
        sum[v] = vld1q_s32(acc + 4 * v);
    for (unsigned i = 0; i < count; i++) {
        const int8_t *column = list->w[i] + j;
        const int16x4_t x = vdup_n_s16((int16_t)list->x[i]);
        FF_UNROLLED
        for (unsigned v = 0; v < octets / 2; v++) {
            const int8x16_t both = vld1q_s8(column + 16 * v);
            const int16x8_t low = vmovl_s8(vget_low_s8(both)), high = vmovl_s8(vget_high_s8(both));
            sum[4 * v] = vmlal_lane_s16(sum[4 * v], vget_low_s16(low), x, 0);
            sum[4 * v + 1] = ADD_HIGH(sum[4 * v + 1], low, x);
            sum[4 * v + 2] = vmlal_lane_s16(sum[4 * v + 2], vget_low_s16(high), x, 0);
            sum[4 * v + 3] = ADD_HIGH(sum[4 * v + 3], high, x);
        }
        if (octets & 1) {
            const unsigned v = 2 * octets - 2;
            const int16x8_t low = vmovl_s8(vld1_s8(column + 4 * v));
            sum[v] = vmlal_lane_s16(sum[v], vget_low_s16(low), x, 0);
            sum[v + 1] = ADD_HIGH(sum[v + 1], low, x);
        }
    }
    FF_UNROLLED
    for (unsigned v = 0; v < 2 * octets; v++)
        vst1q_s32(acc + 4 * v, sum[v]);
}
#endif

#else
typedef int ff_no_neon; /* no translation unit may be empty */
#endif
