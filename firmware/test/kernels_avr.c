/*
 * The kernels of AVR against the naive ones, on the processor itself. It ends in a loop; by then the low byte
 * of the cases that differ, at most 255, lies in GPIOR1, and DONE in GPIOR0.
 */
#include "ff_crc32.h"
#include "ff_math.h"
#include "kernels/ff_columns.h"
#include "naive_kernels.h"
#include <avr/io.h>
#include <string.h>

#define DONE 0xA5
#define ROUNDS 400u
#define MOST_INPUTS 12u
#define MOST_NEURONS 20u
#define GUARD 2u /* numbers around what a kernel may write */

static uint32_t state = 1;
static uint8_t wrong;

/* Half of the numbers are small, so that every length of them occurs. */
static uint32_t draw(void) {
    state = naive_xorshift32(state);
    return state & 32 ? state >> (state & 31) : state;
}

static void expect(uint8_t same) {
    if (!same && wrong < 255) wrong++;
}

static void products(void) {
    static int32_t got[GUARD + MOST_NEURONS + GUARD], want[GUARD + MOST_NEURONS + GUARD];
    static int8_t w[MOST_INPUTS * MOST_NEURONS];
    static uint8_t x[MOST_INPUTS];
    const uint16_t n = (uint16_t)(draw() % (MOST_INPUTS + 1)), m = (uint16_t)(1 + draw() % MOST_NEURONS);
    for (uint8_t j = 0; j < GUARD + MOST_NEURONS + GUARD; j++)
        got[j] = want[j] = (int32_t)draw() >> 4;
    for (uint8_t i = 0; i < sizeof w; i++)
        w[i] = (int8_t)draw();
    for (uint8_t i = 0; i < sizeof x; i++)
        x[i] = draw() & 1 ? (uint8_t)draw() : draw() & 1 ? 255 : 0;
    ff_columns_s8(got + GUARD, w, x, n, m);
    naive_columns_s8(want + GUARD, w, x, n, m);
    expect(!memcmp(got, want, sizeof got));
}

static void numbers(void) {
    uint32_t v = draw();
    expect(ff_isqrt(v) == naive_isqrt(v));
    const uint16_t root = (uint16_t)draw();
    v = (uint32_t)root * root;
    expect(ff_isqrt(v) == root && (root == 0 || ff_isqrt(v - 1) == root - 1));
    v = draw();
    expect(ff_xorshift32(v) == naive_xorshift32(v));
    for (uint8_t shift = 1; shift <= 24; shift++) {
        const int32_t term = (int32_t)draw() >> 4;
        const uint32_t dither = draw();
        expect(ff_dithered(term, dither, shift) == naive_dithered_of(term, dither, shift));
        expect(ff_dithered(-term, ~dither, shift) == naive_dithered_of(-term, ~dither, shift));
    }
}

static void checksums(void) {
    static uint8_t bytes[40];
    const uint32_t crc = draw();
    const uint16_t n = (uint16_t)(draw() % (sizeof bytes + 1));
    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)draw();
    expect(ff_crc32(crc, bytes, n) == naive_crc32(crc, bytes, n));
}

int main(void) {
    expect(ff_isqrt(UINT32_MAX) == 65535 && ff_isqrt(0) == 0);
    for (uint16_t round = 0; round < ROUNDS; round++) {
        products();
        numbers();
        checksums();
    }
    GPIOR1 = wrong;
    GPIOR0 = DONE;
    for (;;) {
    }
}
