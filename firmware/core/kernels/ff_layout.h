/*
 * Where a layer's weights lie: the layout tags (SPEC.md 2.4) that this build takes. Kernels know their own
 * layout by heart; whatever doesn't count on speed goes through these functions.
 */
#ifndef FF_LAYOUT_H
#define FF_LAYOUT_H

#include "ff_model.h"

/* Bit t: this build takes layout tag t. */
#define FF_LAYOUTS 0x0001u

/* Largest input of a layer. */
#if FF_NIBBLES
#define FF_INPUT_MOST(layer) (layer)->input_most
#else
#define FF_INPUT_MOST(layer) 255
#endif

/* Whether this build can work on a layer like this, of which all but its weights is known. */
uint8_t ff_layout_taken(const ff_layer *layer, uint8_t input_bits);

/* Whether two weights share a byte. */
FF_INLINE uint8_t ff_layout_packed(const ff_layer *layer) {
    return FF_NIBBLES && layer->weight_bits != 8;
}

/* Bytes from the weights of an input to those of the next. */
FF_INLINE uint16_t ff_layout_stride(const ff_layer *layer) {
    return ff_layout_packed(layer) ? (uint16_t)((layer->m + 1) >> 1) : layer->m;
}

/* Adds to weight j of a column in the arena, and clamps the sum to what the layer's bits hold. */
void ff_layout_add(const ff_layer *layer, int8_t *column, unsigned j, int32_t change);

#endif
