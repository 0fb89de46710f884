/*
 * Inputs of a layer that are not zero, in order, for kernels that go through them once for each block of
 * neurons.
 *
 * A kernel follows the list with a pointer to the weights that an entry needs: it adds `step`, reads the
 * block's words of that column, and thereby moves on by the block's bytes. So a list serves every block of
 * neurons, wherever the pointer starts.
 */
#ifndef FF_LIST_H
#define FF_LIST_H

#include "ff_model.h"

typedef struct {
    uint32_t x; /* what the column is multiplied with: an input, or two of them, the first in the low half */
    int32_t step; /* bytes from where the entry before left the pointer to this column */
} ff_entry;

/*
 * Most entries of a list; longer ones are cut, and the kernel goes through the neurons again for the rest.
 * With this many, no sum overflows, whatever the inputs are: the sum of 2 * 128 inputs of 255 is 65,280, and
 * kernels bear 65,537 and more.
 */
#define FF_LIST_PAIRS 128u
#ifndef FF_LIST_INPUTS
#define FF_LIST_INPUTS 256u
#endif
#if FF_LIST_INPUTS > 256 || FF_LIST_INPUTS % 4
#error "FF_LIST_INPUTS is a multiple of 4, and 256 at most"
#endif

/* Entries that a list needs room for: a multiple of 4. pairs: of inputs; n: inputs. */
FF_INLINE uint16_t ff_list_room(uint8_t pairs, uint16_t n) {
    const unsigned most = pairs ? FF_LIST_PAIRS : FF_LIST_INPUTS,
                   all = ((pairs ? (n + 1u) / 2 : n) + 3u) & ~3u;
    return (uint16_t)(all < most ? all : most);
}

/* What lists are made of, and where they go on. */
typedef struct {
    uint8_t *x, *next, *end; /* inputs; multiples of 4 */
    /* activities of the layer below, aligned to 4, that x is yet to be made of; NULL: x is there, to be
     * rescaled in its place */
    const uint16_t *y;
    uint32_t rec; /* what inputs are multiplied with, Q16; FF_AS_IT_IS: they are rescaled already */
    uint32_t sum; /* of the inputs in the list that was made last */
} ff_list_source;

#define FF_AS_IT_IS 65536u

/* Inputs of n, before the first list. Writes what is behind x, FF_INPUT_END bytes of it too. */
ff_list_source ff_list_start(uint8_t *x, const uint16_t *y, uint16_t n, uint32_t rec, uint8_t most);

/* Whether inputs are left that no list had. */
FF_INLINE uint8_t ff_list_more(const ff_list_source *from) {
    return from->next < from->end;
}

/*
 * Lists the next inputs that are not 0, for kernels whose weights lie in columns of m bytes and which read 8
 * of them at a time: `room` entries at most, and one at least. Returns the list's end.
 */
ff_entry *ff_list_inputs(ff_entry *list, uint16_t room, ff_list_source *from, uint16_t m);

/* The same for pairs of inputs that are not both 0, with m words of 16 bits for each pair, 8 of which are
 * read at a time. */
ff_entry *ff_list_pairs(ff_entry *list, uint16_t room, ff_list_source *from, uint16_t m);

#endif
