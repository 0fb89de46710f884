/* Where a sketch's image comes from, and where what was learned is kept: two slots in EEPROM on AVR;
 * elsewhere there is no store (SAVE is refused, and what was learned lives until the next reset). */
#ifndef GOODNESS_STORE_H
#define GOODNESS_STORE_H

#include "goodness_arduino.h"

#include "goodness_core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills in base, flash and keeps_store of *device. slot: `bytes` of program memory, on AVR below 32 KB; what
 * lies beyond is left out, and the device then has no model. */
void goodness_store(ff_device *device, const uint8_t *slot, ff_size bytes);

#ifdef __cplusplus
}
#endif

#endif
