/* SHA-256 (FIPS 180-4) of bytes that lie together, in little code. */
#ifndef BOOT_SHA256_H
#define BOOT_SHA256_H

#include <stdint.h>

#define SHA256_BYTES 32u

/* digest: SHA256_BYTES bytes. count: below 2^29. About 100 cycles per byte on a Cortex-M0. */
void sha256(const uint8_t *bytes, uint32_t count, uint8_t *digest);

#endif
