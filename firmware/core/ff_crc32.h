/* CRC-32 (IEEE 802.3, reflected). */
#ifndef FF_CRC32_H
#define FF_CRC32_H

#include "ff_bytes.h"

/* What comes out of bytes whose last four are the CRC of those before them. */
#define FF_CRC32_RESIDUE 0x2144DF1Cu

/* Goes on with `crc` (0 at the start) over n bytes: ff_crc32(ff_crc32(0, a, 2), a + 2, 3) == ff_crc32(0, a,
 * 5). */
uint32_t ff_crc32(uint32_t crc, const uint8_t *p, ff_size n);

#endif
