/* Status codes: one table for the enum and the texts (SPEC.md 9.5). */
#ifndef FF_STATUS_H
#define FF_STATUS_H

#include "ff_bytes.h"

#define FF_STATUS_TABLE(X)                                                                                   \
    X(OK, "done")                                                                                            \
    X(TRUNCATED, "fewer bytes than the header says")                                                         \
    X(MAGIC, "not an object of this kind")                                                                   \
    X(VERSION, "unknown format or protocol version")                                                         \
    X(CRC, "checksum does not fit")                                                                          \
    X(FIELD, "a field is out of its range")                                                                  \
    X(LIMIT, "more layers than this build holds")                                                            \
    X(ARENA, "does not fit the RAM")                                                                         \
    X(SLOT, "does not fit the flash slot")                                                                   \
    X(FLASH, "flash refused an erase or write")                                                              \
    X(NO_MODEL, "no model is loaded")                                                                        \
    X(LENGTH, "payload of a wrong length")                                                                   \
    X(LABEL, "label out of range")                                                                           \
    X(RANGE, "offset, region or layer out of range")                                                         \
    X(BASE, "patch for another base")                                                                        \
    X(TICKET, "patch for a pull that the device no longer remembers")                                        \
    X(NO_TRANSFER, "no transfer has begun, or it is not complete")                                           \
    X(NO_LEARN, "this model or build does not learn")                                                        \
    X(COMMAND, "unknown request")                                                                            \
    X(ARGUMENT, "argument not allowed")                                                                      \
    X(LAYOUT, "weights or inputs of a kind that this build can't work on")

typedef enum {
#define FF_STATUS_ENUM(name, text) FF_##name,
    FF_STATUS_TABLE(FF_STATUS_ENUM)
#undef FF_STATUS_ENUM
} ff_status;

/* Why a call failed, in the units that SPEC.md 9.5 gives for the code; zeros where it says nothing. */
typedef struct {
    uint32_t expected;
    uint32_t got;
} ff_fault;

/* Sets the fault and hands the code through: `return ff_fail(f, FF_LENGTH, 784, n);` */
ff_status ff_fail(ff_fault *f, ff_status code, ff_size expected, ff_size got);

/* The same for numbers that need all 32 bits in every build. */
#if FF_SMALL
ff_status ff_fail32(ff_fault *f, ff_status code, uint32_t expected, uint32_t got);
#else
#define ff_fail32 ff_fail
#endif

#endif
