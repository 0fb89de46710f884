#undef FF_KERNELS
#define FF_KERNELS naive
#define ff_isqrt naive_isqrt
#define ff_xorshift32 naive_xorshift32
#define ff_dithered naive_dithered
#define ff_crc32 naive_crc32
#include "ff_math.c"

#include "ff_crc32.c"
#include "naive_kernels.h"

int32_t naive_dithered_of(int32_t v, uint32_t dither, uint8_t shift) {
    return naive_dithered(v, dither, shift);
}
