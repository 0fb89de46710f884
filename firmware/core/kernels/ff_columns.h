/*
 * The product of a layer: acc[j] += sum over i of w[i * m + j] * x[i].
 *
 * The naive kernel defines the operation. A faster one has the same signature and gives the same bytes.
 */
#ifndef FF_COLUMNS_H
#define FF_COLUMNS_H

#include <stdint.h>

/*
 * acc: int32 (m), not cleared here. w: int8 (n, m), column by column. x: uint8 (n); a zero skips its column.
 * |acc| <= 65535 * 255 * 128 < 2^31 for every n that an image can hold.
 */
void ff_columns_s8(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m);

/* The same with two weights in a byte, as layout 0 of 4 bits and fewer has them (SPEC.md 2.4): a column takes
 * (m + 1) / 2 bytes. */
void ff_columns_s4(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m);

#endif
