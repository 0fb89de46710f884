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

#if FF_STAGES
/*
 * The same in parts, for threads that each pass some of the layers: ff_learn_begin() draws the sample's
 * random number for layers from `from` on, ff_learn_layer() is the hook of ff_layers(), ff_learn_end()
 * counts, and fills in the result but for FF_LEARNED.
 */
void ff_learn_begin(ff_model *model, uint8_t from);
uint8_t ff_learn_layer(ff_model *model, const ff_layer *layer, uint8_t label);
void ff_learn_end(ff_model *model, uint8_t label, ff_result *result);
#endif

#endif
