#include "ff_layout.h"
#include "ff_nibble.h"

uint8_t ff_layout_taken(const ff_layer *layer, uint8_t input_bits) {
    const uint8_t bits = layer->weight_bits;
#if FF_NIBBLES
    if (input_bits != 8 && input_bits != 4) return 0;
    if (bits != 8 && (uint8_t)(bits - 2) > 2) return 0;
#else
    if (input_bits != 8 || bits != 8) return 0;
#endif
    return layer->layout == 0;
}

void ff_layout_add(const ff_layer *layer, int8_t *column, unsigned j, int32_t change) {
    int8_t most = 127, w;
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
