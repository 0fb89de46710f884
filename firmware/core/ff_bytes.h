/* Little-endian numbers in byte arrays, put together by hand: the same on every compiler, at any alignment.
 */
#ifndef FF_BYTES_H
#define FF_BYTES_H

#include <stdint.h>

uint16_t ff_get16(const uint8_t *p);
uint32_t ff_get32(const uint8_t *p);
void ff_put16(uint8_t *p, uint16_t v);
void ff_put32(uint8_t *p, uint32_t v);
/* Adds 1, and stays at 2^32 - 1. */
void ff_count32(uint8_t *p);

#endif
