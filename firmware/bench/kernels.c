/*
 * Counts the instructions of the core in an emulator: `npm run bench:kernels` builds this, puts the files of
 * main() beside it, and reads the lines that it writes. Numbers of instructions are sums over all samples.
 */
#include "counter.h"
#include "goodness.h"
#include "peer.h"
#include "semihosting.h"

#define SAMPLES 1000u
#define RAW 784u

static uint32_t image[256 * 1024 / 4], arena[256 * 1024 / 4];
static uint32_t tests[2 + SAMPLES * (RAW + 4) / 4], stream[2 + SAMPLES * (RAW + 4) / 4];
static ff_model model;

/* Samples as the host writes them: u32 count, u32 bytes of each, samples, labels. */
typedef struct {
    uint32_t count, raw;
    const uint8_t *x, *label;
} samples;

static samples read_samples(const char *name, uint32_t *to, uint32_t room) {
    samples s;
    host_read(name, to, room);
    s.count = to[0];
    s.raw = to[1];
    s.x = (const uint8_t *)(to + 2);
    s.label = s.x + s.count * s.raw;
    return s;
}

static void bind(uint8_t learning) {
    ff_fault fault;
    if (ff_model_bind(&model, learning, arena, sizeof arena, &fault) != FF_OK)
        host_fail("the arena is too small");
}

/* Mixes a result into a number that tells builds apart which compute something else. */
static uint32_t mix(uint32_t hash, const ff_result *result) {
    hash = (hash ^ result->score) * 16777619u;
    return (hash ^ result->class_ ^ (uint32_t)result->flags << 8) * 16777619u;
}

static void infer(const samples *s) {
    uint64_t took = 0;
    uint32_t hash = 2166136261u;
    ff_result result;
    bind(0);
    for (uint32_t i = 0; i < s->count; i++) {
        const uint64_t start = counter_now();
        ff_infer(&model, s->x + i * s->raw, s->label[i], &result);
        took += counter_now() - start;
        hash = mix(hash, &result);
    }
    host_number("infer", took);
    host_number("infer hash", hash);
}

/* Each sample is inferred, and then learned. */
static void learn(const samples *s, uint32_t from) {
    uint64_t forward = 0, step = 0;
    uint32_t hash = 2166136261u, learned = 0, crc = 0;
    ff_result result;
    bind(1);
    for (uint32_t i = 0; i < s->count; i++) {
        const uint8_t *x = s->x + i * s->raw;
        uint64_t start = counter_now();
        ff_infer(&model, x, s->label[i], &result);
        forward += counter_now() - start;
        start = counter_now();
        ff_learn(&model, x, s->label[i], &result);
        step += counter_now() - start;
        hash = mix(hash, &result);
        learned += (result.flags & FF_LEARNED) != 0;
    }
    for (ff_size at = from; at < model.image_bytes; at += 4) {
        uint8_t word[4];
        ff_model_read(&model, at, word, 4);
        crc = ff_crc32(crc, word, 4);
    }
    host_number("stream infer", forward);
    host_number("stream learn", step);
    host_number("stream learned", learned);
    host_number("stream hash", hash);
    host_number("stream image", crc);
}

int main(void) {
    ff_fault fault;
    ff_ram ram;
    const uint32_t bytes = host_read("image.ffm", image, sizeof image);
    counter_start();
    if (ff_model_open(&model, (const uint8_t *)image, bytes, &fault) != FF_OK)
        host_fail("image.ffm is refused");
    const samples test = read_samples("test.bin", tests, sizeof tests);
    infer(&test);
    const samples life = read_samples("stream.bin", stream, sizeof stream);
    learn(&life, model.layer[0].weights_at);
    ff_model_ram(&model, 0, &ram);
    host_number("ram", ram.inference);
    for (uint8_t l = 0; PEER && l < model.layers; l++) {
        peer_layer(l, test.x, model.layer[l].n, model.layer[l].m);
        const uint64_t start = counter_now();
        for (uint32_t i = 0; i < test.count; i++)
            peer_layer(l, test.x + i * test.raw, model.layer[l].n, model.layer[l].m);
        host_number(l ? "peer layer 1" : "peer layer 0", counter_now() - start);
    }
    host_exit(0);
}
