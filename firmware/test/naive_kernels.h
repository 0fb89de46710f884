/* The naive kernels by other names, beside those that a build has chosen. */
#ifndef NAIVE_KERNELS_H
#define NAIVE_KERNELS_H

#include <stdint.h>

void naive_columns_s8(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m);
void naive_columns_s4(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m);

/* naive_math.c */
uint16_t naive_isqrt(uint32_t v);
uint32_t naive_xorshift32(uint32_t r);
int32_t naive_dithered_of(int32_t v, uint32_t dither, uint8_t shift);
uint32_t naive_crc32(uint32_t crc, const uint8_t *p, uint16_t n);

#endif
