/*
 * The product (ff_columns.h) of processors with vectors: inputs that are not zero are gathered, some hundred
 * at a time, and then blocks of neurons go through all of them with their accumulators in registers.
 *
 * A kernel says by FF_OCTETS how many times eight neurons its registers hold at most (8 or less), includes
 * this, and defines ff_block().
 */
#ifndef FF_SPARSE_H
#define FF_SPARSE_H

#include "ff_columns.h"
#include "ff_nibble.h"

/* Loops of a number that the compiler knows, with an array that shall lie in registers. */
#define FF_UNROLLED_(text) _Pragma(#text)
#ifdef __clang__
#define FF_UNROLLED FF_UNROLLED_(clang loop unroll(full))
#else
#define FF_UNROLLED FF_UNROLLED_(GCC unroll 32)
#endif
#define FF_ALWAYS static inline __attribute__((always_inline))

/* Inputs that are looked at together. */
#ifndef FF_OWN_GATHER
#define FF_SOME sizeof(uintptr_t)
#endif

/* Inputs that are gathered before they are worked on; the stack holds a pointer and a byte for each. */
#define FF_GATHERED 128u
#define FF_GATHERED_MOST (FF_GATHERED + 2 * FF_SOME)

typedef struct {
    const int8_t *w[FF_GATHERED_MOST]; /* columns */
    uint8_t x[FF_GATHERED_MOST];       /* what they are multiplied with */
} ff_gathered;

/* Inputs that are still to come. */
typedef struct {
    const int8_t *w;
    const uint8_t *x, *end;
    uintptr_t stride; /* bytes of a column */
} ff_inputs_left;

/* Appends those of FF_SOME inputs at x that are not 0; w is the column of the first, `stride` bytes lie from
 * one to the next. Returns the new count. A few numbers behind it may be written. */
FF_ALWAYS unsigned ff_gather_some(ff_gathered *to, unsigned count, const uint8_t *x, const int8_t *w,
                                  uintptr_t stride);

#ifndef FF_OWN_GATHER
FF_ALWAYS unsigned ff_gather_some(ff_gathered *to, unsigned count, const uint8_t *x, const int8_t *w,
                                  uintptr_t stride) {
    uintptr_t inputs;
    __builtin_memcpy(&inputs, x, sizeof inputs);
    for (; inputs; inputs >>= 8, w += stride) {
        const uint8_t v = (uint8_t)inputs;
        to->w[count] = w;
        to->x[count] = v;
        count += v != 0;
    }
    return count;
}
#endif

/*
 * Gathers inputs that are not 0 and their columns, some more than FF_GATHERED at most. Returns how many; 0:
 * none are left. Inputs of 0 follow up to a multiple of 4, with a column that may be read.
 */
static inline unsigned ff_gather(ff_gathered *to, ff_inputs_left *left) {
    const uint8_t *x = left->x, *end = left->end;
    unsigned count = 0;
    for (; end - x >= (int)FF_SOME; x += FF_SOME) {
        if (count >= FF_GATHERED) {
            end = x;
            break;
        }
        count = ff_gather_some(to, count, x, left->w + (uintptr_t)(x - left->x) * left->stride, left->stride);
    }
    left->w += (uintptr_t)(x - left->x) * left->stride;
    for (; x < end; x++, left->w += left->stride) {
        to->w[count] = left->w;
        to->x[count] = *x;
        count += *x != 0;
    }
    left->x = x;
    for (unsigned i = count; i & 3; i++) {
        to->w[i] = to->w[0];
        to->x[i] = 0;
    }
    return count;
}

/*
 * acc[0 .. 8 * octets) += the gathered columns' weights from neuron j on, times their inputs. `octets` is a
 * constant where this is inlined. count is at least 1, and what stands behind it is as ff_gather() says.
 */
FF_ALWAYS void ff_block(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t j, unsigned octets);

