/* Bytes that came in while the main loop was at work, or asleep. */
#include "cortex-m.h"

static uint8_t ring[CORTEX_RING];
static volatile uint32_t head; /* where the interrupt puts the next byte */
static volatile uint32_t tail; /* where the main loop takes the next; equal: there is none */
static uint32_t idle;          /* looks in a row that found nothing */

/* More than any job has steps without a byte coming in: a save of 256 KB has 2,112. Asleep, each would wait
 * for the clock. */
#define IDLE_LOOKS 4096u

static uint32_t after(uint32_t at) {
    return at + 1 < CORTEX_RING ? at + 1 : 0;
}

void cortex_ring_put(uint8_t byte) {
    const uint32_t at = head, next = after(at);
    if (next == tail) return;
    ring[at] = byte;
    head = next;
}

/* With interrupts held off, one that comes before the processor sleeps still wakes it. */
static void doze(void) {
    __asm volatile("cpsid i" ::: "memory");
    if (head == tail) __asm volatile("wfi" ::: "memory");
    __asm volatile("cpsie i" ::: "memory");
}

uint32_t cortex_ring_take(uint8_t *to, uint32_t room) {
    uint32_t count = 0, at = tail;
    for (; count < room && at != head; at = after(at))
        to[count++] = ring[at];
    tail = at;
    if (count)
        idle = 0;
    else if (++idle > IDLE_LOOKS)
        doze();
    return count;
}

void cortex_ring_awake(void) {
    idle = 0;
}
