/*
 * A device that two programs talk to, or one that leaves, forgets, repeats itself, or comes at the wrong
 * time: nobody waits for ever, no answer is given to the wrong one, and no model is lost.
 */
#include "ff_bytes.h"
#include "rig.h"
#include "sample_image.h"
#include <stdio.h>
#include <string.h>

static uint32_t words_a[SAMPLE_MOST / 4], words_b[SAMPLE_MOST / 4];
static uint8_t *const a = (uint8_t *)words_a, *const b = (uint8_t *)words_b;
static uint32_t bytes;
static ff_link *const left = &rig_link[0], *const right = &rig_link[1];
static const uint8_t X[SAMPLE_RAW] = {200, 10, 90, 40, 0, 255};
static int failures;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%s, line %d: not so: %s\n", __func__, __LINE__, #condition);                             \
            failures++;                                                                                      \
        }                                                                                                    \
    } while (0)

static int holds(const uint8_t *model) {
    uint8_t now[SAMPLE_MOST];
    return rig_read(right, now, sizeof now) == bytes && memcmp(now, model, bytes) == 0;
}

/* An empty device that got model a. */
static void fresh(void) {
    memset(rig_flash, 0xFF, 2 * RIG_SLOT);
    rig_boot();
    CHECK(rig_transfer(left, FF_KIND_IMAGE, a, bytes) == FF_OK);
}

static void a_lost_client_blocks_nobody(void) {
    fresh();
    rig_send(left, RIG_SAVE, 0, 0);
    ff_link_step(left); /* and never again */
    CHECK(rig_device.job == FF_JOB_SAVE);
    CHECK(rig_hello(right, 0) == FF_OK);
    CHECK(rig_boot() == FF_OK && rig_device.store.sequence == 2); /* the save came to its end all the same */
}

static void a_link_that_starts_again_gets_its_own_answers(void) {
    uint8_t *buffer = rig_link[0].decoder.buffer - 2;
    fresh();
    rig_send(left, RIG_SAVE, 0, 0);
    ff_link_step(left);
    ff_link_start(left, &rig_device, buffer, RIG_PAYLOAD);
    CHECK(rig_hello(left, 0) == FF_OK);
    CHECK(rig_device.job == FF_JOB_NONE);
    CHECK(holds(a));
}

static void a_commit_belongs_to_the_link_that_began(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, a, bytes, 0) == FF_OK);
    CHECK(rig_write(left, a, 0, 100) == FF_OK);
    CHECK(rig_begin(right, FF_KIND_IMAGE, b, bytes, answer) == FF_OK);
    CHECK(ff_get32(answer) == 0);
    CHECK(rig_write(left, a, 100, bytes) == FF_NO_TRANSFER);
    CHECK(rig_request(left, RIG_ABORT, 0, 0, 0) == FF_OK); /* not theirs: it ends nothing */
    CHECK(rig_write(right, b, 0, bytes) == FF_OK);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_NO_TRANSFER);
    CHECK(rig_request(right, RIG_COMMIT, 0, 0, 0) == FF_OK);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_NO_TRANSFER);
    CHECK(rig_request(right, RIG_COMMIT, 0, 0, 0) == FF_OK); /* asked again, its answer may have been lost */
    CHECK(holds(b));
}

static void a_save_sees_no_learning(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    rig_send(right, RIG_SAVE, 0, 0);
    int status = RIG_NO_ANSWER;
    for (uint8_t i = 0; i < 200 && status == RIG_NO_ANSWER; i++) {
        status = rig_answer(right, 1, answer);
        CHECK(ff_device_learn(&rig_device, X, i % SAMPLE_CLASSES) == FF_OK);
    }
    CHECK(status == FF_OK && ff_get32(answer) == 2);
    CHECK(rig_boot() == FF_OK && rig_device.store.sequence == 2);
}

static void a_transfer_goes_on_where_it_was(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, 180) == FF_OK);
    CHECK(rig_begin(right, FF_KIND_IMAGE, b, bytes, answer) == FF_OK); /* another link may take it over */
    CHECK(ff_get32(answer) == 180);
    CHECK(rig_write(right, b, 120, 180) == FF_OK); /* doubled frames change nothing */
    CHECK(rig_write(right, b, 180, bytes) == FF_OK);
    CHECK(rig_request(right, RIG_COMMIT, 0, 0, 0) == FF_OK);
    CHECK(holds(b));
}

