/* What the kernels around the product shall compute, as SPEC.md has it. */
#ifndef NAIVE_LAYERS_H
#define NAIVE_LAYERS_H

#include "ff_model.h"

uint32_t naive_take_inputs(uint8_t *to, const uint8_t *x, unsigned n, uint8_t least);
void naive_rescale_inputs(uint8_t *x, unsigned n, uint32_t rec, uint8_t most);
void naive_rescale_activities(uint8_t *x, const uint16_t *y, unsigned n, uint32_t rec, uint8_t most);
uint32_t naive_activate_group(const ff_layer *layer, const int32_t *acc, uint16_t *y, unsigned width);
void naive_step_means(uint16_t *mean, const uint8_t *x, unsigned n, uint8_t shift, uint32_t dither);
void naive_step_weights(const ff_layer *layer, const uint8_t *x, const uint16_t *v, unsigned first,
                        unsigned width, uint16_t centring, uint32_t dither);

#endif
