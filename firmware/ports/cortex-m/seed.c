#include "cortex-m.h"

/* At the start of RAM. A reset leaves both as they are; when power comes they are what the RAM's cells fell
 * to. An emulator, whose RAM is all zeros, puts a random number into the second. */
static volatile uint32_t kept[2] __attribute__((section(".noinit.first"), used));

uint32_t cortex_seed(uint32_t noise) {
    kept[0]++;
    uint32_t seed = noise ^ kept[1] ^ kept[0] * 0x9E3779B9u;
    /* xorshift and multiply, three times: each bit changes half of all others. */
    seed = (seed ^ seed >> 16) * 0x85EBCA6Bu;
    seed = (seed ^ seed >> 13) * 0xC2B2AE35u;
    seed ^= seed >> 16;
    return seed ? seed : 1;
}
