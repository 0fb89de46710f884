/* What a program in an emulator may ask its host for: files, text, an end (Arm, "Semihosting for AArch32 and
 * AArch64"). */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

/* Reads the whole file into `to`; returns its bytes. Ends the program if it isn't there or is larger than
 * `room`. */
uint32_t host_read(const char *name, void *to, uint32_t room);

/* Writes one line of JSON per number: {"name": name, "value": value}. */
void host_number(const char *name, uint64_t value);

/* Ends the emulator; status 0 is success. */
__attribute__((noreturn)) void host_exit(int status);

/* Ends the emulator with a text on its standard error. */
__attribute__((noreturn)) void host_fail(const char *why);

#endif
