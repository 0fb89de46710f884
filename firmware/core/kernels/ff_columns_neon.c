#include "ff_kernels.h"

#if FF_KERNEL_SET == FF_KERNELS_neon
#include <arm_neon.h>

/* Registers of 16 bytes: 32 on AArch64, 16 on ARMv7. */
#ifdef __aarch64__
#define FF_OCTETS 8
#define FF_PACKS 8
#else
#define FF_OCTETS 5
#define FF_PACKS 4
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

/* a += the upper half of w times that of x. */
#ifdef __aarch64__
#define ADD_HIGH_U8(a, w, x) vmlal_high_u8(a, w, x)
#else
#define ADD_HIGH_U8(a, w, x) vmlal_u8(a, vget_high_u8(w), vget_high_u8(x))
#endif

/* Sums of eight even and eight odd neurons, each 8 times the sum of inputs too large, to sixteen
 * accumulators. */
FF_ALWAYS void add_pack(int32_t *acc, uint16x8_t even, uint16x8_t odd, uint16x8_t inputs) {
    const uint16x8_t bias = vshlq_n_u16(inputs, 3);
    const int16x8x2_t pair =
        vzipq_s16(vreinterpretq_s16_u16(vsubq_u16(even, bias)), vreinterpretq_s16_u16(vsubq_u16(odd, bias)));
    FF_UNROLLED
    for (unsigned k = 0; k < 2; k++, acc += 8) {
        vst1q_s32(acc, vaddw_s16(vld1q_s32(acc), vget_low_s16(pair.val[k])));
        vst1q_s32(acc + 4, vaddw_s16(vld1q_s32(acc + 4), vget_high_s16(pair.val[k])));
    }
}

/*
 * Both weights of a byte are made 0 to 15, since inputs are unsigned, too; their products are added up in 16
 * bits, and those sums to the accumulators now and then.
 */
FF_ALWAYS void ff_block_s4(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t at,
                           unsigned packs) {
    const uint8x16_t flip = vdupq_n_u8(0x88), low = vdupq_n_u8(15);
    for (unsigned i = 0; i < count;) {
        const unsigned end = count - i < FF_NARROW ? count : i + FF_NARROW;
        uint16x8_t even[FF_PACKS], odd[FF_PACKS], inputs = vdupq_n_u16(0);
        FF_UNROLLED
        for (unsigned v = 0; v < packs; v++)
            even[v] = odd[v] = inputs;
        for (; i < end; i++) {
            const uint8_t *column = (const uint8_t *)list->w[i] + at;
            const uint8x16_t x = vdupq_n_u8(list->x[i]);
            inputs = vaddw_u8(inputs, vget_low_u8(x));
            FF_UNROLLED
            for (unsigned v = 0; v < packs / 2; v++) {
                const uint8x16_t both = veorq_u8(vld1q_u8(column + 16 * v), flip);
                const uint8x16_t first = vandq_u8(both, low), second = vshrq_n_u8(both, 4);
                even[2 * v] = vmlal_u8(even[2 * v], vget_low_u8(first), vget_low_u8(x));
                odd[2 * v] = vmlal_u8(odd[2 * v], vget_low_u8(second), vget_low_u8(x));
                even[2 * v + 1] = ADD_HIGH_U8(even[2 * v + 1], first, x);
                odd[2 * v + 1] = ADD_HIGH_U8(odd[2 * v + 1], second, x);
            }
            if (packs & 1) {
                const unsigned v = packs - 1;
                const uint8x8_t both = veor_u8(vld1_u8(column + 8 * v), vget_low_u8(flip));
                even[v] = vmlal_u8(even[v], vand_u8(both, vget_low_u8(low)), vget_low_u8(x));
                odd[v] = vmlal_u8(odd[v], vshr_n_u8(both, 4), vget_low_u8(x));
            }
        }
        FF_UNROLLED
        for (unsigned v = 0; v < packs; v++)
            add_pack(acc + 16 * v, even[v], odd[v], inputs);
    }
}

#else
typedef int ff_no_neon; /* no translation unit may be empty */
#endif
