/* The whole core in one header. See SPEC.md for the bytes, and each header for its contract. */
#ifndef GOODNESS_H
#define GOODNESS_H

#include "ff_device.h"
#include "ff_infer.h"
#include "ff_learn.h"
#include "ff_link.h"
#include "ff_model.h"
#include "ff_patch.h"
#include "ff_rom.h"
#include "ff_statistics.h"
#include "ff_store.h"

#endif
