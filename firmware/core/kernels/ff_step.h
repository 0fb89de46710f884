/* Loops of ff_learn.c over a layer's inputs (SPEC.md 5, steps 1 and 5), by vectors. */
#ifndef FF_STEP_H
#define FF_STEP_H

#include "ff_kernels.h"
#include "ff_model.h"

#if FF_LANES

/* mean: uint16 (n), Q8, follows x: uint8 (n). dither: that of input 0. */
void ff_step_means(uint16_t *mean, const uint8_t *x, unsigned n, uint8_t shift, uint32_t dither);

/*
 * Moves the weights of a layer's neurons `first` to first + width - 1 by v, (width), times the centred inputs
 * x, (n). dither: that of input 0 and neuron `first`. A weight of -128, which is none, may become -127 where
 * v is 0.
 */
void ff_step_weights(const ff_layer *layer, const uint8_t *x, const uint16_t *v, unsigned first,
                     unsigned width, uint16_t centring, uint32_t dither);

#endif

#endif
