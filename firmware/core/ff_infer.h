/* Inference (SPEC.md 4): the forward pass, goodness, class and thresholds. Links without learning. */
#ifndef FF_INFER_H
#define FF_INFER_H

#include "ff_model.h"

#define FF_NO_LABEL 0xFF

/* Flags of a result. */
enum { FF_CORRECT = 1, FF_FALSE_REJECT = 2, FF_FALSE_ACCEPT = 4, FF_NOVEL = 8, FF_LEARNED = 16 };

typedef struct {
    uint8_t class_; /* class with the largest score, the lowest of equal ones */
    uint8_t flags;
    uint16_t zero;        /* the struct is what stands on the wire */
    uint32_t score;       /* its score */
    uint32_t label_score; /* the label's score, 0 without a label */
} ff_result;

/* Called after the goodness of a layer is known: model->x holds its input, ff_activity() its output.
 * Returns 1 if it changed the layer, else 0. */
typedef uint8_t (*ff_layer_hook)(ff_model *model, const ff_layer *layer, uint8_t label);

/* Activities of the layer worked on last: uint16 (m). They lie where the accumulators were. */
FF_INLINE uint16_t *ff_activity(const ff_model *model) {
    return (uint16_t *)(void *)model->acc;
}

#if FF_STAGES
/*
 * A forward pass in parts, objective 0: ff_enter() fills model->x with the input of the first layer, out of
 * x: uint8 (raw), and clears the scores, or takes both from a sample that comes rescaled; ff_layers() passes
 * layers `from` to `last`, with the input of the first one in model->x; ff_hand_on() makes of what `layer`,
 * the one passed last, left the input of the layer above: `to`, uint8 (m), of length 2^length_shift, at most
 * `most` each.
 */
void ff_enter(ff_model *model, const uint8_t *x, uint8_t label);
uint8_t ff_layers(ff_model *model, uint8_t from, uint8_t last, uint8_t label, ff_layer_hook hook);
void ff_hand_on(const ff_model *model, const ff_layer *layer, uint8_t length_shift, uint8_t most,
                uint8_t *to);

/* What the board with the layers above needs of the sample passed last (SPEC.md 9.6): scores, and the input
 * of the layer above. Returns the bytes written to `to`: 4 * classes, and the neurons of the last layer. */
ff_size ff_onward(const ff_model *model, uint8_t *to);
#endif

/*
 * One forward pass up to and including layer `last`, over x: uint8 (raw), which it doesn't change. `label` is
 * the label that goes into the input (objective 1) and to the hook; hook may be NULL. Leaves activities and
 * goodness of layer `last`, and adds to score[slot] for objective 1, or to score[0..classes) for objective 0.
 * The model must be bound.
 * Returns 1 if the hook said so for some layer.
 */
uint8_t ff_forward(ff_model *model, const uint8_t *x, uint8_t label, uint8_t last, ff_layer_hook hook);

/* The lowest class with the largest score, of the layers that ff_forward() has passed. */
uint8_t ff_best(const ff_model *model);

/* Class, thresholds and novelty from the scores that ff_forward() left. label: a class, or FF_NO_LABEL. */
void ff_decide(const ff_model *model, uint8_t label, ff_result *result);

/* Classifies x: uint8 (raw). label: FF_NO_LABEL, or a class < classes to fill in the flags that need one. */
void ff_infer(ff_model *model, const uint8_t *x, uint8_t label, ff_result *result);

#endif
