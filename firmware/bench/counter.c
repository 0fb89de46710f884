#include "counter.h"
#include "semihosting.h"

#ifdef __aarch64__
/* Event 8 of the performance monitors: instructions retired (Armv8-A, D11). */
static void start(void) {
    __asm volatile("msr pmevtyper0_el0, %0\n msr pmcntenset_el0, %1\n msr pmcr_el0, %1\n isb" ::"r"(8ul),
                   "r"(1ul));
}

uint64_t counter_now(void) {
    uint64_t count;
    __asm volatile("isb\n mrs %0, pmevcntr0_el0" : "=r"(count)::"memory");
    return count;
}
#else
/*
 * An instruction takes a nanosecond of the emulator's time, and SysTick goes at the board's clock: one tick
 * in 1000 / COUNTER_MEGAHERTZ instructions. It has 24 bits.
 */
#define SYSTICK(offset) (*(volatile uint32_t *)(0xE000E010u + (offset)))
#define MOST 0xFFFFFFu

static uint32_t last;
static uint64_t ticks;

static void start(void) {
    SYSTICK(4) = MOST;
    SYSTICK(8) = 0;
    SYSTICK(0) = 5; /* on, the processor's clock, no interrupt */
    last = SYSTICK(8);
}

uint64_t counter_now(void) {
    const uint32_t at = SYSTICK(8);
    ticks += (last - at) & MOST;
    last = at;
    return ticks * 1000u / COUNTER_MEGAHERTZ;
}
#endif

/* 2 * 100,000 instructions. */
static void known_loop(void) {
    uintptr_t rounds = 100000;
#ifdef __aarch64__
    __asm volatile("1: subs %0, %0, #1\n b.ne 1b" : "+r"(rounds)::"cc");
#else
    __asm volatile(".syntax unified\n1: subs %0, #1\n bne 1b" : "+l"(rounds)::"cc");
#endif
}

void counter_start(void) {
    start();
    const uint64_t from = counter_now();
    known_loop();
    const uint64_t took = counter_now() - from;
    if (took < 199900 || took > 200200) host_fail("the emulator does not count instructions as expected");
}
