/*
 * A model image, validated in place, and the RAM that it works in.
 *
 * The image (SPEC.md 2) stays where it is, in flash or in RAM (ff_rom.h), and must stay unchanged as long as
 * the model is in use. One arena, owned by the caller, holds everything else: ff_model_bind() lays it out,
 * ff_model_ram() says how large it must be (the same code). Nothing here allocates, prints, or uses floating
 * point.
 */
#ifndef FF_MODEL_H
#define FF_MODEL_H

#include "ff_rom.h"
#include "ff_status.h"
#include "kernels/ff_kernels.h"
#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "running means are kept in the image's byte order: little-endian targets only"
#endif

/* -DFF_NIBBLES=0 leaves out weights of 4 bits and fewer, and inputs of 4 bits. */
#ifndef FF_NIBBLES
#define FF_NIBBLES 1
#endif

/* -DFF_TRUST_IMAGE=1, for builds whose image comes with the firmware: that it keeps to SPEC.md is its
 * writer's affair. */
#ifndef FF_TRUST_IMAGE
#define FF_TRUST_IMAGE 0
#endif

/* Most layers that this build holds; each costs sizeof(ff_layer) in every ff_model. */
#ifndef FF_MAX_LAYERS
#define FF_MAX_LAYERS 8
#endif

/* -DFF_STAGES=0 doesn't take parts of networks whose other layers are on other boards (SPEC.md 2.7), and
 * leaves out what ports need to pass layers on several threads. */
#ifndef FF_STAGES
#define FF_STAGES !FF_SMALL
#endif

/* Answers to LEARN that such a part keeps, to give them again. A power of 2. */
#define FF_ANSWERS_KEPT 4u

#define FF_IMAGE_HEADER 48
#define FF_LAYER_RECORD 32
#define FF_STATE_HEAD 48
#define FF_STATE_LAYER 16
#define FF_STATE_MOST (FF_STATE_HEAD + FF_MAX_LAYERS * FF_STATE_LAYER)
#define FF_MAX_NEURONS 4096

/* Bytes of a word behind a layer's inputs and their padding to a multiple of 4, which kernels end their loops
 * at. The same in all builds, so that RAM can be planned on another machine. */
#define FF_INPUT_END 4u

/* Offsets within the state section (SPEC.md 2.5). */
enum {
    FF_AT_BASE = 0,
    FF_AT_T = 4,
    FF_AT_RANDOM = 8,
    FF_AT_SAMPLES = 12,
    FF_AT_UPDATES = 16,
    FF_AT_ERRORS = 20,
    FF_AT_FALSE_REJECTS = 24,
    FF_AT_FALSE_ACCEPTS = 28,
    FF_AT_NOVELTY = 32,
    FF_AT_TAU = 36,
    FF_AT_CENTRING = 38,
    FF_AT_MARGIN = 40,
    FF_AT_MEAN_SHIFT = 41,
    FF_AT_THRESHOLD_SHIFT = 42,
    FF_AT_REVIVE_SHIFT = 43,
    FF_AT_ERROR_SPAN = 47,
    /* within a layer's part */
    FF_AT_THETA = 0,
    FF_AT_FACTOR = 4,
    FF_AT_RATE = 6,
    FF_AT_REVIVE = 8,
    FF_AT_RECENT_ERRORS = 10,
    FF_AT_LEARN_SHIFT = 12,
    FF_AT_USUAL_ERRORS = 13
};

typedef struct {
    /* the first eight bytes of the record, as they stand in the image */
    uint16_t n;           /* inputs, 1 to 65535 */
    uint16_t m;           /* neurons, 1 to FF_MAX_NEURONS */
    uint8_t length_shift; /* k: the input is rescaled to length 2^k */
    uint8_t layout;       /* where weights lie: kernels/ff_layout.h */
    uint8_t weight_bits;  /* 8, 4, 3 or 2 */
    uint8_t learns;       /* flag of the image */

    uint8_t output_shift; /* s: y = acc >> s */
#if FF_NIBBLES
    uint8_t input_most; /* largest input: 255 or 15 */
#endif
    uint16_t ymax;         /* largest activity; m * ymax^2 < 2^32 */
    ff_size weights_at;    /* offset of the weights in the image */
    ff_size weights_bytes; /* as laid out, and the padding to a multiple of 4 */
    int8_t *learned;      /* (n, m): the weights in the arena, laid out as in the image, NULL = those there */
    const uint8_t *state; /* FF_STATE_LAYER bytes of the state section */
    uint16_t *mean;       /* (n), Q8, in the state's RAM copy, or NULL */
} ff_layer;

