/*
 * How much faster a deep network learns and infers on a thread per group of layers than one sample after the
 * other: thread-rate IMAGE SAMPLES THREADS REPEATS SAMPLES: u32 count, then the labels, then the samples.
 * Prints for each repeat the nanoseconds per sample, for inference and then for learning from the image anew:
 * one by one, by threads, the processor time of one by one, and that of the busiest thread. Exits with 1 if a
 * result, or a byte of what was learned, differs. No line is in it: see bench/stream.ts.
 */
#define _GNU_SOURCE
#include "threads.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARENA_BYTES (64u << 20)

static ff_device device;
static ff_result *first, *second;
static uint8_t *after; /* the image as the sequential run left it */

static uint8_t *file(const char *path, size_t *bytes) {
    FILE *in = fopen(path, "rb");
    uint8_t *data;
    if (!in || fseek(in, 0, SEEK_END) || (*bytes = (size_t)ftell(in)) == 0) {
        perror(path);
        exit(2);
    }
    rewind(in);
    data = aligned_alloc(16, (*bytes + 15) & ~(size_t)15);
    if (!data || fread(data, 1, *bytes, in) != *bytes) exit(2);
    fclose(in);
    return data;
}

static uint64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned threads;

/* Nanoseconds per sample: of the clock, and of the processor. */
typedef struct {
    double wall, cpu;
} cost_t;

static cost_t one_by_one(const uint8_t *labels, const uint8_t *x, uint32_t count, uint8_t learn) {
    const uint64_t from = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < count; i++, x += device.model.raw) {
        if (learn)
            ff_device_learn(&device, x, labels[i]);
        else
            ff_device_infer(&device, x, labels[i]);
        first[i] = device.last;
    }
    const double wall = (double)(now(CLOCK_MONOTONIC) - from) / count;
    return (cost_t){wall, (double)(now(CLOCK_THREAD_CPUTIME_ID) - cpu) / count};
}

static cost_t by_threads(const uint8_t *labels, const uint8_t *x, uint32_t count, uint8_t learn) {
    const uint64_t from = now(CLOCK_MONOTONIC);
    uint64_t before[FF_MAX_LAYERS], busiest = 0;
    for (unsigned i = 0; i < threads; i++)
        before[i] = threads_cpu(i);
    uint32_t given = 0, done = 0, microseconds;
    while (done < count) {
        ff_result result;
        const threads_sample sample = {x + (size_t)given * device.model.raw,
                                       labels[given < count ? given : 0], learn, given};
        if (given < count && threads_take(&sample) == 1) {
            given++;
            continue;
        }
        if (threads_next(&result, &microseconds) >= 0)
            second[done++] = result;
        else
            threads_wait(THREADS_SLOTS / 2);
    }
    threads_drain();
    const double wall = (double)(now(CLOCK_MONOTONIC) - from) / count;
    for (unsigned i = 0; i < threads; i++)
        if (threads_cpu(i) - before[i] > busiest) busiest = threads_cpu(i) - before[i];
    return (cost_t){wall, (double)busiest / count};
}

static void same(int yes, const char *what) {
    if (yes) return;
    fprintf(stderr, "%s differ\n", what);
    exit(1);
}

static void start(const uint8_t *image, size_t bytes) {
    if (ff_device_load(&device, image, (ff_size)bytes) != FF_OK) {
        fprintf(stderr, "the image does not load: status %u\n", device.load_status);
        exit(2);
    }
}

int main(int argc, char **argv) {
    size_t image_bytes, sample_bytes;
    uint32_t count;
    if (argc != 5) return 2;
    const uint8_t *image = file(argv[1], &image_bytes), *samples = file(argv[2], &sample_bytes);
    memcpy(&count, samples, sizeof count);
    const uint8_t *labels = samples + 4, *x = labels + count;
    device.arena_bytes = ARENA_BYTES;
    device.arena = aligned_alloc(64, ARENA_BYTES);
    first = calloc(count, sizeof *first);
    second = calloc(count, sizeof *second);
    after = malloc(image_bytes);
    uint8_t *threaded = malloc(image_bytes);
    if (!device.arena || !first || !second || !after || !threaded) return 2;
    threads = (unsigned)atoi(argv[3]);
    if (threads < 2 || threads > FF_MAX_LAYERS || threads_start(&device, threads) < 0) return 2;
    for (int repeat = atoi(argv[4]); repeat > 0; repeat--) {
        for (int learn = 0; learn < 2; learn++) {
            start(image, image_bytes);
            if (sample_bytes != 4 + (size_t)count * (1 + device.model.raw)) return 2;
            const cost_t one = one_by_one(labels, x, count, (uint8_t)learn);
            ff_model_read(&device.model, 0, after, (ff_size)image_bytes);
            start(image, image_bytes);
            const cost_t many = by_threads(labels, x, count, (uint8_t)learn);
            ff_model_read(&device.model, 0, threaded, (ff_size)image_bytes);
            same(memcmp(first, second, count * sizeof *first) == 0,
                 learn ? "results of learning" : "results");
            same(memcmp(after, threaded, image_bytes) == 0, "models");
            printf("%.0f %.0f %.0f %.0f%c", one.wall, many.wall, one.cpu, many.cpu, learn ? '\n' : ' ');
        }
        fflush(stdout);
    }
    return 0;
}
