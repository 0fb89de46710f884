#include "ff_kernels.h"

#if FF_LAYOUTS & 1 << 2
#include "ff_activate.h"
#include "ff_dsp.h"
#include "ff_run.h"

#define BLOCK 8u

/*
 * Sums of a word: A0 + 256 A1 and A2 + 256 A3, mod 2^32, and A0 + 65536 A2 in 64 bits.
 *
 * Sum of x <= 65,793 (= (2^24 - 1) / 255): A0 and A2 < 2^24, |A1| and |A3| < 2^23.
 */
typedef struct {
    uint32_t low, high, even[2];
} word_sums;

/* Blocks of neurons, and what goes through the list for each. */
typedef struct {
    const ff_entry *list;
    uint32_t skip; /* bytes of code that the first round of the unrolled loop leaves out */
    const uint8_t *w;
    uint32_t start; /* of the sums `low` and `high`; its lowest byte is 0 */
    const ff_entry *end;
    uint32_t bias;        /* what is taken off A0 and A2 */
    uint32_t shift[2];    /* from A0 to activities, and from 256 A1 */
    uint32_t most;        /* largest activity, in both halves */
    uint16_t *y;          /* where activities go; NULL: the sums of one block are kept */
    const uint8_t *w_end; /* behind the blocks */
    word_sums sums[2];
} pass;

#if FF_DSP
#define ENTRIES 8u
#define ENTRY_CODE 40u
#pragma GCC diagnostic ignored "-Wunused-parameter" /* what is written in assembler has no names */
FF_NAKED static void sum_blocks(pass *p) {
    /* in the loop r0: x, r1: list, r2, r12: words, r3: w, r4 to r11: sums, lr: end of the list */
#define WORD(w, a, b, c, d)                                                                                  \
    "smlabb " a ", " w ", r0, " a "\n smlatb " b ", " w ", r0, " b "\n"                                      \
    "uxtb16 " w ", " w "\n umlal " c ", " d ", " w ", r0\n"
    /* as solve() below; r0: bias, r1, r2: shift, r3: most */
#define ACTIVITIES(low, high, even0, even1)                                                                  \
    "lsrs r12, " even0 ", #16\n orr " even1 ", r12, " even1 ", lsl #16\n"                                    \
    "sub r12, " even1 ", " high "\n uxtb r12, r12\n sub " even1 ", " even1 ", r12\n"                         \
    "pkhbt " even0 ", " even0 ", r12, lsl #16\n"                                                             \
    "sub " low ", " low ", " even0 "\n sub " high ", " high ", " even1 "\n"                                  \
    "sub " even0 ", " even0 ", r0\n sub " even1 ", " even1 ", r0\n"                                          \
    "asr " low ", " low ", r2\n asr " high ", " high ", r2\n"                                                \
    "asr " even0 ", " even0 ", r1\n asr " even1 ", " even1 ", r1\n"                                          \
    "usat " low ", #16, " low "\n usat " high ", #16, " high "\n"                                            \
    "usat " even0 ", #16, " even0 "\n usat " even1 ", #16, " even1 "\n"                                      \
    "pkhbt " even0 ", " even0 ", " low ", lsl #16\n pkhbt " even1 ", " even1 ", " high ", lsl #16\n"         \
    "uqsub16 " low ", " even0 ", r3\n uqsub16 " high ", " even1 ", r3\n"                                     \
    "sub " low ", " even0 ", " low "\n sub " high ", " even1 ", " high "\n"
    __asm volatile(
        ".syntax unified\n"
        "push {r0, r4-r11, lr}\n"
        "1:\n"
        "ldmia r0, {r1-r4, lr}\n"
        "movs r6, #0\n mov r5, r4\n mov r7, r6\n mov r8, r4\n mov r9, r4\n mov r10, r6\n mov r11, r6\n"
        "add pc, r2\n"
        "nop\n"
        "2:\n"
        ".rept 8\n"
        "ldmia r1!, {r0, r2}\n"
        "add r3, r2\n"
        "ldmia r3!, {r2, r12}\n" WORD("r2", "r4", "r5", "r6", "r7")
            WORD("r12", "r8", "r9", "r10", "r11") ".endr\n"
                                                  "cmp r1, lr\n"
                                                  "bne 2b\n"
                                                  "ldr lr, [sp]\n"
                                                  "ldr r12, [lr, #36]\n" /* y */
                                                  "cmp r12, #0\n"
                                                  "bne 3f\n"
                                                  "add lr, #44\n"
                                                  "stmia lr, {r4-r11}\n"
                                                  "pop {r0, r4-r11, pc}\n"
                                                  "3:\n"
                                                  "add r0, lr, #20\n"
                                                  "ldmia r0, {r0-r3}\n" /* bias, shift, most */
        ACTIVITIES("r4", "r5", "r6", "r7")
            ACTIVITIES("r8", "r9", "r10", "r11") "ldr r3, [lr, #36]\n"
                                                 "stmia r3!, {r4, r5, r8, r9}\n"
                                                 "mov r0, lr\n"
                                                 "ldr r2, [r0, #8]\n" /* w */
                                                 "adds r2, #8\n"
                                                 "ldr r1, [r0, #40]\n" /* w_end */
                                                 "str r3, [r0, #36]\n"
                                                 "str r2, [r0, #8]\n"
                                                 "cmp r2, r1\n"
                                                 "bne 1b\n"
                                                 "pop {r0, r4-r11, pc}\n");
#undef ACTIVITIES
#undef WORD
}
#else
#define ENTRIES 1u
#define ENTRY_CODE 0u
#endif

