#include "ff_kernels.h"

#if FF_PACKED_LAYOUTS
#include "ff_dsp.h"
#include "ff_list.h"
#include "ff_rescale.h"

#define BLOCK 8 /* neurons */

/* An input times rec < 2^28. */
#define RESCALED(x) FF_UPPER_SATURATED((x)*rec + half, 8)

ff_list_source ff_list_start(uint8_t *x, const uint16_t *y, uint16_t n, uint32_t rec, uint8_t most) {
    ff_list_source from = {x, x, x, y, rec, 0};
    if (most != 255) { /* rare, and not worth loops of its own below */
        ff_rescale_layer(x, y, n, rec, most);
        from.y = y = 0;
        from.rec = FF_AS_IT_IS;
    }
    from.end = x + n;
    if (y) return from;
    while ((uintptr_t)from.end & 3)
        *from.end++ = 0;
    ff_set32(from.end, 1);
    return from;
}

static ff_entry *end_list(ff_entry *list, ff_entry *first) {
    if (list == first) {
        list->x = 0;
        list->step = 0;
        list++;
    }
    return list;
}

/* Lists input v, if it is not 0; *step: from where the pointer to the weights stands to its column. */
FF_INLINE ff_entry *list_input(ff_entry *list, uint32_t v, int32_t *step, int32_t m) {
    if (v) {
        list->x = v;
        list->step = *step;
        list++;
        *step = -BLOCK;
    }
    *step += m;
    return list;
}

/* Inputs that are activities yet, two by two: all of them are listed at once (there is room). x is aligned to
 * 4, as y is. */
static ff_entry *list_activities(ff_entry *list, ff_list_source *from, int32_t m) {
    const uint8_t *y = (const uint8_t *)from->y;
    uint8_t *x = from->x, *const end = from->end;
    const uint32_t rec = from->rec;
    int32_t step = 0;
    uint32_t sum = 0, half = 32768;
    FF_KEEP(half);
    for (; x < end - 1; x += 2) {
        const uint32_t two = ff_at32(y);
        y += 4;
        if (two == 0) {
            ff_set16(x, 0);
            step += 2 * m;
            continue;
        }
        const uint32_t a = RESCALED(two & 0xFFFF), b = RESCALED(two >> 16);
        ff_set16(x, (uint16_t)(a | b << 8));
        sum += a + b;
        list = list_input(list, a, &step, m);
        list = list_input(list, b, &step, m);
    }
    if (x != end) {
        const uint32_t a = RESCALED((uint32_t)ff_at16(y));
        *x = (uint8_t)a;
        sum += a;
        list = list_input(list, a, &step, m);
    }
    from->sum = sum;
    from->next = end;
    return list;
}

ff_entry *ff_list_inputs(ff_entry *list, uint16_t room, ff_list_source *from, uint16_t m) {
    ff_entry *const first = list;
    if (from->y) return end_list(list_activities(list, from, m), first);
    const ff_entry *full = list + room - 4;
    const uint32_t rec = from->rec;
    const uint8_t *p = from->next;
    int32_t at = 0; /* where the pointer to the weights stands */
    uint32_t sum = 0, half = 32768;
    FF_KEEP(half);
    while (list <= full) {
        uint32_t word = ff_next_word(&p), rescaled = 0;
        if (p > from->end) break;
        int32_t column = (int32_t)((uint32_t)(p - 4 - from->x) * m);
        for (unsigned k = 0; k < 32; k += 8, word >>= 8, column += m) {
            uint32_t x = word & 255;
            if (x == 0) continue;
            x = RESCALED(x);
            if (x == 0) continue;
            rescaled |= x << k;
            sum += x;
            list->x = x;
            list->step = column - at;
            list++;
            at = column + BLOCK;
        }
        ff_set32((uint8_t *)(uintptr_t)p - 4, rescaled);
    }
    from->next = (uint8_t *)(uintptr_t)p;
    from->sum = sum;
    return end_list(list, first);
}

ff_entry *ff_list_pairs(ff_entry *list, uint16_t room, ff_list_source *from, uint16_t m) {
    ff_entry *const first = list;
    const ff_entry *full = list + room - 2;
    const uint32_t rec = from->rec;
    const uint8_t *const x = from->x + 4, *const end = from->end;
    const uint8_t *p = from->next;
    int32_t at = 0; /* where the pointer to the weights stands */
    uint32_t sum = 0, half = 32768;
    FF_KEEP(half);
    do {
        uint32_t word = ff_next_word(&p);
        if (p > end) break;
        const uint32_t low = RESCALED(word & 255) | RESCALED(word >> 8 & 255) << 16,
                       high = RESCALED(word >> 16 & 255) | RESCALED(word >> 24) << 16;
        int32_t column = (int32_t)(p - x) * m;
        word = (low & 0xFFFF) | high << 16 | (low >> 16 | (high & 0xFFFF0000)) << 8;
        ff_set32((uint8_t *)(uintptr_t)p - 4, word);
        sum = ff_usada8(word, sum);
        if (low) {
            list->x = low;
            list->step = column - at;
            list++;
            at = column + 2 * BLOCK;
        }
        if (high) {
            column += 2 * m;
            list->x = high;
            list->step = column - at;
            list++;
            at = column + 2 * BLOCK;
        }
    } while (list <= full);
    from->next = (uint8_t *)(uintptr_t)p;
    from->sum = sum;
    return end_list(list, first);
}

#else
typedef int ff_no_lists; /* no translation unit may be empty */
#endif
