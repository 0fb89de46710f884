/* What the test of the kernels needs of where it runs: this machine, or (-DRIG_EMULATED) a processor in QEMU.
 */
#ifndef PACKED_RIG_H
#define PACKED_RIG_H

#include <stdint.h>

#ifdef RIG_EMULATED
#include "semihosting.h"
#define RIG_ROUNDS 150u
#define RIG_ROOT_STEP 5u
static inline void rig_fail(const char *kernel, unsigned layer, unsigned at, int32_t expected, int32_t got) {
    host_number("layer", layer);
    host_number("at", at);
    host_number("expected", (uint32_t)expected);
    host_number("got", (uint32_t)got);
    host_fail(kernel);
}
static inline void rig_done(unsigned layers) {
    host_number("layers", layers);
    host_exit(0);
}
#else
#include <stdio.h>
#include <stdlib.h>
#define RIG_ROUNDS 400u
#define RIG_ROOT_STEP 1u
static inline void rig_fail(const char *kernel, unsigned layer, unsigned at, int32_t expected, int32_t got) {
    printf("%s: layer %u, number %u: expected %ld, got %ld\n", kernel, layer, at, (long)expected, (long)got);
    exit(1);
}
static inline void rig_done(unsigned layers) {
    printf("%u layers: the kernels agree\n", layers);
}
#endif

#endif
