/*
 * Where a layer's weights lie: the layout tags (SPEC.md 2.4) that this build takes. Kernels know their own
 * layout by heart; whatever doesn't count on speed goes through these functions.
 */
#ifndef FF_LAYOUT_H
#define FF_LAYOUT_H

#include "ff_kernels.h"
#include "ff_model.h"

/* Layout tags. */
enum { FF_COLUMNS = 0, FF_PAIRS = 1, FF_EVEN_BIASED = 2, FF_BIASED = 3 };

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

/* Bytes from the weights of an input to those of the next, in columns. */
FF_INLINE uint16_t ff_layout_stride(const ff_layer *layer) {
    return ff_layout_packed(layer) ? (uint16_t)((layer->m + 1) >> 1) : layer->m;
}

/* Bytes of the weights, without padding: < 2^28. */
FF_INLINE uint32_t ff_layout_bytes(const ff_layer *layer) {
    uint32_t n = layer->n;
    if (FF_PACKED_LAYOUTS && layer->layout == FF_PAIRS) n = (n + 1) & ~(uint32_t)1;
    return n * ff_layout_stride(layer);
}

/* Bytes of the list that the product needs. */
ff_size ff_layout_list_bytes(const ff_layer *layer);

/* Where the weights of input i begin, in the arena. */
FF_INLINE int8_t *ff_layout_column(const ff_layer *layer, ff_size i) {
    int8_t *w = layer->learned;
    if (FF_PACKED_LAYOUTS && layer->layout == FF_PAIRS) return w + (i >> 1) * 2 * layer->m + (i & 1) * 2;
    return w + i * ff_layout_stride(layer);
}

/* Where the weights of the input behind i begin; `column`: those of i. */
FF_INLINE int8_t *ff_layout_next(const ff_layer *layer, int8_t *column, ff_size i) {
    if (FF_PACKED_LAYOUTS && layer->layout == FF_PAIRS) return column + (i & 1 ? 2 * layer->m - 2 : 2);
    return column + ff_layout_stride(layer);
}

/* Adds to weight j of a column in the arena, and clamps the sum to what the layer's bits hold. */
void ff_layout_add(const ff_layer *layer, int8_t *column, unsigned j, int32_t change);

#endif
