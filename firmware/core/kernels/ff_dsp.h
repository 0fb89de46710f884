/*
 * Instructions of Arm's DSP extension, and what they do in C, so that the kernels which use them can be
 * tested anywhere.
 */
#ifndef FF_DSP_H
#define FF_DSP_H

#include "ff_bytes.h"

/* Keeps a constant in a register, where the compiler would take another instruction rather than a register.
 */
#if defined(__thumb__)
#define FF_KEEP(v) __asm("" : "+r"(v))
#else
#define FF_KEEP(v) (void)(v)
#endif

/* The next word that is not 0, from *p on; *p: behind it. There must be one. */
static inline uint32_t ff_next_word(const uint8_t **p) {
    const uint8_t *at = *p;
    uint32_t word;
#if defined(__thumb__)
    __asm volatile("1: ldmia %0!, {%1}\n cmp %1, #0\n beq 1b" : "+l"(at), "=&l"(word) : : "cc", "memory");
#else
    do {
        word = ff_at32(at);
        at += 4;
    } while (word == 0);
#endif
    *p = at;
    return word;
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && !defined(__ARM_NEON)
#define FF_DSP 1
/* A function all of whose body is assembler. */
#define FF_NAKED __attribute__((naked, noinline))
#include <arm_acle.h>

static inline uint32_t ff_uxtb16(uint32_t v) {
    return (uint32_t)__uxtb16(v);
}

static inline uint32_t ff_smlad(uint32_t a, uint32_t b, uint32_t sum) {
    return (uint32_t)__smlad((int16x2_t)a, (int16x2_t)b, (int32_t)sum);
}

static inline uint32_t ff_usada8(uint32_t v, uint32_t sum) {
    return __usada8(v, 0, sum);
}

static inline uint32_t ff_squares(uint32_t v, uint32_t sum) {
    const uint32_t even = ff_uxtb16(v), odd = ff_uxtb16(v >> 8 | v << 24);
    return ff_smlad(odd, odd, ff_smlad(even, even, sum));
}

/* v >> 16, 0 to 2^bits - 1. */
#define FF_UPPER_SATURATED(v, bits) __usat((int32_t)(v) >> 16, bits)

/* v as an unsigned half word: 0 if it is negative, 65,535 if it is larger. */
static inline uint32_t ff_half_word(int32_t v) {
    return __usat(v, 16);
}

/* The smaller of a and b, half by half, unsigned. */
static inline uint32_t ff_smaller16(uint32_t a, uint32_t b) {
    return a - (uint32_t)__uqsub16((uint16x2_t)a, (uint16x2_t)b);
}

#else
#define FF_DSP 0

#define FF_UPPER_SATURATED(v, bits) ff_upper_saturated(v, bits)
static inline uint32_t ff_upper_saturated(uint32_t v, unsigned bits) {
    const uint32_t most = ((uint32_t)1 << bits) - 1;
    return v >> 16 > most ? most : v >> 16;
}

static inline uint32_t ff_half_word(int32_t v) {
    return v < 0 ? 0 : v > 65535 ? 65535 : (uint32_t)v;
}

static inline uint32_t ff_smaller16(uint32_t a, uint32_t b) {
    const uint32_t low = (uint16_t)a < (uint16_t)b ? (uint16_t)a : (uint16_t)b;
    return low | (a >> 16 < b >> 16 ? a : b) >> 16 << 16;
}

/* Bytes 0 and 2 to half words. */
static inline uint32_t ff_uxtb16(uint32_t v) {
    return v & 0x00FF00FFu;
}

/* sum + the products of the low and of the high halves, signed; mod 2^32. */
static inline uint32_t ff_smlad(uint32_t a, uint32_t b, uint32_t sum) {
    return sum + (uint32_t)((int16_t)a * (int16_t)b) + (uint32_t)((int16_t)(a >> 16) * (int16_t)(b >> 16));
}

/* sum + the four bytes. */
static inline uint32_t ff_usada8(uint32_t v, uint32_t sum) {
    return sum + (v & 255) + (v >> 8 & 255) + (v >> 16 & 255) + (v >> 24);
}

/* sum + the squares of the four bytes. */
static inline uint32_t ff_squares(uint32_t v, uint32_t sum) {
    for (; v; v >>= 8)
        sum += (v & 255) * (v & 255);
    return sum;
}

#endif

#endif
