#include "ff_product.h"
#include "ff_columns.h"
#include "ff_layout.h"
#include "ff_rescale.h"
#include "ff_run.h"

/* acc (m) += columns of weights w (n, m) times x (n). */
FF_INLINE void add_columns(const ff_layer *layer, int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n,
                           uint16_t m) {
    if (ff_layout_packed(layer))
        ff_columns_s4(acc, w, x, n, m);
    else
        ff_columns_s8(acc, w, x, n, m);
}

void ff_product(ff_model *model, const ff_layer *layer) {
    const int8_t *w = layer->learned;
#if FF_ROM_FAR
    ff_clear(model->acc, 4 * (ff_size)layer->m);
    ff_rom weights = model->image + layer->weights_at;
    const uint16_t stride = ff_layout_stride(layer);
    const uint8_t packed = ff_layout_packed(layer);
    for (unsigned i = 0; !w && i < layer->n; i++, weights += stride) {
        int8_t piece[32]; /* of a column */
        if (model->x[i] == 0) continue;
        for (uint16_t at = 0; at < stride; at = (uint16_t)(at + sizeof piece)) {
            const uint16_t j = (uint16_t)(at << packed), left = (uint16_t)(stride - at);
            const uint16_t bytes = left < sizeof piece ? left : (uint16_t)sizeof piece;
            const uint16_t rows =
                left <= sizeof piece ? (uint16_t)(layer->m - j) : (uint16_t)(bytes << packed);
            ff_rom_read(piece, weights + at, bytes);
            add_columns(layer, model->acc + j, piece, model->x + i, 1, rows);
        }
    }
    if (!w) return;
#else
    if (!w) w = (const int8_t *)(model->image + layer->weights_at);
    ff_clear(model->acc, 4 * (ff_size)layer->m);
#endif
    add_columns(layer, model->acc, w, model->x, layer->n, layer->m);
}

#if FF_PACKED_LAYOUTS
void ff_packed_activities(ff_model *model, const ff_layer *layer, const uint16_t *below, uint32_t rec) {
    const uint8_t pairs = layer->layout == FF_PAIRS;
    ff_run run;
    run.layer = layer;
    run.w = layer->learned ? (const uint8_t *)layer->learned : model->image + layer->weights_at;
    run.acc = model->acc;
    run.list = model->list;
    run.room = ff_list_room(pairs, layer->n);
    if (below && (pairs || layer->n > run.room)) { /* more than a list can hold at once */
        ff_rescale_layer(model->x, below, layer->n, rec, FF_INPUT_MOST(layer));
        below = 0;
        rec = FF_AS_IT_IS;
    }
    run.from = ff_list_start(model->x, below, layer->n, rec, FF_INPUT_MOST(layer));
    switch (layer->layout) {
#if FF_LAYOUTS & 1 << 1
    case FF_PAIRS:
        ff_pairs(&run);
        break;
#endif
#if FF_LAYOUTS & 1 << 2
    case FF_EVEN_BIASED:
        ff_singles(&run);
        break;
#endif
#if FF_LAYOUTS & 1 << 3
    case FF_BIASED:
        ff_chain(&run);
        break;
#endif
    default:
        break;
    }
}
#endif
