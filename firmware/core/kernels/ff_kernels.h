/*
 * Which kernels this build has: the fastest that the compiler may use on its processor, or those that
 * -DFF_KERNELS=naive|wasm|neon|helium|avr|dsp|thumb names.
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
#define FF_KERNELS_dsp 6
#define FF_KERNELS_thumb 7

#define FF_KERNELS_JOIN_(name) FF_KERNELS_##name
#define FF_KERNELS_JOIN(name) FF_KERNELS_JOIN_(name)

#if defined FF_KERNELS
#define FF_KERNEL_SET FF_KERNELS_JOIN(FF_KERNELS)
#if FF_KERNEL_SET == 0
#error "-DFF_KERNELS= takes naive, wasm, neon, helium, avr, dsp or thumb"
#endif
#elif defined __wasm_simd128__
#define FF_KERNEL_SET FF_KERNELS_wasm
#elif defined __ARM_FEATURE_MVE
#define FF_KERNEL_SET FF_KERNELS_helium
#elif defined __ARM_NEON
#define FF_KERNEL_SET FF_KERNELS_neon
#elif defined __AVR_HAVE_MUL__
#define FF_KERNEL_SET FF_KERNELS_avr
#elif defined __thumb__ && defined __ARM_FEATURE_DSP
#define FF_KERNEL_SET FF_KERNELS_dsp
#elif defined __ARM_ARCH_6M__
#define FF_KERNEL_SET FF_KERNELS_thumb
#else
#define FF_KERNEL_SET FF_KERNELS_naive
#endif

/* What the chosen set has of its own; the rest is naive. */
#if FF_KERNEL_SET != FF_KERNELS_naive && FF_KERNEL_SET != FF_KERNELS_dsp && FF_KERNEL_SET != FF_KERNELS_thumb
#define FF_FAST_COLUMNS 1 /* ff_columns.h */
#else
#define FF_FAST_COLUMNS 0
#endif
#if FF_KERNEL_SET == FF_KERNELS_wasm || FF_KERNEL_SET == FF_KERNELS_neon || FF_KERNEL_SET == FF_KERNELS_helium
#define FF_LANES 1 /* ff_lanes.h, and with it ff_columns_s4, ff_rescale.h, ff_activate.h, ff_step.h */
#else
#define FF_LANES 0
#endif
#if FF_KERNEL_SET == FF_KERNELS_avr
#define FF_FAST_ACTIVATE 1 /* ff_activate.h: groups of layout 0 */
#define FF_FAST_MATH 1 /* ff_math.h: root, random numbers, shifts; ff_crc32.h where lengths have 16 bits */
#else
#define FF_FAST_ACTIVATE 0
#define FF_FAST_MATH 0
#endif
#if FF_KERNEL_SET == FF_KERNELS_dsp || FF_KERNEL_SET == FF_KERNELS_thumb
#define FF_WORDS 1 /* a processor of 32 bits that goes through inputs by words of four */
#else
#define FF_WORDS 0
#endif

/* Layouts of weights that this build takes, bit t for tag t (SPEC.md 2.4); -DFF_LAYOUTS=... to choose. */
#ifndef FF_LAYOUTS
#if FF_KERNEL_SET == FF_KERNELS_dsp
#define FF_LAYOUTS 0x0007u
#elif FF_KERNEL_SET == FF_KERNELS_thumb
#define FF_LAYOUTS 0x0009u
#elif FF_KERNEL_SET == FF_KERNELS_wasm
#define FF_LAYOUTS 0x000Fu /* the host's twin of all boards */
#else
#define FF_LAYOUTS 0x0001u
#endif
#endif

/* Whether it takes layouts other than columns. */
#define FF_PACKED_LAYOUTS ((FF_LAYOUTS & ~1u) != 0)

#endif
