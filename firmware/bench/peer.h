/* The peer that kernels are measured against: CMSIS-NN's arm_fully_connected_s8, where its sources are at
 * hand (-DPEER=1). */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>

#ifndef PEER
#define PEER 0
#endif

/* The product of a layer of n inputs and m neurons, over x, uint8 (n): what a zero costs it is what every
 * other number does. */
#if PEER
void peer_layer(uint8_t l, const uint8_t *x, uint16_t n, uint16_t m);
#else
static inline void peer_layer(uint8_t l, const uint8_t *x, uint16_t n, uint16_t m) {
    (void)l, (void)x, (void)n, (void)m;
}
#endif

#endif
