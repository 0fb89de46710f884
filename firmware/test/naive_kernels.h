/* The naive kernels by other names, beside those that a build has chosen. */
#ifndef NAIVE_KERNELS_H
#define NAIVE_KERNELS_H

#include <stdint.h>

void naive_columns_s8(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m);

#endif
