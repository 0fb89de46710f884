#include "sha256.h"

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t START[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t turn(uint32_t v, unsigned bits) {
    return v >> bits | v << (32 - bits);
}

/* Byte `at` of the padded message. */
static uint32_t padded(const uint8_t *bytes, uint32_t count, uint32_t at, uint32_t total) {
    if (at < count) return bytes[at];
    if (at == count) return 0x80;
    return at >= total - 4 ? count * 8 >> 8 * (total - 1 - at) & 255 : 0;
}

void sha256(const uint8_t *bytes, uint32_t count, uint8_t *digest) {
    const uint32_t total = (count + 9 + 63) & ~63u;
    uint32_t h[8], v[8], w[16];
    for (unsigned i = 0; i < 8; i++)
        h[i] = START[i];
    for (uint32_t block = 0; block < total; block += 64) {
        for (unsigned i = 0; i < 8; i++)
            v[i] = h[i];
        for (unsigned i = 0; i < 64; i++) {
            uint32_t word;
            if (i < 16) {
                const uint32_t at = block + 4 * i;
                word = padded(bytes, count, at, total) << 24 | padded(bytes, count, at + 1, total) << 16 |
                       padded(bytes, count, at + 2, total) << 8 | padded(bytes, count, at + 3, total);
            } else { /* the schedule in a ring of 16 words */
                const uint32_t a = w[(i + 1) & 15], b = w[(i + 14) & 15];
                word = w[i & 15] + w[(i + 9) & 15] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) +
                       (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
            }
            w[i & 15] = word;
            const uint32_t one = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) +
                                 ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[i] + word;
            const uint32_t two = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) +
                                 ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
            for (unsigned k = 7; k > 0; k--)
                v[k] = v[k - 1];
            v[4] += one;
            v[0] = one + two;
        }
        for (unsigned i = 0; i < 8; i++)
            h[i] += v[i];
    }
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i & 3)));
}
