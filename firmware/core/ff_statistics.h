/* Mean and mean square of the raw input of each class (SPEC.md 6): what a sync may send instead of samples.
 * Optional. */
#ifndef FF_STATISTICS_H
#define FF_STATISTICS_H

#include "ff_model.h"

/* -DFF_STATISTICS=0 leaves them out. */
#ifndef FF_STATISTICS
#define FF_STATISTICS 1
#endif

typedef struct {
    uint8_t *block; /* as SPEC.md 6 lays it out; NULL = off */
    ff_size bytes;  /* of the block, 0 while off */
    uint32_t random;
} ff_statistics;

/* Bytes of the block for a model at a level: 1 means, 2 means and squares. It may be more than any arena. */
uint32_t ff_statistics_bytes(const ff_model *model, uint8_t level);

/* Starts empty statistics in `block`: ff_statistics_bytes() bytes, aligned to 4. */
void ff_statistics_start(ff_statistics *statistics, const ff_model *model, uint8_t level, uint8_t *block);

/* Adds a sample x: uint8 (raw), of class `label`. Does nothing while they are off. */
void ff_statistics_add(ff_statistics *statistics, const uint8_t *x, uint8_t label);

#endif
