/*
 * The core at work on many samples, to be counted or timed: one build for each set of kernels, and bytes that
 * say whether all computed the same.
 */
#ifndef PASSES_H
#define PASSES_H

#include <stdint.h>

#define PASSES_IMAGE (256u * 1024)
#define PASSES_SAMPLES 500u
#define PASSES_RAW 784u

/* Samples as the host writes them. */
typedef struct {
    uint32_t count, raw;
    uint8_t bytes[PASSES_SAMPLES * (PASSES_RAW + 1)]; /* the samples, then their labels */
} passes_samples;

/* Where the host puts an image (aligned to 4), test samples, and the samples of a stream to learn. */
extern uint32_t passes_image[PASSES_IMAGE / 4];
extern passes_samples passes_test, passes_stream;

/* Opens the image of so many bytes; 0, or the core's code of why not. */
uint32_t passes_open(uint32_t bytes);

/* The model without learning, and the first layer's inputs of all test samples. */
void passes_infer_start(void);

/* The first layer's product of all test samples, each added to accumulators that passes_product_start()
 * cleared. */
void passes_product_start(void);
void passes_product(void);

/* The same over all inputs, zeros too, of weights with 8 bits: what a loop costs that skips nothing. */
void passes_dense(void);

/* All test samples through the whole net. */
void passes_infer(void);

/* The model as it is in the image, with learning. */
void passes_learn_start(void);

/* Learns the whole stream. */
void passes_learn(void);

/* A checksum of what passes left: of products; of results, and of what a model that learns has learned. */
void passes_product_mix(void);
void passes_results_mix(void);
uint32_t passes_hash(void);

#endif