typedef struct {
    /* eight bytes of the header, as they stand in the image */
    uint16_t raw; /* bytes that the sensor delivers per sample */
    uint8_t classes;
    uint8_t layers;
    uint8_t objective; /* 0 class-partitioned, 1 label in the input */
    uint8_t encoding;  /* 0 plain, 1 complement */
    uint8_t flags;     /* FF_SUBTRACT_MINIMUM, ... */
    uint8_t label_value;

    uint8_t groups; /* groups of each layer: classes, or 1 if the label is in the input */
#if FF_STAGES
    uint8_t below;       /* layers of the network below the first one here, on other boards */
    uint8_t above_shift; /* k of the layer above the last one here, on another board; 0 = there is none */
    uint8_t above_most;  /* its largest input: 255 or 15 */
#endif
    uint8_t learning; /* bound for learning: state, learned and mean point into the arena */
    ff_rom image;
    ff_size image_bytes;
    ff_size state_at; /* offset of the state section */
    ff_size state_bytes;
    ff_size state_fields; /* the same without its padding */

    const uint8_t *state; /* the state section: in the image, or its copy in the arena */
    uint8_t
        *state_ram; /* that copy, or NULL; behind it lie the weights of each layer that learns, padded to 4 */
    uint8_t *x;     /* (largest n, padded to 4, and FF_INPUT_END): a layer's input bytes, aligned to 4 */
#if FF_PACKED_LAYOUTS
    void *list; /* what kernels list inputs in, behind x */
#endif
    int32_t *acc;       /* (largest m): accumulators; activities take their place */
    uint32_t *goodness; /* (groups): of the layer worked on last */
    uint32_t *score;    /* (classes) */
    uint32_t random;    /* while a sample is learned: what the next layer's random numbers start from */
#if FF_STAGES
    uint8_t *kept; /* FF_ANSWERS_KEPT answers of ff_model_answer() bytes each, or NULL: nothing is above */
#endif
    ff_layer layer[FF_MAX_LAYERS];
} ff_model;

/* Flags of a model. */
enum {
    FF_SUBTRACT_MINIMUM = 1,
    FF_RESCALED = 2, /* samples are what the layer below hands on */
    FF_COUNTS = 4    /* samples are learned though no layer here may learn: layers on other boards do */
};

/* Whether the layers above are on another board. */
FF_INLINE uint8_t ff_hands_on(const ff_model *model) {
#if FF_STAGES
    return model->above_shift != 0;
#else
    (void)model;
    return 0;
#endif
}

/* Bytes of RAM, split by what they are for. */
typedef struct {
    ff_size weights;   /* copies of the weights of layers that learn */
    ff_size inference; /* input, accumulators, goodness, scores */
    ff_size learning;  /* the state: running means, counters, thresholds */
} ff_ram;

/*
 * Checks a whole image of `bytes` bytes (SPEC.md 2.6) and fills in everything in *model that doesn't need
 * RAM. *model is unusable if this fails. image must be aligned to 4.
 */
ff_status ff_model_open(ff_model *model, ff_rom image, ff_size bytes, ff_fault *fault);

/* RAM that the opened model needs, with or without learning; returns the sum: the arena that ff_model_bind()
 * wants. */
ff_size ff_model_ram(const ff_model *model, uint8_t learning, ff_ram *split);

#if FF_STAGES
/* Bytes of an answer that is kept, a multiple of 4. */
ff_size ff_model_answer(const ff_model *model);
#endif

/*
 * Lays out the arena (aligned to 4) and copies into it what learning changes. FF_ARENA if it is too small:
 * then the model is as it was after ff_model_open(). With learning = 0, or for a model none of whose layers
 * learns, weights and state are read from the image (with FF_ROM_FAR the state is in the arena all the same).
 * A part of a network that learns elsewhere is bound for learning without any weights.
 */
ff_status ff_model_bind(ff_model *model, uint8_t learning, void *arena, ff_size bytes, ff_fault *fault);

#if FF_STAGES
/* A second way through a bound model, for threads: *view shares its weights, means and state, and has buffers
 * of its own in the `inference` bytes of ff_model_ram() from `buffers` on, aligned to 4. */
void ff_model_view(const ff_model *model, ff_model *view, void *buffers);
#endif

/* Copies the part of `bytes` bytes from offset `at` on, which lie at `from`, that falls into the `count`
 * bytes from `offset` on, which `to` is to hold. */
void ff_overlay(uint8_t *to, ff_size offset, ff_size count, ff_size at, const void *from, ff_size bytes);

/* Copies `count` bytes at `offset` of the image as it stands now: learned weights and state instead of the
 * image's own. */
void ff_model_read(const ff_model *model, ff_size offset, uint8_t *to, ff_size count);

/* The same image lies elsewhere now, with what was learned written into it: reads go there from now on. */
void ff_model_moved(ff_model *model, ff_rom image);

/* Checks the fixed part of a state section: ff_state_fixed(layers) bytes. */
ff_status ff_state_check(const uint8_t *state, uint8_t layers, ff_size at, ff_fault *fault);

/* Bytes of that fixed part; behind it lie class thresholds, class counts and means. */
static inline ff_size ff_state_fixed(uint8_t layers) {
    return (ff_size)(FF_STATE_HEAD + layers * FF_STATE_LAYER);
}

#endif
