/*
 * Online learning by positive passes (SPEC.md 5), in place on int8 weights, one sample at a time.
 *
 * Nothing of a sample is stored: each layer is updated from its own input and output before the layer above
 * runs.
 */
#ifndef FF_LEARN_H
#define FF_LEARN_H

#include "ff_infer.h"

/*
 * Classifies x: uint8 (raw), then learns it as a sample of class `label` (< classes). The result is that of
 * before. The model must be bound with learning (FF_NO_LEARN otherwise).
 */
ff_status ff_learn(ff_model *model, const uint8_t *x, uint8_t label, ff_result *result);

#endif
