/*
 * Fuzzes image and patch validation, and what runs on whatever passes it. The input is a list of changes to a
 * valid object, whose length and CRC are then made right, so that the checks behind the CRC are reached; an
 * input that starts with 0 is taken as the object itself.
 */
#include "ff_bytes.h"
#include "goodness.h"
#include "sample_image.h"
#include <stdlib.h>
#include <string.h>

static void use(const uint8_t *image, uint32_t bytes) {
    ff_model model;
    ff_fault fault;
    ff_ram ram;
    ff_result result;
    if (ff_model_open(&model, image, bytes, &fault) != FF_OK) return;
    for (int learning = 0; learning < 2; learning++) {
        uint32_t need = ff_model_ram(&model, learning, &ram);
        uint8_t *arena = malloc(need ? need : 4); /* of exactly the size that was asked for */
        uint8_t *x = malloc(model.raw);
        if (!arena || !x) abort();
        if (ff_model_bind(&model, learning, arena, need - 1, &fault) != FF_ARENA) abort();
        if (ff_model_bind(&model, learning, arena, need, &fault) != FF_OK) abort();
        for (int k = 0; k < 4; k++) {
            for (uint32_t i = 0; i < model.raw; i++)
                x[i] = (uint8_t)(k == 3 ? 255 : (i * 37 + (uint32_t)k * 91));
            ff_infer(&model, x, FF_NO_LABEL, &result);
            if (ff_learn(&model, x, (uint8_t)(k % model.classes), &result) == FF_OK && !model.learning)
                abort();
            if (!ff_hands_on(&model)) continue;
            const uint32_t onward = 4u * model.classes + model.layer[model.layers - 1].m;
            uint8_t *to = malloc(onward);
            if (!to || ff_onward(&model, to) != onward) abort();
            free(to);
        }
        uint8_t *copy = malloc(bytes);
        if (!copy) abort();
        ff_model_read(&model, 0, copy, bytes);
        free(copy);
        free(x);
        free(arena);
        ff_model_open(&model, image, bytes, &fault);
    }
}

static void use_patch(const uint8_t *patch, uint32_t count, uint8_t bits) {
    uint32_t words[SAMPLE_MOST / 4], arena[1024];
    uint8_t *image = (uint8_t *)words;
    ff_model model;
    ff_fault fault;
    uint32_t length = sample_image(image, 0, 0, bits);
    if (ff_model_open(&model, image, length, &fault) != FF_OK) abort();
    if (ff_model_bind(&model, 1, arena, sizeof arena, &fault) != FF_OK) abort();
    if (ff_patch_apply(&model, patch, count, 77, &fault) == FF_OK &&
        ff_state_check(model.state, model.layers, 0, &fault) != FF_OK)
        abort(); /* whatever is applied leaves a valid state */
}

/* state: where it lies in the image. */
static uint32_t sample_patch(uint8_t *to, uint32_t state) {
    memset(to, 0, SAMPLE_MOST);
    memcpy(to, "FFP1", 4);
    ff_put16(to + 4, 2);
    ff_put16(to + 6, 32);
    ff_put32(to + 16, 0xABCD);
    ff_put32(to + 20, 0xABCE);
    ff_put32(to + 24, 77);
    ff_put32(to + 28, 2);
    ff_put32(to + 36, 36); /* weights of layer 0 */
    to[40] = 1;
    memset(to + 44, 200, 36);
    ff_put32(to + 80, state + 36); /* a piece of the state */
    ff_put32(to + 84, 8);
    ff_put16(to + 92, 100);
    to[96] = 51;
    to[97] = 8;
    sample_seal(to, 100);
    return 100;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t words[1024] = {0};
    uint8_t *object = (uint8_t *)words;
    if (size < 2 || size > sizeof words) return 0;
    if (data[0] == 0) {
        uint32_t *copy = malloc(size - 1); /* malloc aligns, and AddressSanitizer guards the end */
        if (!copy) abort();
        memcpy(copy, data + 1, size - 1);
        use((const uint8_t *)copy, (uint32_t)size - 1);
        use_patch((const uint8_t *)copy, (uint32_t)size - 1, data[1] & 1 ? 4 : 8);
        free(copy);
        return 0;
    }
    static const uint8_t BITS[4] = {8, 4, 3, 2};
    const uint8_t bits = BITS[data[0] >> 4 & 3];
    const int patch = data[0] & 1;
    uint32_t bytes = sample_image(object, (data[0] >> 1) & !patch, (data[0] >> 2) & !patch, bits);
    if (patch)
        bytes = sample_patch(object, ff_get32(object + 32));
    else if (!(data[0] & 6))
        sample_stage(object, bytes, data[0] >> 6);
    if (data[0] & 8) bytes = bytes - (data[1] % (bytes - 16));
    for (size_t i = 2; i + 2 < size; i += 3)
        object[ff_get16(data + i) % bytes] = data[i + 2];
    sample_seal(object, bytes);
    uint32_t *exact = malloc(bytes);
    if (!exact) abort();
    memcpy(exact, object, bytes);
    if (patch)
        use_patch((const uint8_t *)exact, bytes, bits);
    else
        use((const uint8_t *)exact, bytes);
    free(exact);
    return 0;
}
