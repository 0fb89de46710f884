#include "ff_activate.h"
#include "ff_lanes.h"
#include "ff_rescale.h"

#if FF_LANES

uint32_t ff_take_inputs(uint8_t *to, const uint8_t *x, ff_size n, uint8_t least) {
    const ff_lanes low = ff_lanes_all(least);
    ff_lanes squares = ff_lanes_all(0);
    uint32_t sum = 0;
#ifdef FF_SIXTEEN
    for (; n >= FF_SIXTEEN; n -= FF_SIXTEEN, x += FF_SIXTEEN, to += FF_SIXTEEN)
        squares = ff_sixteen_take(to, x, least, squares);
#endif
    for (; n >= 4; n -= 4, x += 4, to += 4) {
        const ff_lanes v = ff_lanes_sub(ff_lanes_load_u8(x), low);
        ff_lanes_store_8(to, v);
        squares = ff_lanes_add(squares, ff_lanes_mul(v, v));
    }
    for (; n; n--) {
        const uint8_t v = (uint8_t)(*x++ - least);
        *to++ = v;
        sum += (uint32_t)v * v;
    }
    return sum + ff_lanes_sum(squares);
}

/* ff_rescale() of four. */
FF_ALWAYS void rescale(uint8_t *to, ff_lanes v, ff_lanes rec, ff_lanes half, ff_lanes most) {
    v = ff_lanes_shift(ff_lanes_add(ff_lanes_mul(v, rec), half), 16);
    ff_lanes_store_8(to, ff_lanes_min(v, most));
}

void ff_rescale_inputs(uint8_t *x, ff_size n, uint32_t rec, uint8_t most) {
    const ff_lanes factor = ff_lanes_all((int32_t)rec), half = ff_lanes_all(32768),
                   limit = ff_lanes_all(most);
#ifdef FF_SIXTEEN
    for (; n >= FF_SIXTEEN; n -= FF_SIXTEEN, x += FF_SIXTEEN)
        ff_sixteen_rescale(x, factor, most);
#endif
    for (; n >= 4; n -= 4, x += 4)
        rescale(x, ff_lanes_load_u8(x), factor, half, limit);
    for (; n; n--, x++)
        *x = ff_rescale(*x, rec, most);
}

void ff_rescale_activities(uint8_t *x, const uint16_t *y, ff_size n, uint32_t rec, uint8_t most) {
    const ff_lanes factor = ff_lanes_all((int32_t)rec), half = ff_lanes_all(32768),
                   limit = ff_lanes_all(most);
    for (; n >= 4; n -= 4, x += 4, y += 4)
        rescale(x, ff_lanes_load_u16(y), factor, half, limit);
    while (n--)
        *x++ = ff_rescale(*y++, rec, most);
}

uint32_t ff_activate_group(const ff_layer *layer, const int32_t *acc, uint16_t *y, unsigned width) {
    /* acc + half <= 65535 * 255 * 128 + 2^23 < 2^31 */
    const uint8_t s = layer->output_shift;
    const int32_t half = ((int32_t)1 << s) >> 1, most = layer->ymax;
    const ff_lanes zero = ff_lanes_all(0), rounding = ff_lanes_all(half), limit = ff_lanes_all(most);
    ff_lanes squares = zero;
    uint32_t sum = 0;
    for (; width >= 4; width -= 4, acc += 4, y += 4) {
        const ff_lanes a = ff_lanes_add(ff_lanes_max(ff_lanes_load(acc), zero), rounding);
        const ff_lanes v = ff_lanes_min(ff_lanes_shift(a, s), limit);
        ff_lanes_store_16(y, v);
        squares = ff_lanes_add(squares, ff_lanes_mul(v, v));
    }
    for (; width; width--) {
        const int32_t a = *acc++, v = a > 0 ? (a + half) >> s : 0;
        const uint32_t least = (uint32_t)(v > most ? most : v);
        *y++ = (uint16_t)least;
        sum += least * least;
    }
    return sum + ff_lanes_sum(squares);
}

#else
typedef int ff_no_lanes_layer; /* no translation unit may be empty */
#endif
