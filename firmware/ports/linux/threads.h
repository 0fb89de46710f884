/*
 * A pipeline over threads: each has a group of neighbouring layers of the model, works on one sample at a
 * time, and hands what they made of it to the next. While a sample is in the upper layers, the ones behind it
 * are in the lower ones. Nothing comes back from above and layers have their own random numbers (SPEC.md 5),
 * so what is learned is the same, byte for byte, as by ff_learn() one by one.
 *
 *   threads_start(&device, 3)           makes the threads
 *   threads_take(sample)                gives them a sample of the device's model
 *   threads_next(&result, &owner)       a result, in the order of the samples; -1 = none is ready
 *   threads_drain()                     waits for all that are under way; then the model is as after
 * ff_learn()
 *
 * All four are called by one thread. The model may be used by others, and be another, from a drain to the
 * next take.
 */
#ifndef THREADS_H
#define THREADS_H

#include "goodness.h"

/* Samples that may be under way. */
#define THREADS_SLOTS 32u

typedef struct {
    const uint8_t *x; /* uint8 (raw); copied */
    uint8_t label;    /* a class; to infer FF_NO_LABEL as well */
    uint8_t learn;    /* learn it as one of that class */
    uint32_t owner;   /* the caller's */
} threads_sample;

/* Threads for `count` groups of layers, 2 or more; fewer work if the model has fewer layers. Returns 0, or -1
 * with errno. */
int threads_start(ff_device *device, unsigned count);

/* Readable (poll) when a result may have become ready. */
int threads_event(void);

/* Whether samples of the device's model can go this way: more than one layer, classes as groups, nothing else
 * to be done with what the last layer makes. */
int threads_suit(void);

/* 1, or 0 if as many as there may be are under way. -1: there is no memory for the model's buffers. */
int threads_take(const threads_sample *sample);

/* The oldest result that wasn't given out: fills it in and returns its owner's number, with the microseconds
 * from its start to its end. -1 if it isn't ready, or there is none. */
int64_t threads_next(ff_result *result, uint32_t *microseconds);

/* Waits until so many results are ready, or all that are under way. */
void threads_wait(unsigned results);

/* Nanoseconds of processor time that a thread has taken so far, 0 to the number of threads - 1: for benches.
 */
uint64_t threads_cpu(unsigned thread);

/* Samples whose results weren't given out yet. */
unsigned threads_owed(void);

/* Waits until all samples are through, and puts what the threads counted into the model's state. Results
 * stay. */
void threads_drain(void);

#endif
