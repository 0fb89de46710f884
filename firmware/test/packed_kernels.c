/*
 * Fast kernels against the naive ones, byte for byte: on random layers, and on the largest sums that inputs
 * and weights can have and beyond, where lists are cut. Runs on this machine, where the instructions of other
 * processors are done in C (`make kernels`), and in QEMU (`make kernels-cortex-m4`, ...), where they are the
 * real ones.
 */
#include "ff_math.h"
#include "kernels/ff_activate.h"
#include "kernels/ff_columns.h"
#include "kernels/ff_rescale.h"
#include "kernels/ff_run.h"
#include "packed_rig.h"
#include <string.h>

#define MOST_N 800u
#define MOST_M 128u

static int8_t weights[MOST_N * MOST_M]; /* column by column */
static uint32_t packed[(MOST_N + 1) * MOST_M / 4];
static uint32_t inputs[(MOST_N + 8) / 4 + 1];
static ff_entry list[FF_LIST_INPUTS];
static int32_t expected[MOST_M], got[MOST_M];

static uint32_t state = 1;
static uint32_t draw(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (state >> 8) % below;
}

/* How layers are filled. */
typedef struct {
    unsigned n, m;
    unsigned density;          /* of 256 inputs this many are not 0 */
    int8_t least, most;        /* weights */
    uint8_t smallest, largest; /* inputs */
} layer_kind;

static void fill(const layer_kind *k) {
    uint8_t *x = (uint8_t *)inputs;
    memset(inputs, 0xEE, sizeof inputs);
    for (unsigned i = 0; i < k->n; i++)
        x[i] = draw(256) < k->density ? (uint8_t)(k->smallest + draw(k->largest - k->smallest + 1u)) : 0;
    for (unsigned i = 0; i < k->n * k->m; i++)
        weights[i] = (int8_t)(draw(2)   ? k->least + (int)draw((unsigned)(k->most - k->least) + 1)
                              : draw(2) ? k->least
                                        : k->most);
}

static void pack_pairs(unsigned n, unsigned m) {
    uint8_t *to = (uint8_t *)packed;
    for (unsigned i = 0; i < n; i += 2)
        for (unsigned j = 0; j < m; j += 2, to += 4)
            for (unsigned b = 0; b < 4; b++) {
                const unsigned ii = i + (b >> 1), jj = j + (b & 1);
                const int w = ii < n ? weights[ii * m + jj] : 0;
                to[b] = (uint8_t)(b & 1 ? w : w + 128);
            }
}

/* Columns whose bytes j with bit j mod 4 of `biased` have 128 added. */
static void pack_columns(unsigned n, unsigned m, unsigned biased) {
    uint8_t *to = (uint8_t *)packed;
    for (unsigned i = 0; i < n * m; i++)
        to[i] = (uint8_t)(biased >> (i % m % 4) & 1 ? weights[i] + 128 : weights[i]);
}

static ff_layer layer;
static uint32_t copy[sizeof inputs / 4];

/* Activities of the naive kernel from `inputs` rescaled by rec, to `expected`. */
static void naive(uint32_t rec) {
    uint8_t *x = (uint8_t *)copy;
    memcpy(copy, inputs, sizeof inputs);
    for (unsigned i = 0; i < layer.n; i++)
        x[i] = ff_rescale(x[i], rec, 255);
    memset(expected, 0, sizeof expected);
    ff_columns_s8(expected, weights, x, layer.n, layer.m);
    ff_activate_group(&layer, expected, (uint16_t *)(void *)expected, layer.m);
}

static void run(const char *name, void (*kernel)(ff_run *), uint8_t pairs, uint32_t rec, const uint16_t *y,
                unsigned number) {
    uint32_t own[sizeof inputs / 4];
    ff_run r;
    memcpy(own, inputs, sizeof inputs);
    memset(got, 0x55, sizeof got);
    r.layer = &layer;
    r.w = (const uint8_t *)packed;
    r.acc = got;
    r.list = list;
    r.room = ff_list_room(pairs, layer.n);
    r.from = ff_list_start((uint8_t *)own, y, layer.n, rec, 255);
    kernel(&r);
    for (unsigned j = 0; j < layer.m; j++) {
        const uint16_t e = ((uint16_t *)(void *)expected)[j], g = ((uint16_t *)(void *)got)[j];
        if (e != g) rig_fail(name, number, j, e, g);
    }
    if (memcmp(own, copy, layer.n)) rig_fail(name, number, 0, -1, -1);
}

static void compare(const layer_kind *k, unsigned number) {
    static uint16_t below[MOST_N];
    const uint32_t rec = draw(3) ? draw(70000) : FF_AS_IT_IS;
    layer.n = (uint16_t)k->n;
    layer.m = (uint16_t)k->m;
    layer.output_shift = (uint8_t)draw(25);
    layer.ymax = (uint16_t)(1 + draw(draw(2) ? 5000 : 20000));
    fill(k);
    naive(rec);
    for (unsigned i = 0; i < k->n; i++)
        below[i] = ((uint8_t *)inputs)[i];
    pack_pairs(k->n, k->m);
    run("pairs", ff_pairs, 1, rec, 0, number);
    if (k->m & 3) return;
    pack_columns(k->n, k->m, 5);
    run("singles", ff_singles, 0, rec, 0, number);
    if (k->n <= FF_LIST_INPUTS) run("singles of activities", ff_singles, 0, rec, below, number);
    pack_columns(k->n, k->m, 15);
    run("chain", ff_chain, 0, rec, 0, number);
    if (k->n <= FF_LIST_INPUTS) run("chain of activities", ff_chain, 0, rec, below, number);
}

/* The root's definition, around all squares and in between. */
static void check_root(uint32_t v) {
    const uint32_t root = ff_isqrt(v);
    if (root * root > v || (root < 65535 && (root + 1) * (root + 1) <= v))
        rig_fail("root", 0, 0, (int32_t)v, (int32_t)root);
}

static void check_roots(void) {
    for (uint32_t root = 0; root < 65536; root += RIG_ROOT_STEP) {
        check_root(root * root);
        check_root(root * root - 1); /* of 0: 2^32 - 1 */
        check_root(root * root + draw(2 * root + 1));
    }
    for (uint32_t root = 65000; root < 65536; root++)
        check_root(root * root - 1);
}

int main(void) {
    unsigned number = 0;
    check_roots();
    /* the largest sums, in all signs: up to 257 inputs of 255, and beyond */
    static const int8_t ENDS[][2] = {{127, 127}, {-127, -127}, {-128, -128}, {-127, 127}, {-128, 127}};
    for (unsigned e = 0; e < sizeof ENDS / sizeof *ENDS; e++)
        for (unsigned n = 1; n <= MOST_N; n += n < 8 || (n >= 252 && n < 264) || n > 795 ? 1 : 61) {
            const layer_kind k = {n, 8 + 2 * (n % 6), 256, ENDS[e][0], ENDS[e][1], 255, 255};
            compare(&k, number++);
        }
    for (unsigned round = 0; round < RIG_ROUNDS; round++) {
        const unsigned largest = draw(256);
        const layer_kind k = {1 + draw(MOST_N), 8 + 2 * draw((MOST_M - 8) / 2 + 1), draw(257), -127, 127, 0,
                              (uint8_t)largest};
        compare(&k, number++);
    }
    rig_done(number);
    return 0;
}
