/*
 * The kernels of this build against the naive ones, byte for byte: random shapes with every remainder of the
 * vectors, and the bounds. check_kernels() returns how many cases differ.
 */
#include "kernels.h"
#include "ff_math.h"
#include "kernels/ff_columns.h"
#include "kernels/ff_kernels.h"
#include "naive_kernels.h"
#include <string.h>

#define GUARD 8u /* numbers around what a kernel may write */

static int32_t got[GUARD + 4096 + GUARD], want[GUARD + 4096 + GUARD];
static uint32_t state;

uint32_t kernels_draw(uint32_t below) {
    state = ff_xorshift32(state);
    return (uint32_t)((uint64_t)state * below >> 32);
}

/* Most columns are 0, as many as `percent` says are not. */
static void draw_inputs(uint8_t *x, uint32_t n, uint32_t percent) {
    for (uint32_t i = 0; i < n; i++)
        x[i] = (uint8_t)(kernels_draw(100) < percent ? 1 + kernels_draw(255) : 0);
}

static void draw_weights(int8_t *w, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        w[i] = (int8_t)((int)kernels_draw(255) - 127);
}

/* nibbles: two weights in a byte. */
static int product_differs(const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m, uint32_t start,
                           int nibbles) {
    for (uint32_t j = 0; j < GUARD + m + GUARD; j++)
        got[j] = want[j] = (int32_t)kernels_draw(2 * start + 1) - (int32_t)start;
    (nibbles ? naive_columns_s4 : naive_columns_s8)(want + GUARD, w, x, n, m);
    (nibbles ? ff_columns_s4 : ff_columns_s8)(got + GUARD, w, x, n, m);
    return memcmp(got, want, (GUARD + m + GUARD) * sizeof *got) != 0;
}

/* Random shapes, densities, alignments and sums to begin with. */
static uint32_t random_products(uint8_t *memory, uint32_t rounds) {
    uint32_t wrong = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        const uint16_t n = (uint16_t)(1 + kernels_draw(round % 8 ? 60 : 800)),
                       m = (uint16_t)(1 + kernels_draw(round % 4 ? 140 : 20));
        uint8_t *x = memory + kernels_draw(16);
        int8_t *w = (int8_t *)x + n + kernels_draw(16);
        draw_inputs(x, n, round % 5 * 25);
        draw_weights(w, (uint32_t)n * m);
        wrong += (uint32_t)product_differs(w, x, n, m, 1u << 24, 0);
        wrong += (uint32_t)product_differs(w, x, n, m, 1u << 24, 1);
    }
    return wrong;
}

/* As many inputs as there can be, each as large as it can be, at the largest weights. */
static uint32_t largest_products(uint8_t *memory) {
    enum { N = 65535, M = 19 };
    static const int8_t WEIGHTS[] = {127, -127, -128, 1, 0x77, (int8_t)0x88, (int8_t)0x99};
    int8_t *w = (int8_t *)memory + N;
    uint32_t wrong = 0;
    memset(memory, 255, N);
    for (uint32_t k = 0; k < sizeof WEIGHTS; k++) {
        memset(w, WEIGHTS[k], (size_t)N * M);
        wrong += (uint32_t)product_differs(w, memory, N, M, 0, 0);
        wrong += (uint32_t)product_differs(w, memory, N, M, 0, 1);
    }
    for (uint32_t i = 0; i < (uint32_t)N * M; i++)
        w[i] = (int8_t)((i / M + i) & 1 ? 127 : -127);
    wrong += (uint32_t)product_differs(w, memory, N, M, 0, 0);
    for (uint32_t i = 0; i < N; i++)
        memory[i] = (uint8_t)(i & 1 ? 255 : 0);
    wrong += (uint32_t)product_differs(w, memory, N, M, 0, 0);
    /* as many neurons as there can be */
    draw_inputs(memory, 200, 50);
    draw_weights(w, 200 * 4096);
    wrong += (uint32_t)product_differs(w, memory, 200, 4096, 1, 1);
    return wrong + (uint32_t)product_differs(w, memory, 200, 4096, 1, 0);
}

uint32_t check_kernels(uint32_t seed, uint8_t *memory) {
    state = seed;
    return random_products(memory, 400) + largest_products(memory) + check_layer_kernels(memory);
}
