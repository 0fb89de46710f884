/* A build with -DFF_LEARN=0, linked without ff_learn.c and ff_patch.c: it infers, and says that it doesn't
 * learn. */
#include "ff_bytes.h"
#include "rig.h"
#include "sample_image.h"
#include <stdio.h>
#include <string.h>

int main(void) {
    static uint32_t words[SAMPLE_MOST / 4];
    uint8_t *image = (uint8_t *)words, hello[RIG_PAYLOAD], sample[5 + SAMPLE_RAW] = {0}, patch[68] = {0};
    const uint32_t bytes = sample_image(image, 0, 0, 8);
    memset(rig_flash, 0xFF, 2 * RIG_SLOT);
    rig_boot();
    int transfer = rig_transfer(&rig_link[0], FF_KIND_IMAGE, image, bytes);
    int answered = rig_hello(&rig_link[0], hello);
    sample[0] = FF_NO_LABEL;
    int infer = rig_request(&rig_link[0], RIG_INFER, sample, 1 + SAMPLE_RAW, 0);
    sample[0] = 0;
    int learn = rig_request(&rig_link[0], RIG_LEARN, sample, 5 + SAMPLE_RAW, 0);
    int patched = rig_transfer(&rig_link[0], FF_KIND_PATCH, patch, sizeof patch);
    int save = rig_request(&rig_link[0], RIG_SAVE, 0, 0, 0);
    printf("transfer %d, hello %d, learns %d, infer %d, learn %d, patch %d, save %d\n", transfer, answered,
           hello[4] & 1, infer, learn, patched, save);
    return transfer || answered || (hello[4] & 1) || infer || save || learn != FF_NO_LEARN ||
           patched != FF_NO_LEARN;
}
