#undef FF_KERNELS
#define FF_KERNELS naive
#define ff_columns_s8 naive_columns_s8
#define ff_columns_s4 naive_columns_s4
#include "kernels/ff_columns.c"
