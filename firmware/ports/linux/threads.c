#define _GNU_SOURCE
#include "threads.h"
#include "ff_learn.h"
#include "kernels/ff_layout.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* One sample on its way; whoever works on it owns it. */
typedef struct {
    uint8_t *x;      /* the raw sample, then the rescaled input of the next group */
    uint32_t *score; /* (classes): of the layers so far */
    uint8_t label, learn, changed;
    uint32_t owner, began, microseconds;
    ff_result result;
} slot_t;

/* A thread and its group of layers. */
typedef struct {
    pthread_t thread;
    pthread_cond_t wake;
    uint64_t passed; /* samples handed on */
    ff_model view;   /* buffers of its own; weights, means and images are those of the device's model */
    void *buffers;
    uint8_t from, last;
    /* All groups but the last have a copy of the state's fixed part: each draws the same random numbers,
     * counts samples by itself, and has its layers' records. */
    uint32_t state[FF_STATE_MOST / 4];
    uint32_t updates; /* in the copy, when it was made */
} group_t;

/* After so many samples of a model it is known what its layers cost, and the groups are made again. */
#define TRIED 16u

/* What a layer of this size costs: the least nanoseconds of all samples, since a thread may have to wait for
 * its processor. */
typedef struct {
    uint16_t n, m;
    uint64_t least; /* 0: it was never passed */
} cost_t;

static ff_device *device;
static cost_t cost[FF_MAX_LAYERS];
static uint64_t cut_at; /* samples taken when the groups were made by guess; UINT64_MAX: by cost */
static group_t group[FF_MAX_LAYERS];
static unsigned threads, groups; /* groups: as many threads as have layers of this model */
static slot_t slot[THREADS_SLOTS];
static uint8_t *slot_memory;
static uint64_t taken, given;
static int event = -1;
static int told;         /* the event is up */
static uint64_t awaited; /* samples that the main thread waits for to be through */
static int current;      /* groups and slots are made for the device's model as it is */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t drained = PTHREAD_COND_INITIALIZER;

static uint64_t finished(void) {
    return groups ? group[groups - 1].passed : taken;
}

static uint32_t now(void) {
    return device->clock ? device->clock() : 0;
}

static uint64_t nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- the threads ---- */

static void work(group_t *g, slot_t *s) {
    ff_model *view = &g->view;
    const int top = g->last + 1 == view->layers;
    if (g->from == 0) {
        s->began = now();
        ff_enter(view, s->x, s->label);
    } else {
        memcpy(view->x, s->x, view->layer[g->from].n);
        memcpy(view->score, s->score, 4u * view->classes);
    }
    if (s->learn) ff_learn_begin(view, g->from);
    for (uint8_t l = g->from; l <= g->last; l++) {
        const ff_layer *next = &view->layer[l + 1];
        const uint64_t from = nanoseconds();
        s->changed |= ff_layers(view, l, l, s->label, s->learn ? ff_learn_layer : 0);
        if (l + 1 < view->layers)
            ff_hand_on(view, next - 1, next->length_shift, FF_INPUT_MOST(next), l < g->last ? view->x : s->x);
        const uint64_t took = nanoseconds() - from;
        if (!cost[l].least || took < cost[l].least) cost[l].least = took;
    }
    if (!top) {
        memcpy(s->score, view->score, 4u * view->classes);
        if (s->learn) ff_count32(view->state_ram + FF_AT_T);
        return;
    }
    if (s->learn)
        ff_learn_end(view, s->label, &s->result);
    else
        ff_decide(view, s->label, &s->result);
    if (s->changed) s->result.flags |= FF_LEARNED;
    s->microseconds = now() - s->began;
}

static void *run(void *of) {
    group_t *g = of;
    const unsigned index = (unsigned)(g - group);
    const uint64_t one = 1;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (index >= groups || g->passed == (index ? group[index - 1].passed : taken))
            pthread_cond_wait(&g->wake, &lock);
        slot_t *s = &slot[g->passed % THREADS_SLOTS];
        pthread_mutex_unlock(&lock);
        work(g, s);
        pthread_mutex_lock(&lock);
        g->passed++;
        if (index + 1 < groups) {
            pthread_cond_signal(&group[index + 1].wake);
        } else {
            if (g->passed >= awaited) pthread_cond_signal(&drained);
            if (!told && write(event, &one, sizeof one) < 0) abort(); /* never full: it is read before */
            told = 1;
        }
    }
    return 0;
}

int threads_start(ff_device *of, unsigned count) {
    device = of;
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) return -1;
    for (threads = 0; threads < count && threads < FF_MAX_LAYERS; threads++) {
        group_t *g = &group[threads];
        pthread_cond_init(&g->wake, 0);
        if ((errno = pthread_create(&g->thread, 0, run, g)) != 0) return -1;
    }
    return 0;
}

int threads_event(void) {
    return event;
}

/* ---- the groups of a model ---- */

int threads_suit(void) {
    const ff_model *model = &device->model;
    return threads > 1 && device->loaded && !model->objective && model->layers > 1 && !ff_hands_on(model);
}

/* 1 if all layers of the model were passed before: then it is known what they cost. Else they are to be found
 * out. */
static int costs_known(void) {
    const ff_model *model = &device->model;
    int known = 1;
    for (uint8_t l = 0; l < model->layers; l++) {
        const ff_layer *layer = &model->layer[l];
        if (cost[l].n != layer->n || cost[l].m != layer->m) cost[l] = (cost_t){layer->n, layer->m, 0};
        known = known && cost[l].least;
    }
    return known;
}

/* The most that one group costs if a new one begins with each layer l > 0 whose bit l - 1 is set. By guess:
 * its multiplications, the zeros among its inputs included. */
