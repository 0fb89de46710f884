#include "ff_activate.h"
#include "ff_layout.h"

#if FF_PACKED_LAYOUTS

void ff_activate(int32_t *acc, const ff_layer *layer) {
    const uint8_t s = layer->output_shift;
    const int32_t half = ff_half(s);
    uint16_t *y = (uint16_t *)(void *)acc;
    for (unsigned m = layer->m; m; m--)
        *y++ = (uint16_t)ff_one_activity((*acc++ + half) >> s, layer->ymax);
}

#else
typedef int ff_no_packed_layouts; /* no translation unit may be empty */
#endif
