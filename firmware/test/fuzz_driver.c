/* Stands in for libFuzzer where the compiler has none: random inputs for a number of seconds. usage: PROGRAM
 * SECONDS [SEED] */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
    static uint8_t data[1024];
    time_t end = time(0) + (argc > 1 ? atoi(argv[1]) : 10);
    uint32_t first = argc > 2 ? (uint32_t)strtoul(argv[2], 0, 10) : 1, seed = first, runs = 0;
    for (; time(0) < end || runs < 1000; runs++, seed++) {
        uint32_t r = seed * 2654435761u + 1;
        size_t size = r % (seed % 4 ? 64 : sizeof data);
        for (size_t i = 0; i < size; i++) {
            r ^= r << 13, r ^= r >> 17, r ^= r << 5;
            data[i] = (uint8_t)(r >> 24);
        }
        /* a failure is replayed by: PROGRAM 0 SEED, with the seed shown last */
        if (runs % 100000 == 0) fprintf(stderr, "seed %u\n", (unsigned)seed);
        LLVMFuzzerTestOneInput(data, size);
    }
    printf("%u runs from seed %u, no failure\n", (unsigned)runs, (unsigned)first);
    return 0;
}