static uint64_t worst_group(unsigned cuts, int known) {
    uint64_t worst = 0, sum = 0;
    for (uint8_t l = 0; l < device->model.layers; l++) {
        if (l && (cuts >> (l - 1) & 1)) sum = 0;
        sum += known ? cost[l].least : (uint64_t)cost[l].n * cost[l].m;
        if (sum > worst) worst = sum;
    }
    return worst;
}

/* Groups of neighbours, so that the most expensive one is as cheap as can be. */
static void cut(void) {
    const unsigned layers = device->model.layers, wanted = threads < layers ? threads : layers;
    const int known = costs_known();
    unsigned best = 0;
    cut_at = known ? UINT64_MAX : taken;
    for (unsigned cuts = 0; cuts < 1u << (layers - 1); cuts++)
        if ((unsigned)__builtin_popcount(cuts) == wanted - 1 &&
            (!best || worst_group(cuts, known) < worst_group(best, known)))
            best = cuts;
    unsigned g = 0;
    group[0].from = 0;
    for (uint8_t l = 1; l < layers; l++) {
        if (!(best >> (l - 1) & 1)) continue;
        group[g].last = (uint8_t)(l - 1);
        group[++g].from = l;
    }
    group[g].last = (uint8_t)(layers - 1);
    groups = g + 1;
}

/* All but the last group get a copy of what they count in. */
static void own_state(group_t *g) {
    ff_model *view = &g->view;
    const ff_size fixed = ff_state_fixed(view->layers);
    uint8_t *state = (uint8_t *)g->state;
    if (!view->state_ram) return; /* nothing learns: nothing is counted */
    memcpy(state, view->state_ram, fixed);
    for (uint8_t l = 0; l < view->layers; l++)
        view->layer[l].state = state + (view->layer[l].state - view->state);
    view->state = view->state_ram = state;
    g->updates = ff_at32(state + FF_AT_UPDATES);
}

static int build(void) {
    const ff_model *model = &device->model;
    ff_ram ram;
    ff_size width = model->raw;
    ff_model_ram(model, FF_LEARN, &ram);
    for (uint8_t l = 1; l < model->layers; l++)
        if (model->layer[l].n > width) width = model->layer[l].n;
    width = (width + 15) & ~(ff_size)15;
    const ff_size bytes = width + 4 * (ff_size)model->classes;
    uint8_t *memory = realloc(slot_memory, (size_t)THREADS_SLOTS * bytes);
    if (!memory) return -1;
    slot_memory = memory;
    for (unsigned i = 0; i < THREADS_SLOTS; i++, memory += bytes) {
        slot[i].x = memory;
        slot[i].score = (uint32_t *)(void *)(memory + width);
    }
    cut();
    for (unsigned i = 0; i < groups; i++) {
        void *buffers = realloc(group[i].buffers, ram.inference);
        if (!buffers) return -1;
        group[i].buffers = buffers;
        ff_model_view(model, &group[i].view, buffers);
        if (i + 1 < groups) own_state(&group[i]);
        group[i].passed = taken;
    }
    current = 1;
    return 0;
}

/* ---- samples ---- */

int threads_take(const threads_sample *sample) {
    int status = 0;
    if (cut_at != UINT64_MAX && taken - cut_at >= TRIED) threads_drain();
    pthread_mutex_lock(&lock);
    if (taken - given < THREADS_SLOTS) status = current || build() == 0 ? 1 : -1;
    if (status == 1) {
        slot_t *s = &slot[taken % THREADS_SLOTS];
        memcpy(s->x, sample->x, device->model.raw);
        s->label = sample->label;
        s->learn = sample->learn;
        s->changed = 0;
        s->owner = sample->owner;
        taken++;
        pthread_cond_signal(&group[0].wake);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

int64_t threads_next(ff_result *result, uint32_t *microseconds) {
    int64_t owner = -1;
    uint64_t count;
    pthread_mutex_lock(&lock);
    if (given == finished()) {
        if (told && read(event, &count, sizeof count) < 0 && errno != EAGAIN) abort();
        told = 0;
    } else {
        const slot_t *s = &slot[given++ % THREADS_SLOTS];
        *result = s->result;
        *microseconds = s->microseconds;
        owner = s->owner;
    }
    pthread_mutex_unlock(&lock);
    return owner;
}

/* Holding the lock. */
static void await(uint64_t samples) {
    awaited = samples < taken ? samples : taken;
    while (finished() < awaited)
        pthread_cond_wait(&drained, &lock);
}

void threads_wait(unsigned results) {
    pthread_mutex_lock(&lock);
    await(given + results);
    pthread_mutex_unlock(&lock);
}

uint64_t threads_cpu(unsigned thread) {
    clockid_t clock;
    struct timespec t;
    if (pthread_getcpuclockid(group[thread].thread, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

unsigned threads_owed(void) {
    return (unsigned)(taken - given);
}

/* The sum, or 2^32 - 1 where counters stay. */
static uint32_t sum32(uint32_t a, uint32_t b) {
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void threads_drain(void) {
    pthread_mutex_lock(&lock);
    await(taken);
    for (unsigned i = 0; current && i + 1 < groups; i++) {
        const group_t *g = &group[i];
        uint8_t *state = device->model.state_ram;
        if (!state) break;
        const uint8_t *copy = (const uint8_t *)g->state;
        const size_t at = FF_STATE_HEAD + (size_t)g->from * FF_STATE_LAYER;
        memcpy(state + at, copy + at, (size_t)(g->last - g->from + 1) * FF_STATE_LAYER);
        const uint32_t updates = ff_at32(copy + FF_AT_UPDATES) - g->updates;
        ff_set32(state + FF_AT_UPDATES, sum32(ff_at32(state + FF_AT_UPDATES), updates));
    }
    current = 0;
    pthread_mutex_unlock(&lock);
}
