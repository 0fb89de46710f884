#include "ff_kernels.h"

#if FF_LAYOUTS & 1 << 1
#include "ff_activate.h"
#include "ff_dsp.h"
#include "ff_run.h"

#define BLOCK 8u

/*
 * Blocks of neurons, and what goes through the list for each: sums of its words, A + 256 B and A, mod 2^32,
 * that start with `start`.
 *
 * Sum of x <= 65,793 (= (2^24 - 1) / 255): A < 2^24, and |B| < 2^23.
 */
typedef struct {
    const ff_entry *list;
    uint32_t skip; /* bytes of code that the first round of the unrolled loop leaves out */
    const uint8_t *w;
    uint32_t start[2];
    const ff_entry *end;
    uint16_t *y;          /* where activities go; NULL: the sums of one block are kept */
    const uint8_t *w_end; /* behind the blocks */
    uint32_t shift[2];    /* from A to activities, and from 256 B */
    uint32_t most;        /* largest activity, in both halves */
    uint32_t sums[BLOCK];
} pass;

#if FF_DSP
#define ENTRIES 8u
#define ENTRY_CODE 60u
#pragma GCC diagnostic ignored "-Wunused-parameter" /* what is written in assembler has no names */
FF_NAKED static void sum_blocks(pass *p) {
    /* in the loop r0: x, r1: list, r2, r12: words, r3: w, r4 to r11: sums, lr: end of the list */
#define TWO_WORDS(a, b, c, d)                                                                                \
    "ldmia r3!, {r2, r12}\n smlad " a ", r2, r0, " a "\n uxtb16 r2, r2\n smlad " b ", r2, r0, " b "\n"       \
    "smlad " c ", r12, r0, " c "\n uxtb16 r12, r12\n smlad " d ", r12, r0, " d "\n"
#define ACTIVITIES(a, b)                                                                                     \
    "subs " a ", " a ", " b "\n asr " a ", " a ", r2\n asr " b ", " b ", r1\n"                               \
    "usat " a ", #16, " a "\n usat " b ", #16, " b "\n pkhbt " b ", " b ", " a ", lsl #16\n"                 \
    "uqsub16 " a ", " b ", r12\n sub " a ", " b ", " a "\n"
    __asm volatile(".syntax unified\n"
                   "push {r0, r4-r11, lr}\n"
                   "1:\n"
                   "ldmia r0, {r1-r5, lr}\n"
                   "mov r6, r4\n mov r7, r5\n mov r8, r4\n mov r9, r5\n mov r10, r4\n mov r11, r5\n"
                   "add pc, r2\n"
                   "nop\n"
                   "2:\n"
                   ".rept 8\n"
                   "ldmia r1!, {r0, r2}\n"
                   "add r3, r2\n" TWO_WORDS("r4", "r5", "r6", "r7")
                       TWO_WORDS("r8", "r9", "r10", "r11") ".endr\n"
                                                           "cmp r1, lr\n"
                                                           "bne 2b\n"
                                                           "ldr r0, [sp]\n"
                                                           "ldr r3, [r0, #24]\n" /* y */
                                                           "cbnz r3, 3f\n"
                                                           "adds r0, #44\n"
                                                           "stmia r0, {r4-r11}\n"
                                                           "pop {r0, r4-r11, pc}\n"
                                                           "3:\n"
                                                           "ldrd r1, r2, [r0, #32]\n" /* shift */
                                                           "ldr r12, [r0, #40]\n"     /* most */
                   ACTIVITIES("r4", "r5") ACTIVITIES("r6", "r7") ACTIVITIES("r8", "r9")
                       ACTIVITIES("r10", "r11") "stmia r3!, {r4, r6, r8, r10}\n"
                                                "ldr r2, [r0, #8]\n" /* w */
                                                "adds r2, #16\n"
                                                "ldr r1, [r0, #28]\n" /* w_end */
                                                "str r3, [r0, #24]\n"
                                                "str r2, [r0, #8]\n"
                                                "cmp r2, r1\n"
                                                "bne 1b\n"
                                                "pop {r0, r4-r11, pc}\n");
#undef ACTIVITIES
#undef TWO_WORDS
}
#else
#define ENTRIES 1u
#define ENTRY_CODE 0u
static void sum_blocks(pass *p) {
    do {
        const uint8_t *w = p->w;
        for (unsigned k = 0; k < BLOCK; k++)
            p->sums[k] = p->start[k & 1];
        for (const ff_entry *entry = p->list; entry != p->end; entry++) {
            w += entry->step;
            for (unsigned k = 0; k < BLOCK; k += 2, w += 4) {
                const uint32_t word = ff_at32(w);
                p->sums[k] = ff_smlad(word, entry->x, p->sums[k]);
                p->sums[k + 1] = ff_smlad(ff_uxtb16(word), entry->x, p->sums[k + 1]);
            }
        }
        if (!p->y) return;
        for (unsigned k = 0; k < BLOCK; k += 2, p->y += 2)
            ff_set32((uint8_t *)p->y,
                     ff_two_activities((int32_t)p->sums[k + 1] >> p->shift[0],
                                       (int32_t)(p->sums[k] - p->sums[k + 1]) >> p->shift[1], p->most));
        p->w += 2 * BLOCK;
    } while (p->w != p->w_end);
}
#endif

static void list_inputs(pass *p, ff_run *run) {
    p->list = run->list;
    p->end = ff_list_pairs(run->list, run->room, &run->from, run->layer->m);
    p->skip = (uint32_t)(p->list - p->end) % ENTRIES * ENTRY_CODE;
}

/* Sums start with `half` for each neuron, less what the bias will add. */
FF_INLINE void start_sums(pass *p, const ff_run *run, int32_t half) {
    p->start[1] = (uint32_t)half - 128 * run->from.sum;
    p->start[0] = p->start[1] + 256 * (uint32_t)half;
}

/* One pass, to activities at once. |B + half| < 2^23: the shift is 16 at most. */
FF_INLINE void activate(pass *p, const ff_run *run) {
    const ff_layer *layer = run->layer;
    const unsigned m = layer->m;
    start_sums(p, run, ff_half(layer->output_shift));
    p->shift[0] = layer->output_shift;
    p->shift[1] = layer->output_shift + 8u;
    p->most = layer->ymax * 0x10001u;
    p->w = run->w;
    p->w_end = p->w + 2 * (m & ~(BLOCK - 1));
    p->y = (uint16_t *)(void *)run->acc;
    sum_blocks(p);
    if (m % BLOCK == 0) return;
    /* the last block goes back over neurons that are done */
    p->w_end = run->w + 2 * m;
    p->w = p->w_end - 2 * BLOCK;
    p->y = (uint16_t *)(void *)run->acc + m - BLOCK;
    sum_blocks(p);
}

/* Adds one of several passes to the accumulators. */
static void accumulate(pass *p, const ff_run *run) {
    const unsigned m = run->layer->m;
    start_sums(p, run, 0);
    p->y = 0;
    for (unsigned j = 0; j < m; j += BLOCK) {
        const unsigned at = j + BLOCK > m ? m - BLOCK : j;
        p->w = run->w + 2 * at;
        sum_blocks(p);
        for (unsigned k = j - at; k < BLOCK; k += 2) {
            run->acc[at + k] += (int32_t)p->sums[k + 1];
            run->acc[at + k + 1] += (int32_t)(p->sums[k] - p->sums[k + 1]) >> 8;
        }
    }
}

void ff_pairs(ff_run *run) {
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
typedef int ff_no_pairs; /* no translation unit may be empty */
#endif