/* All m neurons of the gathered columns. */
static __attribute__((noinline)) void ff_add_gathered(int32_t *acc, const ff_gathered *list, unsigned count,
                                                      uintptr_t m) {
    uintptr_t j = 0;
    for (; m - j >= 8 * FF_OCTETS; j += 8 * FF_OCTETS)
        ff_block(acc + j, list, count, j, FF_OCTETS);
    switch ((m - j) / 8) {
#define FF_REST(octets)                                                                                      \
    case octets:                                                                                             \
        if (octets < FF_OCTETS) ff_block(acc + j, list, count, j, octets);                                   \
        break;
        FF_REST(1)
        FF_REST(2)
        FF_REST(3)
        FF_REST(4)
        FF_REST(5)
        FF_REST(6)
        FF_REST(7)
#undef FF_REST
    }
    j = m & ~(uintptr_t)7;
    if (j == m) return;
    if (m < 8) {
        for (; j < m; j++)
            for (unsigned i = 0; i < count; i++)
                acc[j] += list->w[i][j] * list->x[i];
        return;
    }
    /* The last eight once more, of which those that are done already are thrown away. */
    int32_t last[8];
    __builtin_memcpy(last, acc + m - 8, sizeof last);
    ff_block(last, list, count, m - 8, 1);
    __builtin_memcpy(acc + j, last + 8 - (m - j), (m - j) * sizeof *acc);
}

void ff_columns_s8(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m) {
    ff_gathered list;
    ff_inputs_left left = {w, x, x + n, m};
    for (unsigned count; (count = ff_gather(&list, &left)) != 0;)
        ff_add_gathered(acc, &list, count, m);
}

/* Columns of nibbles whose products a sum of 16 bits holds: 16 * 255 * 8 < 2^15. */
#define FF_NARROW 16u

/*
 * acc[0 .. 16 * packs) += the gathered columns' weights from byte `at` on, two in each, times their inputs.
 * `packs` is a constant where this is inlined.
 */
FF_ALWAYS void ff_block_s4(int32_t *acc, const ff_gathered *list, unsigned count, uintptr_t at,
                           unsigned packs);

/* All m neurons of the gathered columns, two in a byte. */
static __attribute__((noinline)) void ff_add_gathered_s4(int32_t *acc, const ff_gathered *list,
                                                         unsigned count, uintptr_t m) {
    const uintptr_t full = m / 2, bytes = (m + 1) / 2;
    uintptr_t at = 0;
    for (; full - at >= 8 * FF_PACKS; at += 8 * FF_PACKS)
        ff_block_s4(acc + 2 * at, list, count, at, FF_PACKS);
    switch ((full - at) / 8) {
#define FF_REST(packs)                                                                                       \
    case packs:                                                                                              \
        if (packs < FF_PACKS) ff_block_s4(acc + 2 * at, list, count, at, packs);                             \
        break;
        FF_REST(1)
        FF_REST(2)
        FF_REST(3)
        FF_REST(4)
        FF_REST(5)
        FF_REST(6)
        FF_REST(7)
#undef FF_REST
    }
    uintptr_t j = full & ~(uintptr_t)7;
    if (j == bytes) return;
    j *= 2;
    if (bytes < 8) {
        for (; j < m; j++)
            for (unsigned i = 0; i < count; i++)
                acc[j] += ff_nibble((uint8_t)list->w[i][j / 2], j & 1) * list->x[i];
        return;
    }
    /* The last eight bytes once more, as with whole bytes; there may be one neuron more than there is. */
    int32_t last[16] = {0};
    const uintptr_t from = 2 * (bytes - 8);
    __builtin_memcpy(last, acc + from, (m - from) * sizeof *acc);
    ff_block_s4(last, list, count, bytes - 8, 1);
    __builtin_memcpy(acc + j, last + (j - from), (m - j) * sizeof *acc);
}

void ff_columns_s4(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m) {
    ff_gathered list;
    ff_inputs_left left = {w, x, x + n, (m + 1u) / 2};
    for (unsigned count; (count = ff_gather(&list, &left)) != 0;)
        ff_add_gathered_s4(acc, &list, count, m);
}

#endif
