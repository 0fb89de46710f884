/*
 * A layer whose weights lie as a fast kernel wants them: its product and its activities (SPEC.md 4.2 to 4.4)
 * in one go.
 *
 * Each kernel lists the inputs that are not 0, and goes through the list once for each block of eight
 * neurons, with their sums in registers. Words of weights are multiplied as they are, four weights at a time;
 * to that end some bytes have 128 added, which is taken off in the end. A sum of such products mixes the sums
 * of several neurons, and a few mixtures tell them apart:
 *
 * ff_pairs    layout 1, DSP instructions (Cortex-M4, M7, M33). A word [u(i, j), s(i, j + 1), u(i + 1, j), s(i
 * + 1, j + 1)], u = s + 128, times two inputs, half by half (SMLAD), gives A + 256 B; with the upper bytes
 * cleared, A. Best where what is not 0 comes in runs, as in images. ff_singles  layout 2, DSP instructions. A
 * word [u(j), s(j + 1), u(j + 2), s(j + 3)]: its halves times an input give A0 + 256 A1 and A2 + 256 A3, its
 * even bytes A0 + 65536 A2 in 64 bits. Best where zeros are strewn, as in hidden layers. ff_chain    layout
 * 3, any processor that multiplies 32 bits in an instruction (Cortex-M0). A word W of four u: the sums of W
 * x, of (W >> 16) x and of x times W's bytes in reverse order, mod 2^32, have 96 bits: what four sums of 24
 * bits take.
 */
#ifndef FF_RUN_H
#define FF_RUN_H

#include "ff_list.h"

typedef struct {
    const ff_layer *layer;
    const uint8_t *w; /* its weights, laid out for the kernel */
    int32_t *acc;     /* (m): what the kernel works in; activities, uint16 (m), take its place */
    ff_list_source from;
    ff_entry *list; /* (ff_list_room) */
    uint16_t room;
} ff_run;

/* m: even, 8 or more. */
void ff_pairs(ff_run *run);

/* m: a multiple of 4, 8 or more; the same for ff_chain(). */
void ff_singles(ff_run *run);
void ff_chain(ff_run *run);

#endif
