/* A small valid image for tests: 6 inputs, 3 classes, layers 6-6-3, both learning. */
#ifndef SAMPLE_IMAGE_H
#define SAMPLE_IMAGE_H

#include <stdint.h>

#define SAMPLE_RAW 6
#define SAMPLE_CLASSES 3
#define SAMPLE_MOST 512

/* Writes it to `to` (SAMPLE_MOST bytes, aligned to 4) and returns its length. encoding, objective: as in
 * SPEC.md 2.1. bits: of the weights; with less than 8, inputs have 4 bits. */
uint32_t sample_image(uint8_t *to, uint8_t encoding, uint8_t objective, uint8_t bits);

/* Makes of such an image, objective 0 and plain, a part of a network: 1 the layers below others, 2 those
 * above others (samples then have SAMPLE_UPPER_RAW bytes), 3 those between. */
#define SAMPLE_UPPER_RAW (4 * SAMPLE_CLASSES + SAMPLE_RAW)
void sample_stage(uint8_t *image, uint32_t bytes, uint8_t kind);

/* A patch of 68 bytes for such an image: adds 3 to eight weights of the first layer, and replaces a class
 * threshold. It makes `base` base + 1. Returns its length. */
uint32_t sample_add(uint8_t *to, const uint8_t *image, uint32_t base, uint32_t ticket);

/* Puts the right length and CRC into an image or patch of `bytes` bytes (>= 16). */
void sample_seal(uint8_t *object, uint32_t bytes);

#endif
