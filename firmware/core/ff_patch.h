/* Patches (SPEC.md 7): what the host's negative phase sends down. */
#ifndef FF_PATCH_H
#define FF_PATCH_H

#include "ff_model.h"

/*
 * Checks a whole patch of `bytes` bytes against a model bound for learning and against the ticket of the last
 * pull (0 = none: refused), and only then applies it: weights are added and clamped, parts of the state
 * replaced. All or nothing.
 */
ff_status ff_patch_apply(ff_model *model, ff_rom patch, ff_size bytes, uint32_t ticket, ff_fault *fault);

#endif
