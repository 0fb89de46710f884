#include "ff_columns.h"
#include "ff_kernels.h"
#include "ff_nibble.h"

#if !FF_FAST_COLUMNS

void ff_columns_s8(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m) {
    for (unsigned i = 0; i < n; i++, w += m) {
        const int32_t xi = x[i];
        if (xi == 0) continue;
        for (unsigned j = 0; j < m; j++)
            acc[j] += w[j] * xi;
    }
}

#endif

#if !FF_LANES

void ff_columns_s4(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m) {
    const unsigned stride = ((unsigned)m + 1) >> 1;
    for (unsigned i = 0; i < n; i++, w += stride) {
        const int32_t xi = x[i];
        if (xi == 0) continue;
        for (unsigned j = 0; j < m; j++)
            acc[j] += ff_nibble((uint8_t)w[j >> 1], j & 1) * xi;
    }
}

#else
typedef int ff_columns_of_a_kernel_set; /* no translation unit may be empty */
#endif
