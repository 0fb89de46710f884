/* What model images and patches have in common: the first 16 bytes of their headers, and fields with a range.
 */
#ifndef FF_OBJECT_H
#define FF_OBJECT_H

#include "ff_rom.h"
#include "ff_status.h"
#include <stdint.h>

/*
 * Checks magic (the four bytes as a little-endian number), format version, header length, length against the
 * `bytes` at hand, and CRC. Nothing behind `bytes` is read.
 */
ff_status ff_object_check(ff_rom object, ff_size bytes, uint32_t magic, uint16_t header, ff_fault *fault);

/* A field of one byte, or of two with FF_WIDE, and the values that it may have. */
typedef struct {
    uint8_t at; /* offset, below 128 */
    uint8_t least;
    uint16_t most;
} ff_range;
#define FF_WIDE(at) (0x80 | (at))

/* Checks fields of the bytes at p; a fault names the offset `base` + at. */
ff_status ff_check_ranges(const uint8_t *p, const FF_TABLE ff_range *ranges, uint8_t count, ff_size base,
                          ff_fault *fault);

#endif
