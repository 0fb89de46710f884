/*
 * Instructions that the processor has executed, in QEMU with -icount shift=0: the same on every run and
 * machine.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdint.h>

/* Starts to count; ends the program if the emulator doesn't count as it should. */
void counter_start(void);

/* Instructions since any moment: differences of two values count, up to half a second of the emulator's time
 * (500 million). */
uint64_t counter_now(void);

#endif
