/* Integer root and random numbers (SPEC.md 3 and 4.2). */
#ifndef FF_MATH_H
#define FF_MATH_H

#include "kernels/ff_kernels.h"
#include <stdint.h>

/* a / b; b is not 0. Where the processor has no divider, a routine of our own is smaller than the compiler's.
 */
#if defined(__ARM_ARCH_6M__)
uint32_t ff_divide(uint32_t a, uint32_t b);
#else
static inline uint32_t ff_divide(uint32_t a, uint32_t b) {
    return a / b;
}
#endif

/* floor(sqrt(v)), 0 to 65535. */
uint16_t ff_isqrt(uint32_t v);

/* xorshift32 (Marsaglia 2003): the number after state r. r must not be 0, and never becomes 0. */
uint32_t ff_xorshift32(uint32_t r);

/* (v + dither / 2^32 of a step) >> shift, shift 1 to 24, rounded down: a part of a step is made up for now
 * and then. */
#if FF_FAST_MATH
int32_t ff_dithered(int32_t v, uint32_t dither, uint8_t shift);
#else
static inline int32_t ff_dithered(int32_t v, uint32_t dither, uint8_t shift) {
    return (v + (int32_t)(dither >> (32 - shift))) >> shift;
}
#endif

/* Steps of the dither lattice along inputs and along neurons (SPEC.md 5). */
#define FF_DITHER_INPUT 0x9E3779B9u
#define FF_DITHER_NEURON 0x85EBCA6Bu

#endif
