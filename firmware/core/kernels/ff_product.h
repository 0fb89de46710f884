/* The product of a layer (SPEC.md 4.3), by the kernel for where its weights lie. */
#ifndef FF_PRODUCT_H
#define FF_PRODUCT_H

#include "ff_model.h"

/* Sets model->acc from model->x. The weights of a layer that doesn't learn are read where they lie. */
void ff_product(ff_model *model, const ff_layer *layer);

/*
 * Of a layer whose layout isn't columns: makes model->x, rescaled by `rec`, of the activities `below`, or in
 * its place if that is NULL, and leaves the layer's activities where its accumulators were.
 */
void ff_packed_activities(ff_model *model, const ff_layer *layer, const uint16_t *below, uint32_t rec);

#endif
