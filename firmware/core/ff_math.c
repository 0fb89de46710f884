#include "ff_math.h"

#if defined(__ARM_ARCH_6M__)
uint32_t ff_divide(uint32_t a, uint32_t b) {
    uint32_t quotient = 0, bit = 1;
    while (b <= a >>
           1) { /* the largest multiple of b by a power of two that is not above a; no bit of b is lost */
        b <<= 1;
        bit <<= 1;
    }
    for (; bit; bit >>= 1, b >>= 1)
        if (a >= b) {
            a -= b;
            quotient |= bit;
        }
    return quotient;
}
#endif

#if !FF_FAST_MATH

uint16_t ff_isqrt(uint32_t v) {
    uint32_t root = 0;
    for (uint32_t bit = (uint32_t)1 << 30; bit; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint16_t)root;
}

uint32_t ff_xorshift32(uint32_t r) {
    r ^= r << 13;
    r ^= r >> 17;
    r ^= r << 5;
    return r;
}

#endif
