/*
 * Four numbers of 32 bits at once, on each processor with vectors that this core knows: what is written with
 * these is written once for all of them.
 *
 * Numbers are signed unless a name says otherwise; sums and products wrap around. Loads and stores take any
 * address; narrow stores take the low bits.
 */
#ifndef FF_LANES_H
#define FF_LANES_H

#include "ff_kernels.h"

#if FF_LANES
#include <stdint.h>

#define FF_ALWAYS static inline __attribute__((always_inline))

#if FF_KERNEL_SET == FF_KERNELS_wasm
#include <wasm_simd128.h>

typedef v128_t ff_lanes;

FF_ALWAYS ff_lanes ff_lanes_all(int32_t v) {
    return wasm_i32x4_splat(v);
}
FF_ALWAYS ff_lanes ff_lanes_load(const int32_t *p) {
    return wasm_v128_load(p);
}
FF_ALWAYS ff_lanes ff_lanes_load_u16(const uint16_t *p) {
    return wasm_u32x4_load16x4(p);
}
FF_ALWAYS ff_lanes ff_lanes_load_u8(const uint8_t *p) {
    return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p)));
}
FF_ALWAYS ff_lanes ff_lanes_load_s8(const int8_t *p) {
    return wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(p)));
}
FF_ALWAYS void ff_lanes_store(int32_t *p, ff_lanes a) {
    wasm_v128_store(p, a);
}
FF_ALWAYS void ff_lanes_store_16(void *p, ff_lanes a) {
    wasm_v128_store64_lane(p, wasm_i8x16_shuffle(a, a, 0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0), 0);
}
FF_ALWAYS void ff_lanes_store_8(void *p, ff_lanes a) {
    wasm_v128_store32_lane(p, wasm_i8x16_shuffle(a, a, 0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
}
FF_ALWAYS ff_lanes ff_lanes_add(ff_lanes a, ff_lanes b) {
    return wasm_i32x4_add(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_sub(ff_lanes a, ff_lanes b) {
    return wasm_i32x4_sub(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_mul(ff_lanes a, ff_lanes b) {
    return wasm_i32x4_mul(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_min(ff_lanes a, ff_lanes b) {
    return wasm_i32x4_min(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_max(ff_lanes a, ff_lanes b) {
    return wasm_i32x4_max(a, b);
}
/* >> k, 0 to 31 */
FF_ALWAYS ff_lanes ff_lanes_shift(ff_lanes a, unsigned k) {
    return wasm_i32x4_shr(a, k);
}
FF_ALWAYS ff_lanes ff_lanes_shift_unsigned(ff_lanes a, unsigned k) {
    return wasm_u32x4_shr(a, k);
}
FF_ALWAYS uint32_t ff_lanes_sum(ff_lanes a) {
    const v128_t two = wasm_i32x4_add(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
    return (uint32_t)wasm_i32x4_extract_lane(two, 0) + (uint32_t)wasm_i32x4_extract_lane(two, 1);
}

/* Sixteen bytes: less `least`, from x to `to`; adds their squares to four sums. */
FF_ALWAYS ff_lanes ff_sixteen_take(uint8_t *to, const uint8_t *x, uint8_t least, ff_lanes sums) {
    const v128_t v = wasm_i8x16_sub(wasm_v128_load(x), wasm_i8x16_splat((int8_t)least));
    wasm_v128_store(to, v);
    const v128_t low = wasm_u16x8_extmul_low_u8x16(v, v), high = wasm_u16x8_extmul_high_u8x16(v, v);
    return wasm_i32x4_add(
        sums, wasm_i32x4_add(wasm_u32x4_extadd_pairwise_u16x8(low), wasm_u32x4_extadd_pairwise_u16x8(high)));
}
FF_ALWAYS v128_t ff_four_rescaled(v128_t v, ff_lanes rec) {
    return wasm_u32x4_shr(wasm_i32x4_add(wasm_i32x4_mul(v, rec), wasm_i32x4_splat(32768)), 16);
}
FF_ALWAYS v128_t ff_eight_rescaled(v128_t v, ff_lanes rec) {
    return wasm_i16x8_narrow_i32x4(ff_four_rescaled(wasm_u32x4_extend_low_u16x8(v), rec),
                                   ff_four_rescaled(wasm_u32x4_extend_high_u16x8(v), rec));
}
/* ff_rescale() of sixteen bytes. */
FF_ALWAYS void ff_sixteen_rescale(uint8_t *x, ff_lanes rec, uint8_t most) {
    const v128_t v = wasm_v128_load(x);
    const v128_t rescaled = wasm_u8x16_narrow_i16x8(ff_eight_rescaled(wasm_u16x8_extend_low_u8x16(v), rec),
                                                    ff_eight_rescaled(wasm_u16x8_extend_high_u8x16(v), rec));
    wasm_v128_store(x, wasm_u8x16_min(rescaled, wasm_i8x16_splat((int8_t)most)));
}
#define FF_SIXTEEN 16u

#elif FF_KERNEL_SET == FF_KERNELS_neon
#include <arm_neon.h>

typedef int32x4_t ff_lanes;

FF_ALWAYS ff_lanes ff_lanes_all(int32_t v) {
    return vdupq_n_s32(v);
}
FF_ALWAYS ff_lanes ff_lanes_load(const int32_t *p) {
    return vld1q_s32(p);
}
FF_ALWAYS ff_lanes ff_lanes_load_u16(const uint16_t *p) {
    return vreinterpretq_s32_u32(vmovl_u16(vld1_u16(p)));
}
/* Four bytes in the low half of a register. */
FF_ALWAYS uint8x8_t ff_four_bytes(const void *p) {
    uint32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return vreinterpret_u8_u32(vdup_n_u32(four));
}
FF_ALWAYS ff_lanes ff_lanes_load_u8(const uint8_t *p) {
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(ff_four_bytes(p)))));
}
FF_ALWAYS ff_lanes ff_lanes_load_s8(const int8_t *p) {
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(ff_four_bytes(p)))));
}
FF_ALWAYS void ff_lanes_store(int32_t *p, ff_lanes a) {
    vst1q_s32(p, a);
}
FF_ALWAYS void ff_lanes_store_16(void *p, ff_lanes a) {
    const int16x4_t narrow = vmovn_s32(a);
    __builtin_memcpy(p, &narrow, sizeof narrow);
}
FF_ALWAYS void ff_lanes_store_8(void *p, ff_lanes a) {
    const int16x4_t narrow = vmovn_s32(a);
    const uint32_t four = vget_lane_u32(vreinterpret_u32_s8(vmovn_s16(vcombine_s16(narrow, narrow))), 0);
    __builtin_memcpy(p, &four, sizeof four);
}
FF_ALWAYS ff_lanes ff_lanes_add(ff_lanes a, ff_lanes b) {
    return vaddq_s32(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_sub(ff_lanes a, ff_lanes b) {
    return vsubq_s32(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_mul(ff_lanes a, ff_lanes b) {
    return vmulq_s32(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_min(ff_lanes a, ff_lanes b) {
    return vminq_s32(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_max(ff_lanes a, ff_lanes b) {
    return vmaxq_s32(a, b);
}
/* >> k, 0 to 31 */
FF_ALWAYS ff_lanes ff_lanes_shift(ff_lanes a, unsigned k) {
    return vshlq_s32(a, vdupq_n_s32(-(int32_t)k));
}
FF_ALWAYS ff_lanes ff_lanes_shift_unsigned(ff_lanes a, unsigned k) {
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), vdupq_n_s32(-(int32_t)k)));
}
FF_ALWAYS uint32_t ff_lanes_sum(ff_lanes a) {
    const uint32x4_t u = vreinterpretq_u32_s32(a);
    const uint32x2_t two = vadd_u32(vget_low_u32(u), vget_high_u32(u));
    return vget_lane_u32(vpadd_u32(two, two), 0);
}

/* Sixteen bytes: less `least`, from x to `to`; adds their squares to four sums. */
FF_ALWAYS ff_lanes ff_sixteen_take(uint8_t *to, const uint8_t *x, uint8_t least, ff_lanes sums) {
    const uint8x16_t v = vsubq_u8(vld1q_u8(x), vdupq_n_u8(least));
    vst1q_u8(to, v);
    uint32x4_t sum = vreinterpretq_u32_s32(sums);
    sum = vpadalq_u16(sum, vmull_u8(vget_low_u8(v), vget_low_u8(v)));
    return vreinterpretq_s32_u32(vpadalq_u16(sum, vmull_u8(vget_high_u8(v), vget_high_u8(v))));
}
/* Rounds half up, as ff_rescale() does. */
FF_ALWAYS uint8x8_t ff_eight_rescaled(uint16x8_t v, ff_lanes rec) {
    const uint32x4_t factor = vreinterpretq_u32_s32(rec);
    const uint16x4_t low = vqrshrn_n_u32(vmulq_u32(vmovl_u16(vget_low_u16(v)), factor), 16);
    const uint16x4_t high = vqrshrn_n_u32(vmulq_u32(vmovl_u16(vget_high_u16(v)), factor), 16);
    return vqmovn_u16(vcombine_u16(low, high));
}
/* ff_rescale() of sixteen bytes. */
FF_ALWAYS void ff_sixteen_rescale(uint8_t *x, ff_lanes rec, uint8_t most) {
    const uint8x16_t v = vld1q_u8(x);
    const uint8x16_t rescaled = vcombine_u8(ff_eight_rescaled(vmovl_u8(vget_low_u8(v)), rec),
                                            ff_eight_rescaled(vmovl_u8(vget_high_u8(v)), rec));
    vst1q_u8(x, vminq_u8(rescaled, vdupq_n_u8(most)));
}
#define FF_SIXTEEN 16u

#else
#include <arm_mve.h>

typedef int32x4_t ff_lanes;

FF_ALWAYS ff_lanes ff_lanes_all(int32_t v) {
    return vdupq_n_s32(v);
}
FF_ALWAYS ff_lanes ff_lanes_load(const int32_t *p) {
    return vld1q_s32(p);
}
FF_ALWAYS ff_lanes ff_lanes_load_u16(const uint16_t *p) {
    return vreinterpretq_s32_u32(vldrhq_u32(p));
}
FF_ALWAYS ff_lanes ff_lanes_load_u8(const uint8_t *p) {
    return vreinterpretq_s32_u32(vldrbq_u32(p));
}
FF_ALWAYS ff_lanes ff_lanes_load_s8(const int8_t *p) {
    return vldrbq_s32(p);
}
FF_ALWAYS void ff_lanes_store(int32_t *p, ff_lanes a) {
    vst1q_s32(p, a);
}
FF_ALWAYS void ff_lanes_store_16(void *p, ff_lanes a) {
    vstrhq_s32((int16_t *)p, a);
}
FF_ALWAYS void ff_lanes_store_8(void *p, ff_lanes a) {
    vstrbq_s32((int8_t *)p, a);
}
FF_ALWAYS ff_lanes ff_lanes_add(ff_lanes a, ff_lanes b) {
    return vaddq_s32(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_sub(ff_lanes a, ff_lanes b) {
    return vsubq_s32(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_mul(ff_lanes a, ff_lanes b) {
    return vmulq_s32(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_min(ff_lanes a, ff_lanes b) {
    return vminq_s32(a, b);
}
FF_ALWAYS ff_lanes ff_lanes_max(ff_lanes a, ff_lanes b) {
    return vmaxq_s32(a, b);
}
/* >> k, 0 to 31 */
FF_ALWAYS ff_lanes ff_lanes_shift(ff_lanes a, unsigned k) {
    return vshlq_r_s32(a, -(int32_t)k);
}
FF_ALWAYS ff_lanes ff_lanes_shift_unsigned(ff_lanes a, unsigned k) {
    return vreinterpretq_s32_u32(vshlq_r_u32(vreinterpretq_u32_s32(a), -(int32_t)k));
}
FF_ALWAYS uint32_t ff_lanes_sum(ff_lanes a) {
    return vaddvq_u32(vreinterpretq_u32_s32(a));
}

#endif
#endif
#endif
