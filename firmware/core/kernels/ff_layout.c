#include "ff_layout.h"
#include "ff_list.h"
#include "ff_nibble.h"

uint8_t ff_layout_taken(const ff_layer *layer, uint8_t input_bits) {
    const uint8_t bits = layer->weight_bits;
#if FF_NIBBLES
    if (input_bits != 8 && input_bits != 4) return 0;
    if (bits != 8 && (uint8_t)(bits - 2) > 2) return 0;
#else
    if (input_bits != 8 || bits != 8) return 0;
#endif
#if FF_PACKED_LAYOUTS
    if (layer->layout) {
        /* bytes, in whole words of a block of neurons */
        const uint8_t words = layer->layout == FF_PAIRS ? 1 : 3;
        return bits == 8 && layer->layout < 16 && (FF_LAYOUTS >> layer->layout & 1) && layer->m >= 8 &&
               !(layer->m & words);
    }
#endif
    return layer->layout == FF_COLUMNS;
}

ff_size ff_layout_list_bytes(const ff_layer *layer) {
#if FF_PACKED_LAYOUTS
    if (layer->layout) return (ff_size)(ff_list_room(layer->layout == FF_PAIRS, layer->n) * sizeof(ff_entry));
#endif
    (void)layer;
    return 0;
}

void ff_layout_add(const ff_layer *layer, int8_t *column, unsigned j, int32_t change) {
    int8_t most = 127, w;
#if FF_PACKED_LAYOUTS
    if (layer->layout) {
        column += layer->layout == FF_PAIRS ? j + (j & ~1u) : j;
        const uint8_t bias = layer->layout == FF_BIASED || !(j & 1) ? 128 : 0;
        change += (int8_t)((uint8_t)*column ^ bias);
        *column = (int8_t)((uint8_t)(change > most ? most : change < -most ? -most : change) ^ bias);
        return;
    }
#endif
#if FF_NIBBLES
    const uint8_t packed = ff_layout_packed(layer), high = j & 1;
    most = (int8_t)(127 >> (8 - layer->weight_bits));
    column += packed ? j >> 1 : j;
    w = packed ? ff_nibble((uint8_t)*column, high) : *column;
#else
    column += j;
    w = *column;
    (void)layer;
#endif
    change += w;
    w = (int8_t)(change > most ? most : change < -most ? -most : change);
#if FF_NIBBLES
    if (packed) w = (int8_t)ff_with_nibble((uint8_t)*column, high, w);
#endif
    *column = w;
}
