#include "ff_columns.h"
#include "ff_kernels.h"

#if FF_FAST_COLUMNS
typedef int ff_columns_of_a_kernel_set; /* no translation unit may be empty */
#else

void ff_columns_s8(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m) {
    for (unsigned i = 0; i < n; i++, w += m) {
        const int32_t xi = x[i];
        if (xi == 0) continue;
        for (unsigned j = 0; j < m; j++)
            acc[j] += w[j] * xi;
    }
}

#endif