static void another_object_starts_at_the_beginning(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, 180) == FF_OK);
    CHECK(rig_begin(left, FF_KIND_PATCH, a, bytes, answer) == FF_OK);
    CHECK(ff_get32(answer) == 0);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_NO_TRANSFER); /* not complete */
    CHECK(holds(a));
}

static void a_broken_object_ends_the_transfer_and_keeps_the_model(void) {
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, a, 0, bytes) == FF_OK); /* not what was announced */
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_CRC);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_NO_TRANSFER);
    CHECK(holds(a));
    CHECK(rig_transfer(left, FF_KIND_PATCH, b, bytes) == FF_MAGIC); /* an image that is said to be a patch */
    CHECK(holds(a));
    CHECK(rig_transfer(left, FF_KIND_IMAGE, b, bytes) == FF_OK);
    CHECK(holds(b));
}

static void reload_and_save_end_a_transfer(void) {
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, 180) == FF_OK);
    CHECK(rig_request(right, RIG_RELOAD, 0, 0, 0) == FF_OK);
    CHECK(rig_write(left, b, 180, bytes) == FF_NO_TRANSFER);
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, bytes) == FF_OK);
    CHECK(rig_request(right, RIG_SAVE, 0, 0, 0) == FF_OK);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_NO_TRANSFER);
    CHECK(rig_boot() == FF_OK && rig_device.store.sequence == 2);
    CHECK(holds(a));
}

static int refuse(uint8_t *at, const uint8_t *from) {
    (void)at;
    (void)from;
    return -1;
}

static int refuse_words(uint8_t *at, const uint8_t *from) {
    (void)at;
    return from ? -1 : 0;
}

static void worn_flash_is_said_and_survived(void) {
    fresh();
    rig_operation = refuse;
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_FLASH);
    CHECK(rig_request(left, RIG_SAVE, 0, 0, 0) == FF_FLASH);
    rig_operation = refuse_words;
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, bytes) == FF_FLASH);
    CHECK(rig_write(left, b, 0, bytes) == FF_NO_TRANSFER);
    CHECK(rig_request(left, RIG_SAVE, 0, 0, 0) == FF_FLASH);
    rig_operation = 0;
    CHECK(holds(a));
    CHECK(rig_transfer(left, FF_KIND_IMAGE, b, bytes) == FF_OK);
    CHECK(holds(b));
}

static void a_device_without_flash_learns_and_says_so(void) {
    ff_link link;
    uint8_t answer[RIG_PAYLOAD], *buffer = rig_link[0].decoder.buffer - 2;
    fresh();
    memset(&rig_device.flash, 0, sizeof rig_device.flash);
    CHECK(ff_device_start(&rig_device) == FF_NO_MODEL);
    ff_link_start(&link, &rig_device, buffer, RIG_PAYLOAD);
    CHECK(rig_hello(&link, answer) == FF_OK);
    CHECK(ff_get32(answer + 10) == 0); /* no room for an object */
    CHECK(rig_begin(&link, FF_KIND_IMAGE, b, bytes, 0) == FF_SLOT);
    CHECK(ff_device_load(&rig_device, a, bytes) == FF_OK);
    CHECK(ff_device_learn(&rig_device, X, 1) == FF_OK);
    CHECK(rig_request(&link, RIG_SAVE, 0, 0, 0) == FF_SLOT);
}

int main(void) {
    bytes = sample_image(a, 0, 0);
    sample_image(b, 0, 0);
    ff_put32(b + ff_get32(b + 32), 0xBBBB); /* another base id */
    sample_seal(b, bytes);
    a_lost_client_blocks_nobody();
    a_link_that_starts_again_gets_its_own_answers();
    a_commit_belongs_to_the_link_that_began();
    a_save_sees_no_learning();
    a_transfer_goes_on_where_it_was();
    another_object_starts_at_the_beginning();
    a_broken_object_ends_the_transfer_and_keeps_the_model();
    reload_and_save_end_a_transfer();
    worn_flash_is_said_and_survived();
    a_device_without_flash_learns_and_says_so();
    printf("%d failures\n", failures);
    return failures != 0;
}
