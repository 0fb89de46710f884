#include "ff_kernels.h"

#if FF_LAYOUTS & 1 << 3
#include "ff_activate.h"
#include "ff_run.h"

#define BLOCK 8u

/*
 * Sums of a word W over all inputs, mod 2^32: of the upper half of W times x, of W's bytes in reverse order
 * times x, of W x.
 *
 * Sum of x <= 65,537 (= (2^32 - 1) / (255 * 257)): all A < 2^24, and A2 + 256 A3 < 2^32.
 */
typedef struct {
    uint32_t upper, reverse, whole;
} word_sums;

/* What goes through the list for a block of neurons. */
typedef struct {
    const ff_entry *list;
    uint32_t skip; /* bytes of code that the first round of the unrolled loop leaves out */
    const ff_entry *end;
    word_sums sums[2];
} pass;

#if defined(__ARM_ARCH_6M__)
#define ENTRIES 8u /* taken two by two: 74 bytes of code */
#define ENTRY_CODE 37u
#pragma GCC diagnostic ignored "-Wunused-parameter" /* what is written in assembler has no names */
__attribute__((naked, noinline)) static void sum_block(pass *p, const uint8_t *w) {
    /* r0: list, r1, r6: x, r2, r3: words, r4: w, r5: product, r7: step; r8 to r12, lr: sums */
#define WORD(w, x, a, b, c)                                                                                  \
    "lsrs r5, " w ", #16\n muls r5, " x "\n add " a ", r5\n"                                                 \
    "rev r5, " w "\n muls r5, " x "\n add " b ", r5\n"                                                       \
    "muls " w ", " x "\n add " c ", " w "\n"
#define ENTRY(x, step)                                                                                       \
    "adds r4, " step "\n ldmia r4!, {r2, r3}\n" WORD("r2", x, "r8", "r9", "r10")                             \
        WORD("r3", x, "r11", "r12", "lr")
    __asm volatile(
        ".syntax unified\n"
        "push {r0, r4-r7, lr}\n"
        "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
        "push {r4-r7}\n"
        "ldmia r0!, {r2, r3, r5}\n"
        "mov r4, r1\n"
        "mov r0, r2\n"
        "push {r5}\n"
        "movs r5, #0\n mov r8, r5\n mov r9, r5\n mov r10, r5\n mov r11, r5\n mov r12, r5\n mov lr, r5\n"
        "add pc, r3\n"
        "nop\n"
        "1:\n"
        ".rept 4\n"
        "ldmia r0!, {r1, r2, r6, r7}\n" ENTRY("r1", "r2") ENTRY(
            "r6", "r7") ".endr\n"
                        "ldr r5, [sp]\n"
                        "cmp r0, r5\n"
                        "beq 2f\n"
                        "b 1b\n"
                        "2:\n"
                        "ldr r0, [sp, #20]\n"
                        "adds r0, #12\n"
                        "mov r2, r8\n mov r3, r9\n mov r4, r10\n mov r5, r11\n mov r6, r12\n mov r7, lr\n"
                        "stmia r0!, {r2-r7}\n"
                        "pop {r3-r7}\n"
                        "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
                        "pop {r0, r4-r7, pc}\n");
#undef ENTRY
#undef WORD
}
#else
#define ENTRIES 2u
#define ENTRY_CODE 0u
static uint32_t reversed(uint32_t v) {
    return v << 24 | (v << 8 & 0xFF0000u) | (v >> 8 & 0xFF00u) | v >> 24;
}

static void sum_block(pass *p, const uint8_t *w) {
    for (unsigned k = 0; k < 2; k++)
        p->sums[k].whole = p->sums[k].upper = p->sums[k].reverse = 0;
    for (const ff_entry *entry = p->list; entry != p->end; entry++) {
        w += entry->step;
        for (unsigned k = 0; k < 2; k++, w += 4) {
            const uint32_t word = ff_at32(w);
            p->sums[k].whole += word * entry->x;
            p->sums[k].upper += (word >> 16) * entry->x;
            p->sums[k].reverse += reversed(word) * entry->x;
        }
    }
}
#endif

static void list_inputs(pass *p, ff_run *run) {
    ff_entry *end = ff_list_inputs(run->list, run->room, &run->from, run->layer->m);
    if ((end - run->list) & 1) { /* entries are taken two by two */
        end->x = 0;
        end->step = 0;
        end++;
    }
    p->list = run->list;
    p->end = end;
    p->skip = (uint32_t)(p->list - p->end) % ENTRIES * ENTRY_CODE;
}

/*
 * The four sums of a word, without the bias. In `rest` stays A3 + 65536 (A1 - A3) mod 2^32, so A3 mod 65536;
 * and A3 lies less than 65536 below (A2 + 256 A3) >> 8. The same for A1.
 */
FF_INLINE void solve(uint32_t *a, const word_sums *sums, uint32_t bias) {
    const uint32_t upper = sums->upper, lower = sums->whole - (upper << 16); /* A2 + 256 A3, A0 + 256 A1 */
    const uint32_t rest = sums->reverse - (upper << 8) - (lower << 24);
    const uint32_t a3 = (upper >> 8) - (uint16_t)((upper >> 8) - rest);
    const uint32_t a1 = (lower >> 8) - (uint16_t)((lower >> 8) - ((rest - a3) >> 16) - a3);
    a[0] = lower - (a1 << 8) - bias;
    a[1] = a1 - bias;
    a[2] = upper - (a3 << 8) - bias;
    a[3] = a3 - bias;
}

/* One pass: to activities at once if it is the only one, else added to the accumulators. bias: what is taken
 * off each sum. */
static void sum_all(pass *p, const ff_run *run, uint32_t bias, uint8_t only) {
    const unsigned m = run->layer->m;
    const uint8_t s = run->layer->output_shift;
    const uint16_t most = run->layer->ymax;
    for (unsigned j = 0; j < m; j += BLOCK) {
        const unsigned back = j + BLOCK > m; /* the last block goes back over neurons that are done */
        sum_block(p, run->w + j - 4 * back);
        for (unsigned k = back; k < 2; k++) {
            const unsigned at = j + 4 * (k - back);
            int32_t *acc = run->acc + at;
            uint16_t *y = (uint16_t *)(void *)run->acc + at;
            uint32_t a[4];
            solve(a, &p->sums[k], bias);
            for (unsigned i = 0; i < 4; i++) {
                if (only)
                    y[i] = (uint16_t)ff_one_activity((int32_t)a[i] >> s, most);
                else
                    acc[i] += (int32_t)a[i];
            }
        }
    }
}

void ff_chain(ff_run *run) {
    pass p;
    list_inputs(&p, run);
    if (!ff_list_more(&run->from)) {
        sum_all(&p, run, 128 * run->from.sum - (uint32_t)ff_half(run->layer->output_shift), 1);
        return;
    }
    ff_clear(run->acc, 4 * (ff_size)run->layer->m);
    for (;; list_inputs(&p, run)) {
        sum_all(&p, run, 128 * run->from.sum, 0);
        if (!ff_list_more(&run->from)) break;
    }
    ff_activate(run->acc, run->layer);
}

#else
typedef int ff_no_chain; /* no translation unit may be empty */
#endif
