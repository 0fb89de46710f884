/* Frames on the wire (SPEC.md 9.1): COBS with a CRC-32. */
#ifndef FF_FRAME_H
#define FF_FRAME_H

#include "ff_bytes.h"

#define FF_FRAME_OVERHEAD 6u /* type, sequence number, CRC-32 */

/* At least the bytes that COBS and the delimiter add to n bytes, n / 254 + 2, for n up to 65559; without a
 * division. */
#define FF_COBS_OVERHEAD(n) ((ff_size)(((n) >> 8) + ((n) >> 14) + 3u))

/* Decodes a stream into one frame at a time. */
typedef struct {
    uint8_t *buffer; /* capacity bytes */
    ff_size capacity;
    ff_size count;    /* bytes of the frame so far */
    uint32_t dropped; /* frames that were too long or broken (saturates) */
    uint8_t block;    /* bytes left in the COBS block */
    uint8_t code;     /* code of the block; 0 = at the start of a frame */
    uint8_t broken;   /* the frame is too long: wait for its end */
} ff_decoder;

/*
 * Takes one byte. Returns 1 when a whole frame with a fitting CRC stands in the buffer (count: without the
 * CRC); the next call starts a new one. Whatever comes, no more than `capacity` bytes are written.
 */
uint8_t ff_decode(ff_decoder *decoder, uint8_t byte);

/*
 * Appends the CRC to the `count` bytes at `raw` (4 bytes of room behind) and COBS-encodes them with the
 * delimiter to `to`. The two may be one block if raw starts FF_COBS_OVERHEAD(count + 4) bytes or more behind
 * `to`. Returns the bytes written.
 */
ff_size ff_encode(uint8_t *to, uint8_t *raw, ff_size count);

#endif
