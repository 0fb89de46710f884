/* What a program links that only infers, from an image in its own flash. Compiled, not run. */
#include "goodness.h"

ff_model size_model;
ff_result size_result;

void size_entry(void);
void size_entry(void) {
    static uint32_t image[256], arena[256];
    static uint8_t x[64];
    ff_fault fault;
    if (ff_model_open(&size_model, (const uint8_t *)image, sizeof image, &fault) != FF_OK) return;
    if (ff_model_bind(&size_model, 0, arena, sizeof arena, &fault) != FF_OK) return;
    for (;;)
        ff_infer(&size_model, x, FF_NO_LABEL, &size_result);
}
