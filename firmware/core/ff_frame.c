#include "ff_frame.h"
#include "ff_bytes.h"
#include "ff_crc32.h"

FF_INLINE void restart(ff_decoder *d) {
    d->count = 0;
    d->block = 0;
    d->code = 0;
    d->broken = 0;
}

static void put(ff_decoder *d, uint8_t byte) {
    if (d->count < d->capacity)
        d->buffer[d->count++] = byte;
    else
        d->broken = 1;
}

FF_INLINE uint8_t finish(ff_decoder *d) {
    uint8_t started = d->code != 0;
    uint8_t whole = started && !d->broken && d->block == 0 && d->count >= FF_FRAME_OVERHEAD &&
                    ff_crc32(0, d->buffer, d->count) == FF_CRC32_RESIDUE;
    ff_size count = d->count;
    restart(d);
    if (whole)
        d->count = (ff_size)(count - 4);
    else if (started && d->dropped != UINT32_MAX)
        d->dropped++;
    return whole;
}

uint8_t ff_decode(ff_decoder *d, uint8_t byte) {
    if (d->code == 0) d->count = 0; /* the frame handed out last is done with */
    if (byte == 0) return finish(d);
    if (d->block == 0) {
        /* a code byte: the zero that ended the block before comes first, unless that block was a full one */
        if (d->code != 0 && d->code != 255) put(d, 0);
        d->code = byte;
        d->block = (uint8_t)(byte - 1);
    } else {
        put(d, byte);
        d->block--;
    }
    return 0;
}

ff_size ff_encode(uint8_t *to, uint8_t *raw, ff_size count) {
    const uint32_t crc = ff_crc32(0, raw, count);
    ff_copy(raw + count, &crc, sizeof crc);
    count = (ff_size)(count + 4);
    uint8_t *code = to++, *start = code;
    uint8_t run = 1;
    while (count--) {
        uint8_t byte = *raw++;
        if (byte) {
            *to++ = byte;
            run++;
        }
        if (byte == 0 || run == 255) {
            *code = run;
            code = to++;
            run = 1;
        }
    }
    *code = run;
    *to++ = 0;
    return (ff_size)(to - start);
}
