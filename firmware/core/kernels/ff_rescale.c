#include "ff_rescale.h"
#include "ff_dsp.h"

#if FF_WORDS

/* What ends a scan by ff_next_word(): padding up to a word, and a word that is not 0. */
static const uint8_t *end_words(uint8_t *x, ff_size n) {
    for (; n & 3; n++)
        x[n] = 0;
    ff_set32(x + n, 1);
    return x + n;
}

/* Copies n bytes; both addresses are aligned to 4. */
static void copy_words(uint8_t *to, const uint8_t *x, ff_size n) {
#if defined(__thumb__)
    for (; n >= 16; n -= 16)
        __asm volatile("ldmia %1!, {r3-r6}\n stmia %0!, {r3-r6}"
                       : "+l"(to), "+l"(x)
                       :
                       : "r3", "r4", "r5", "r6", "memory");
#else
    for (; n >= 4; n -= 4, to += 4, x += 4)
        ff_set32(to, ff_at32(x));
#endif
    while (n--)
        *to++ = *x++;
}

uint32_t ff_take_words(uint8_t *to, const uint8_t *x, ff_size n) {
    const uint8_t *p = to, *end;
    uint32_t sum = 0;
    copy_words(to, x, n);
    for (end = end_words(to, n);;) {
        const uint32_t word = ff_next_word(&p);
        if (p > end) return sum;
        sum = ff_squares(word, sum);
    }
}

/* The four inputs of a word, rescaled to so many bits: products are at most 2^28. */
#define RESCALED(x, bits) FF_UPPER_SATURATED((x)*rec + 32768, bits)
#define RESCALED_WORD(word, bits)                                                                            \
    (RESCALED((word)&255, bits) | RESCALED((word) >> 8 & 255, bits) << 8 |                                   \
     RESCALED((word) >> 16 & 255, bits) << 16 | RESCALED((word) >> 24, bits) << 24)

void ff_rescale_inputs(uint8_t *x, ff_size n, uint32_t rec, uint8_t most) {
    const uint8_t *p = x, *end = end_words(x, n);
    for (;;) {
        const uint32_t word = ff_next_word(&p);
        if (p > end) return;
        ff_set32(x + (p - x) - 4, most == 15 ? RESCALED_WORD(word, 4) : RESCALED_WORD(word, 8));
    }
}

void ff_rescale_activities(uint8_t *x, const uint16_t *y, ff_size n, uint32_t rec, uint8_t most) {
    for (; n; n--, y++) {
        const uint32_t v = *y;
        *x++ = v == 0 ? 0 : (uint8_t)(most == 15 ? RESCALED(v, 4) : RESCALED(v, 8));
    }
}

#else
typedef int ff_rescale_has_no_words; /* no translation unit may be empty */
#endif