/* The four sums of a word, the odd ones times 256, mod 2^32. `bias` is taken off the even ones; the odd ones
 * have in them what `start` gave. */
FF_INLINE void solve(uint32_t *a, const word_sums *sums, uint32_t bias) {
    const uint32_t upper = sums->even[0] >> 16 | sums->even[1] << 16; /* A2 + (A0 >> 16) */
    const uint32_t carry = (upper - sums->high) & 255; /* A0 >> 16: A2's low byte is that of `high` */
    const uint32_t a0 = (sums->even[0] & 0xFFFFu) | carry << 16, a2 = upper - carry;
    a[0] = a0 - bias;
    a[1] = sums->low - a0;
    a[2] = a2 - bias;
    a[3] = sums->high - a2;
}

#if !FF_DSP
static void add_column(word_sums *sums, uint32_t word, uint32_t x) {
    const uint64_t even = (uint64_t)ff_uxtb16(word) * x + sums->even[0] + ((uint64_t)sums->even[1] << 32);
    sums->low = ff_smlad(word & 0xFFFFu, x, sums->low);
    sums->high = ff_smlad(word >> 16, x, sums->high);
    sums->even[0] = (uint32_t)even;
    sums->even[1] = (uint32_t)(even >> 32);
}

static void sum_blocks(pass *p) {
    do {
        const uint8_t *w = p->w;
        for (unsigned k = 0; k < 2; k++) {
            p->sums[k].low = p->sums[k].high = p->start;
            p->sums[k].even[0] = p->sums[k].even[1] = 0;
        }
        for (const ff_entry *entry = p->list; entry != p->end; entry++) {
            w += entry->step;
            for (unsigned k = 0; k < 2; k++, w += 4)
                add_column(&p->sums[k], ff_at32(w), entry->x);
        }
        if (!p->y) return;
        for (unsigned k = 0; k < 2; k++, p->y += 4) {
            uint32_t a[4];
            solve(a, &p->sums[k], p->bias);
            for (unsigned i = 0; i < 4; i += 2)
                ff_set32((uint8_t *)(p->y + i), ff_two_activities((int32_t)a[i] >> p->shift[0],
                                                                  (int32_t)a[i + 1] >> p->shift[1], p->most));
        }
        p->w += BLOCK;
    } while (p->w != p->w_end);
}
#endif

static void list_inputs(pass *p, ff_run *run) {
    p->list = run->list;
    p->end = ff_list_inputs(run->list, run->room, &run->from, run->layer->m);
    p->skip = (uint32_t)(p->list - p->end) % ENTRIES * ENTRY_CODE;
    p->bias = 128 * run->from.sum;
}

/* One pass, to activities at once. |A1 + half| < 2^23: the shift is 16 at most. */
FF_INLINE void activate(pass *p, const ff_run *run) {
    const ff_layer *layer = run->layer;
    const unsigned m = layer->m;
    const uint32_t half = (uint32_t)ff_half(layer->output_shift);
    p->start = half << 8;
    p->bias -= half;
    p->shift[0] = layer->output_shift;
    p->shift[1] = layer->output_shift + 8u;
    p->most = layer->ymax * 0x10001u;
    p->w = run->w;
    p->w_end = p->w + (m & ~(BLOCK - 1));
    p->y = (uint16_t *)(void *)run->acc;
    sum_blocks(p);
    if (m % BLOCK == 0) return;
    /* the last block goes back over neurons that are done */
    p->w_end = run->w + m;
    p->w = p->w_end - BLOCK;
    p->y = (uint16_t *)(void *)run->acc + m - BLOCK;
    sum_blocks(p);
}

/* Adds one of several passes to the accumulators. */
static void accumulate(pass *p, const ff_run *run) {
    const unsigned m = run->layer->m;
    p->start = 0;
    p->y = 0;
    for (unsigned j = 0; j < m; j += BLOCK) {
        const unsigned back = j + BLOCK > m;
        p->w = run->w + j - 4 * back;
        sum_blocks(p);
        for (unsigned k = back; k < 2; k++) {
            int32_t *acc = run->acc + j + 4 * (k - back);
            uint32_t a[4];
            solve(a, &p->sums[k], p->bias);
            acc[0] += (int32_t)a[0];
            acc[1] += (int32_t)a[1] >> 8;
            acc[2] += (int32_t)a[2];
            acc[3] += (int32_t)a[3] >> 8;
        }
    }
}

void ff_singles(ff_run *run) {
    pass p;
    list_inputs(&p, run);
    if (run->layer->output_shift <= 16 && !ff_list_more(&run->from)) {
        activate(&p, run);
        return;
    }
    ff_clear(run->acc, 4 * (ff_size)run->layer->m);
    for (;; list_inputs(&p, run)) {
        accumulate(&p, run);
        if (!ff_list_more(&run->from)) break;
    }
    ff_activate(run->acc, run->layer);
}

#else
typedef int ff_no_singles; /* no translation unit may be empty */
#endif
