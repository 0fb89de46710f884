/*
 * Which kernels this build has: the fastest that the compiler may use on its processor, or those that
 * -DFF_KERNELS=naive|wasm|neon|helium|avr names.
 *
 * The naive kernels define what is computed; every other one gives the same bytes. Each set of kernels is
 * compiled always and is empty where another one is chosen, so that a build need not know which files to
 * take.
 */
#ifndef FF_KERNELS_H
#define FF_KERNELS_H

#define FF_KERNELS_naive 1
#define FF_KERNELS_wasm 2
#define FF_KERNELS_neon 3
#define FF_KERNELS_helium 4
#define FF_KERNELS_avr 5

#define FF_KERNELS_JOIN_(name) FF_KERNELS_##name
#define FF_KERNELS_JOIN(name) FF_KERNELS_JOIN_(name)

#if defined FF_KERNELS
#define FF_KERNEL_SET FF_KERNELS_JOIN(FF_KERNELS)
#if FF_KERNEL_SET == 0
#error "-DFF_KERNELS= takes naive, wasm, neon, helium or avr"
#endif
#elif defined __wasm_simd128__
#define FF_KERNEL_SET FF_KERNELS_wasm
#elif defined __ARM_FEATURE_MVE
#define FF_KERNEL_SET FF_KERNELS_helium
#elif defined __ARM_NEON
#define FF_KERNEL_SET FF_KERNELS_neon
#elif defined __AVR_HAVE_MUL__
#define FF_KERNEL_SET FF_KERNELS_avr
#else
#define FF_KERNEL_SET FF_KERNELS_naive
#endif

/* What the chosen set has of its own; the rest is naive. */
#if FF_KERNEL_SET != FF_KERNELS_naive
#define FF_FAST_COLUMNS 1 /* ff_columns.h */
#else
#define FF_FAST_COLUMNS 0
#endif
#if FF_KERNEL_SET == FF_KERNELS_avr
#define FF_FAST_MATH 1 /* ff_math.h: root, random numbers, shifts; ff_crc32.h where lengths have 16 bits */
#else
#define FF_FAST_MATH 0
#endif

#endif
