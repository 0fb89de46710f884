/* Tests of kernels, wherever they run. */
#ifndef KERNELS_H
#define KERNELS_H

#include <stdint.h>

#define KERNELS_MEMORY (65536u * 20) /* bytes */

/* Cases in which the kernels of this build differ from the naive ones. seed: not 0. memory: KERNELS_MEMORY
 * bytes. */
uint32_t check_kernels(uint32_t seed, uint8_t *memory);

/* Those of the kernels around the product. */
uint32_t check_layer_kernels(uint8_t *memory);

/* 0 to below - 1. */
uint32_t kernels_draw(uint32_t below);

#endif
