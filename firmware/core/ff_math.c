#include "ff_math.h"

/* Processors whose divider makes a root quick. */
#if defined(__GNUC__) && (defined(__ARM_FEATURE_IDIV) || defined(__aarch64__) || defined(__x86_64__))
#define FF_DIVIDES 1
#else
#define FF_DIVIDES 0
#endif

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
#if FF_DIVIDES
    /* Newton's iteration from above: it falls to the root, and not below */
    if (v == 0) return 0;
    uint32_t root = 65536u >> (__builtin_clz(v) >> 1), next = root;
    do {
        root = next;
        next = (root + v / root) >> 1;
    } while (next < root);
    return (uint16_t)root;
#else
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
#endif
}

uint32_t ff_xorshift32(uint32_t r) {
    r ^= r << 13;
    r ^= r >> 17;
    r ^= r << 5;
    return r;
}

#endif
