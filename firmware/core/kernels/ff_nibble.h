/* Two weights in a byte: int4 in two's complement, the even one in the low half (SPEC.md 2.4). */
#ifndef FF_NIBBLE_H
#define FF_NIBBLE_H

#include "ff_bytes.h"

/* The weight in the low half of `pair`, or in the high one. (A shift up and an arithmetic one down again.) */
FF_INLINE int8_t ff_nibble(uint8_t pair, uint8_t high) {
    return (int8_t)((int8_t)(uint8_t)(high ? pair : (unsigned)pair << 4) >> 4);
}

/* `pair` with w (-8 to 7) in that half. */
FF_INLINE uint8_t ff_with_nibble(uint8_t pair, uint8_t high, int8_t w) {
    const uint8_t half = (uint8_t)(w & 15);
    return (uint8_t)(high ? (pair & 0x0Fu) | (unsigned)half << 4 : (pair & 0xF0u) | half);
}

#endif
