#include "answers.h"
#include "threads.h"
#include <stdio.h>
#include <stdlib.h>

/* What a link may be owed: no client has more requests under way (SPEC.md 9.1, window). */
#define OWED 64u

typedef struct {
    ff_sample sample;
    ff_result result;
} owed_t;

/* A ring per link; counts of samples that were given to the threads, are done, and were answered. */
static struct {
    owed_t owed[OWED];
    uint32_t given, done, answered;
    uint32_t client; /* counts those that the link had */
} of[ANSWERS_LINKS];

void answers_forget(int link) {
    of[link].client++;
    of[link].given = of[link].done = of[link].answered = 0;
}

/* Hands out results that are ready. */
static void collect(ff_device *device) {
    ff_result result;
    uint32_t microseconds;
    int64_t owner;
    while ((owner = threads_next(&result, &microseconds)) >= 0) {
        const unsigned link = (unsigned)owner % ANSWERS_LINKS;
        device->last = result;
        device->microseconds = microseconds;
        if (of[link].client % (1u << 24) != (uint32_t)owner / ANSWERS_LINKS) continue; /* who asked is gone */
        of[link].owed[of[link].done++ % OWED].result = result;
    }
}

static answers_state give(ff_link *link, int number) {
    threads_sample sample;
    owed_t *owed = &of[number].owed[of[number].given % OWED];
    if (of[number].given - of[number].answered == OWED || threads_owed() == THREADS_SLOTS)
        return ANSWERS_WAIT;
    if (!ff_link_sample(link, &owed->sample)) return ANSWERS_NONE;
    sample.x = owed->sample.x;
    sample.label = owed->sample.label;
    sample.learn = owed->sample.learn;
    sample.owner = of[number].client % (1u << 24) * ANSWERS_LINKS + (uint32_t)number;
    if (threads_take(&sample) < 0) {
        perror("goodness-device: no memory for the threads");
        exit(1);
    }
    of[number].given++;
    return ANSWERS_MORE;
}

answers_state answers_work(ff_device *device, ff_link *link, int number) {
    collect(device);
    if (of[number].answered != of[number].done) {
        const owed_t *owed = &of[number].owed[of[number].answered++ % OWED];
        ff_link_answer(link, &owed->sample, &owed->result);
        return ANSWERS_MORE;
    }
    if (!link->has_request) return of[number].given != of[number].done ? ANSWERS_WAIT : ANSWERS_NONE;
    const answers_state state = threads_suit() ? give(link, number) : ANSWERS_NONE;
    if (state != ANSWERS_NONE) return state;
    /* Another kind of request: it sees the model as it is when all samples before it are through. */
    threads_drain();
    collect(device);
    return of[number].answered != of[number].done ? ANSWERS_MORE : ANSWERS_NONE;
}
