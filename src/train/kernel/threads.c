/*
 * Jobs shared by threads. The main thread publishes a job; whoever is awake takes items until there are none
 * left. The main thread takes items as well, so that a job is done even if no other thread gets a processor
 * in time.
 */
#include "kernel.h"

#define MOST_THREADS 64
/* Looks at a value before a thread goes to sleep on it: some 50 microseconds. A wake-up takes about as long.
 */
#define PATIENCE 20000

/* Operations that take as long as waking a thread. */
#define WORTH_SHARING 100000

static struct {
    uint64_t ticket; /* number of the job << 32 | items << 16 | items taken */
    uint32_t job;    /* number of the job; what sleepers wait on */
    uint32_t done;   /* items done */
    uint32_t sleepers;
    uint32_t impatient; /* whether the main thread sleeps until all items are done */
    work work;
    const void *context;
} pool;

static uint32_t threads = 1;
static uint8_t *scratches;
static uint32_t scratch_bytes;

/* Takes items of job `number` until there are none left. */
static void take_items(uint32_t number, uint32_t thread) {
    for (;;) {
        uint64_t ticket = __atomic_load_n(&pool.ticket, __ATOMIC_SEQ_CST);
        const uint32_t taken = (uint32_t)ticket & 0xFFFF;
        const uint32_t items = (uint32_t)ticket >> 16;
        if ((uint32_t)(ticket >> 32) != number || taken == items) return;
        if (!__atomic_compare_exchange_n(&pool.ticket, &ticket, ticket + 1, 0, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST))
            continue;
        /* From here to the count of done items the job can't end, so its fields stand. */
        pool.work(pool.context, taken, scratches + thread * scratch_bytes);
        const uint32_t done = __atomic_add_fetch(&pool.done, 1, __ATOMIC_SEQ_CST);
        if (done == items && __atomic_load_n(&pool.impatient, __ATOMIC_SEQ_CST))
            __builtin_wasm_memory_atomic_notify((int *)&pool.done, 1);
    }
}

/* The host gives one stretch of memory per thread. */
EXPORT(set_threads) void set_threads(uint32_t count, uint8_t *memory, uint32_t bytes_each) {
    threads = count < MOST_THREADS ? count : MOST_THREADS;
    scratches = memory;
    scratch_bytes = bytes_each;
}

/* What a thread other than the main one does all its life. */
EXPORT(serve) void serve(uint32_t thread) {
    uint32_t seen = 0;
    for (;;) {
        uint32_t number = seen;
        for (uint32_t look = 0; look < PATIENCE && number == seen; look++)
            number = __atomic_load_n(&pool.job, __ATOMIC_SEQ_CST);
        if (number == seen) {
            __atomic_add_fetch(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
            __builtin_wasm_memory_atomic_wait32((int *)&pool.job, (int)seen, -1);
            __atomic_sub_fetch(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
            continue;
        }
        seen = number;
        take_items(number, thread);
    }
}

void share(work work, const void *job, uint32_t items, uint64_t operations) {
    if (threads == 1 || items <= 1 || operations < WORTH_SHARING) {
        for (uint32_t i = 0; i < items; i++)
            work(job, i, scratches);
        return;
    }
    const uint32_t number = pool.job + 1;
    pool.work = work;
    pool.context = job;
    __atomic_store_n(&pool.done, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&pool.ticket, (uint64_t)number << 32 | items << 16, __ATOMIC_SEQ_CST);
    __atomic_store_n(&pool.job, number, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&pool.sleepers, __ATOMIC_SEQ_CST) > 0)
        __builtin_wasm_memory_atomic_notify((int *)&pool.job, threads);
    take_items(number, 0);
    uint32_t done = 0;
    for (uint32_t look = 0; look < PATIENCE; look++) {
        done = __atomic_load_n(&pool.done, __ATOMIC_SEQ_CST);
        if (done == items) return;
    }
    /* A thread was put aside in the middle of an item: leave it the processor. */
    __atomic_store_n(&pool.impatient, 1, __ATOMIC_SEQ_CST);
    while ((done = __atomic_load_n(&pool.done, __ATOMIC_SEQ_CST)) != items)
        __builtin_wasm_memory_atomic_wait32((int *)&pool.done, (int)done, 1000000);
    __atomic_store_n(&pool.impatient, 0, __ATOMIC_SEQ_CST);
}
