/* What a program links that only infers, from an image in its own flash. Compiled, not run. */
#include "goodness.h"

ff_model size_model;
ff_result size_result;
volatile uint8_t size_port;

#if FF_ROM_FAR
#define IMAGE 0x4000u
void ff_rom_read(void *to, ff_rom at, ff_size count) {
    uint8_t *byte = to;
    while (count--)
        *byte++ = (uint8_t)(size_port + at++);
}
#else
static uint32_t image[256];
#define IMAGE (const uint8_t *)image
#endif

void size_entry(void);
void size_entry(void) {
    static uint32_t arena[64];
    static uint8_t x[64];
    ff_fault fault;
    if (ff_model_open(&size_model, IMAGE, 1024, &fault) != FF_OK) return;
    if (ff_model_bind(&size_model, 0, arena, sizeof arena, &fault) != FF_OK) return;
    for (;;) {
        x[0] = size_port;
        ff_infer(&size_model, x, FF_NO_LABEL, &size_result);
    }
}
