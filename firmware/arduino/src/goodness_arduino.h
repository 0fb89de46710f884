/* How the core is built as an Arduino library: each of its headers includes this first. The image always
 * comes with the sketch; what was learned is kept apart from it (SPEC.md 8.1), in EEPROM on AVR. */
#ifndef GOODNESS_ARDUINO_H
#define GOODNESS_ARDUINO_H

#define FF_RECORDS 1
#define FF_TRUST_IMAGE 1
#ifdef __AVR__
#include <avr/io.h>
#define FF_ROM_FAR 1
#define FF_SMALL 1
#define FF_STEP_BYTES 32
#ifndef FF_MAX_LAYERS
#if RAMEND < 0x1000
#define FF_MAX_LAYERS 2 /* each takes RAM in any case */
#else
#define FF_MAX_LAYERS 4
#endif
#endif
#endif

#endif
