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
    rig_stage_bytes = 0;
    CHECK(rig_fresh(a, bytes) == FF_OK);
}

static void ticket(uint32_t number) {
    uint8_t payload[4];
    ff_put32(payload, number);
    CHECK(rig_request(left, RIG_TICKET, payload, sizeof payload, 0) == FF_OK);
}

static int learn(uint32_t times) {
    for (uint32_t i = 0; i < times; i++)
        if (ff_device_learn(&rig_device, X, (uint8_t)(i % SAMPLE_CLASSES)) != FF_OK) return 0;
    return 1;
}

/* The sequence number that a SAVE gives after the device was made anew. */
#define FIRST_SAVE (FF_RECORDS ? 1 : 2)

static void a_lost_client_blocks_nobody(void) {
    fresh();
    rig_send(left, RIG_SAVE, 0, 0);
    ff_link_step(left); /* and never again */
    CHECK(rig_device.job == FF_JOB_SAVE);
    CHECK(rig_hello(right, 0) == FF_OK);
    CHECK(rig_boot() == FF_OK &&
          rig_device.store.sequence == FIRST_SAVE); /* the save came to its end all the same */
}

static void a_link_that_starts_again_gets_its_own_answers(void) {
    uint8_t *buffer = rig_link[0].decoder.buffer - 2;
    fresh();
    rig_send(left, RIG_SAVE, 0, 0);
    ff_link_step(left);
    ff_link_start(left, &rig_device, buffer, RIG_PAYLOAD, RIG_PAYLOAD);
    CHECK(rig_hello(left, 0) == FF_OK);
    CHECK(rig_device.job == FF_JOB_NONE);
    CHECK(holds(a));
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
    CHECK(status == FF_OK && ff_get32(answer) == FIRST_SAVE);
    CHECK(rig_boot() == FF_OK && rig_device.store.sequence == FIRST_SAVE);
}

#if !FF_RECORDS
static void a_commit_belongs_to_the_link_that_began(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, a, bytes, 0) == FF_OK);
    CHECK(rig_write(left, a, 0, 112) == FF_OK);
    CHECK(rig_begin(right, FF_KIND_IMAGE, b, bytes, answer) == FF_OK);
    CHECK(ff_get32(answer) == 0);
    CHECK(rig_write(left, a, 112, bytes) == FF_NO_TRANSFER);
    CHECK(rig_request(left, RIG_ABORT, 0, 0, 0) == FF_OK); /* not theirs: it ends nothing */
    CHECK(rig_write(right, b, 0, bytes) == FF_OK);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_NO_TRANSFER);
    CHECK(rig_request(right, RIG_COMMIT, 0, 0, 0) == FF_OK);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_NO_TRANSFER);
    CHECK(rig_request(right, RIG_COMMIT, 0, 0, 0) == FF_OK); /* asked again, its answer may have been lost */
    CHECK(holds(b));
}

static void a_transfer_goes_on_where_it_was(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, 184) == FF_OK);
    CHECK(rig_begin(right, FF_KIND_IMAGE, b, bytes, answer) == FF_OK); /* another link may take it over */
    CHECK(ff_get32(answer) == 184);
    CHECK(rig_write(right, b, 128, 184) == FF_OK); /* doubled frames change nothing */
    CHECK(rig_write(right, b, 184, bytes) == FF_OK);
    CHECK(rig_request(right, RIG_COMMIT, 0, 0, 0) == FF_OK);
    CHECK(holds(b));
}

static void another_object_starts_at_the_beginning(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, 184) == FF_OK);
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
    CHECK(rig_write(left, b, 0, 184) == FF_OK);
    CHECK(rig_request(right, RIG_RELOAD, 0, 0, 0) == FF_OK);
    CHECK(rig_write(left, b, 184, bytes) == FF_NO_TRANSFER);
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, bytes) == FF_OK);
    CHECK(rig_request(right, RIG_SAVE, 0, 0, 0) == FF_OK);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_NO_TRANSFER);
    CHECK(rig_boot() == FF_OK && rig_device.store.sequence == FIRST_SAVE);
    CHECK(holds(a));
}

#endif

static int refuse(uint8_t *at, const uint8_t *from) {
    (void)at;
    (void)from;
    return -1;
}

static int refuse_words(uint8_t *at, const uint8_t *from) {
    (void)at;
    return from ? -1 : 0;
}

#if !FF_RECORDS
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
    ff_link_start(&link, &rig_device, buffer, RIG_PAYLOAD, RIG_PAYLOAD);
    CHECK(rig_hello(&link, answer) == FF_OK);
    CHECK(ff_get32(answer + 10) == 0); /* no room for an object */
    CHECK(rig_begin(&link, FF_KIND_IMAGE, b, bytes, 0) == FF_SLOT);
    CHECK(ff_device_load(&rig_device, rig_rom(a, bytes), bytes) == FF_OK);
    CHECK(ff_device_learn(&rig_device, X, 1) == FF_OK);
    CHECK(rig_request(&link, RIG_SAVE, 0, 0, 0) == FF_SLOT);
}

#if RIG_WORD == 8
static void pieces_that_split_a_double_word_are_refused(void) {
    fresh();
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, 0) == FF_OK);
    CHECK(rig_write(left, b, 0, 12) == FF_LENGTH);
    CHECK(rig_write(left, b, 0, bytes) == FF_OK);
    CHECK(rig_request(left, RIG_COMMIT, 0, 0, 0) == FF_OK);
    CHECK(holds(b));
}
#endif

static void a_small_object_erases_only_its_pages(void) {
    uint32_t got, number;
    fresh();
    CHECK(rig_transfer(left, FF_KIND_IMAGE, b, bytes) == FF_OK); /* now both slots hold a committed image */
    const uint32_t spare = rig_device.store.active ? 0 : RIG_SLOT;
    const ff_rom slot = rig_device.flash.map + spare;
    CHECK(ff_slot_object(slot, RIG_SLOT, FF_KIND_IMAGE, &got, &number) != 0);
    const uint32_t before = rig_erases;
    CHECK(rig_begin(left, FF_KIND_PATCH, a, 96, 0) == FF_OK);
    CHECK(rig_erases - before == 1);
    CHECK(ff_slot_object(slot, RIG_SLOT, FF_KIND_IMAGE, &got, &number) == 0);
    CHECK(rig_begin(left, FF_KIND_PATCH, a, 100, 0) == FF_OK);
    CHECK(rig_erases - before == 3);
    CHECK(holds(b) && rig_boot() == FF_OK && holds(b));
}
#else

static void a_device_with_records_takes_no_images(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_hello(left, answer) == FF_OK && (answer[4] & 8));
    CHECK(rig_begin(left, FF_KIND_IMAGE, b, bytes, answer) == FF_ARGUMENT);
    CHECK(ff_get32(answer) == FF_KIND_PATCH && ff_get32(answer + 4) == FF_KIND_IMAGE);
    CHECK(rig_begin(left, FF_KIND_RECORD, b, bytes, answer) == FF_ARGUMENT);
    CHECK(holds(a));
}

/* Has the device learn and save, and keeps what it holds then. */
static void save_learned(uint8_t *now) {
    uint8_t answer[RIG_PAYLOAD];
    CHECK(learn(30));
    CHECK(rig_request(left, RIG_SAVE, 0, 0, answer) == FF_OK);
    CHECK(rig_read(left, now, SAMPLE_MOST) == bytes && memcmp(now, a, bytes) != 0);
}

static void what_was_learned_is_there_again_and_the_base_untouched(void) {
    uint8_t now[SAMPLE_MOST], base[RIG_SLOT];
    fresh();
    memcpy(base, rig_base, sizeof base);
    save_learned(now);
    CHECK(learn(5) && !holds(now));
    CHECK(rig_request(left, RIG_RELOAD, 0, 0, 0) == FF_OK && holds(now));
    CHECK(learn(5) && rig_boot() == FF_OK && holds(now));
    CHECK(memcmp(base, rig_base, sizeof base) == 0);
}

static void a_record_of_another_base_is_left_alone(void) {
    uint8_t now[SAMPLE_MOST], flash[2 * RIG_SLOT];
    fresh();
    save_learned(now);
    memcpy(flash, rig_flash, sizeof flash);
    rig_slot(rig_base, b, bytes, FF_KIND_IMAGE, 1);
    CHECK(rig_boot() == FF_OK && holds(b)); /* new firmware brought another image */
    CHECK(memcmp(flash, rig_flash, sizeof flash) == 0);
    CHECK(rig_device.store.sequence == 1);
    save_learned(now);
    CHECK(rig_device.store.sequence == 2);
    CHECK(rig_boot() == FF_OK && holds(now));
    rig_slot(rig_base, a, bytes, FF_KIND_IMAGE, 1);
    CHECK(rig_boot() == FF_OK && !holds(now)); /* the first record is older, but fits */
    CHECK(rig_device.store.sequence == 1 && rig_device.store.active == 0);
}

static void damaged_records_give_way_to_older_ones(void) {
    uint8_t first[SAMPLE_MOST], second[SAMPLE_MOST], object[SAMPLE_MOST];
    fresh();
    save_learned(first);
    save_learned(second);
    CHECK(rig_device.store.active == 1);
    uint8_t *slot = rig_flash + RIG_SLOT;
    const uint32_t count = ff_get32(slot + 8);
    memcpy(object, slot + 32, count);
    const uint32_t head = 4 + FF_AT_TAU;
    static const struct {
        uint32_t at, bytes;
    } DAMAGE[] = {{0, 0}, {4 + FF_AT_TAU, 0}, {4 + FF_AT_MEAN_SHIFT, 0}, {0, 4}};
    for (uint32_t k = 0; k < sizeof DAMAGE / sizeof DAMAGE[0]; k++) {
        uint8_t bad[SAMPLE_MOST];
        memcpy(bad, object, count);
        if (DAMAGE[k].bytes == 0) bad[DAMAGE[k].at] = 0;
        if (DAMAGE[k].at == head) bad[head + 1] = 0; /* tau of 0 */
        rig_slot(slot, bad, count - DAMAGE[k].bytes, FF_KIND_RECORD, 2);
        CHECK(rig_boot() == FF_OK && holds(first));
        CHECK(rig_device.store.active == 0 && rig_device.store.sequence == 1);
    }
    rig_slot(slot, object, count, FF_KIND_IMAGE, 2); /* an image is no record */
    CHECK(rig_boot() == FF_OK && holds(first));
    rig_slot(slot, object, count, FF_KIND_RECORD, 2);
    CHECK(rig_boot() == FF_OK && holds(second));
}

static void without_a_whole_base_there_is_no_model(void) {
    uint8_t now[SAMPLE_MOST], base[RIG_SLOT];
    fresh();
    save_learned(now);
    memcpy(base, rig_base, sizeof base);
    for (uint32_t at = 0; at < 32 + bytes; at++) {
        rig_base[at] ^= 4;
        /* a sequence number and the reserved word are covered by the header's CRC */
        CHECK(rig_boot() == FF_NO_MODEL && !rig_device.loaded);
        rig_base[at] ^= 4;
    }
    CHECK(rig_request(left, RIG_SAVE, 0, 0, 0) == FF_NO_MODEL);
    uint32_t words[SAMPLE_MOST / 4];
    memcpy(words, a, bytes);
    ((uint8_t *)words)[18] = 0; /* a whole slot with an image that isn't valid */
    sample_seal((uint8_t *)words, bytes);
    rig_slot(rig_base, (uint8_t *)words, bytes, FF_KIND_IMAGE, 1);
    CHECK(rig_boot() == FF_FIELD);
    memcpy(rig_base, base, sizeof base);
    CHECK(rig_boot() == FF_OK && holds(now));
    rig_device.base_bytes = 32 + bytes - 4; /* the board says that there is less room */
    CHECK(ff_device_start(&rig_device) == FF_NO_MODEL);
    rig_device.base_bytes = 32 + bytes;
    CHECK(ff_device_start(&rig_device) == FF_OK && holds(now));
    rig_device.base = 0;
    CHECK(ff_device_start(&rig_device) == FF_NO_MODEL);
}

static void worn_memory_is_said_and_survived(void) {
    uint8_t now[SAMPLE_MOST];
    fresh();
    save_learned(now);
    CHECK(learn(3));
    rig_operation = refuse;
    CHECK(rig_request(left, RIG_SAVE, 0, 0, 0) == FF_FLASH);
    rig_operation = refuse_words;
    CHECK(rig_request(left, RIG_SAVE, 0, 0, 0) == FF_FLASH);
    rig_operation = 0;
    CHECK(rig_boot() == FF_OK && holds(now));
}

static void a_slot_too_small_for_the_record_is_said(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    rig_device.flash.slot_bytes = RIG_PAGE;
    CHECK(rig_request(left, RIG_SAVE, 0, 0, answer) == FF_SLOT);
    CHECK(ff_get32(answer) == RIG_PAGE - 32);
}
#endif

static void a_patch_in_ram_touches_no_flash(void) {
    static const uint8_t LARGE[4004] = {0};
    static uint32_t words[17];
    uint8_t *patch = (uint8_t *)words, answer[RIG_PAYLOAD];
    uint8_t flash[2 * RIG_SLOT];
    fresh();
    rig_stage_bytes = RIG_STAGE;
    rig_boot();
    const uint32_t count = sample_add(patch, a, 0xABCD, 5), before = rig_erases;
    memcpy(flash, rig_flash, sizeof flash);
    rig_operation = refuse;
    ticket(5);
    CHECK(rig_begin(left, FF_KIND_PATCH, patch, count, answer) == FF_OK && ff_get32(answer) == 0);
    CHECK(rig_write(left, patch, 0, RIG_PIECE) == FF_OK);
    CHECK(rig_begin(right, FF_KIND_PATCH, patch, count, answer) == FF_OK && ff_get32(answer) == RIG_PIECE);
    CHECK(rig_write(right, patch, RIG_PIECE, count) == FF_OK);
    CHECK(rig_request(right, RIG_COMMIT, 0, 0, answer) == FF_OK && ff_get32(answer) == 0xABCE);
    CHECK(rig_request(right, RIG_COMMIT, 0, 0, answer) == FF_OK && ff_get32(answer) == 0xABCE);
    rig_operation = 0;
    CHECK(rig_erases == before && memcmp(flash, rig_flash, sizeof flash) == 0);
    CHECK(rig_device.model.learning && !holds(a));
    CHECK(rig_request(left, RIG_RELOAD, 0, 0, 0) == FF_OK && holds(a));
    /* a larger one goes to the flash, and the largest of all is the one that fits either */
    CHECK(rig_begin(left, FF_KIND_PATCH, a, RIG_STAGE + 4, 0) == FF_OK && rig_erases > before);
    rig_stage_bytes = 0;
    rig_boot();
    CHECK(rig_hello(left, answer) == FF_OK && ff_get32(answer + 14) == RIG_SLOT - 32);
    rig_device.stage_bytes = 4000;
    CHECK(rig_hello(left, answer) == FF_OK && ff_get32(answer + 14) == 4000);
    CHECK(ff_get32(answer + 10) == RIG_SLOT - 32);
    CHECK(rig_begin(left, FF_KIND_PATCH, LARGE, 4004, answer) == FF_SLOT && ff_get32(answer) == 4000);
}

static void a_device_without_flash_takes_patches(void) {
    static uint32_t words[17];
    uint8_t *patch = (uint8_t *)words;
    fresh();
    CHECK(rig_device.model.learning);
    rig_device.flash.slot_bytes = 0;
    CHECK(rig_begin(left, FF_KIND_PATCH, a, 68, 0) == FF_SLOT);
    rig_device.stage_bytes = 68;
    ticket(9);
    CHECK(rig_transfer(left, FF_KIND_PATCH, patch, sample_add(patch, a, 0xABCD, 9)) == FF_OK);
    CHECK(rig_transfer(left, FF_KIND_PATCH, patch, sample_add(patch, a, 0xABCE, 9)) == FF_TICKET);
}

static void a_restart_waits_for_the_port(void) {
    uint8_t mode = 1, answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_hello(left, answer) == FF_OK && !(answer[4] & 16));
    CHECK(rig_request(left, RIG_RESET, &mode, 1, 0) == FF_COMMAND && rig_device.restart == 0);
    rig_device.can_restart = 1;
    CHECK(rig_hello(left, answer) == FF_OK && (answer[4] & 16));
    CHECK(rig_request(left, RIG_RESET, &mode, 0, 0) == FF_LENGTH && rig_device.restart == 0);
    CHECK(rig_request(left, RIG_RESET, &mode, 1, 0) == FF_OK && rig_device.restart == 2);
    mode = 0;
    CHECK(rig_request(left, RIG_RESET, &mode, 1, 0) == FF_OK && rig_device.restart == 1);
    mode = 2;
    CHECK(rig_request(left, RIG_RESET, &mode, 1, 0) == FF_ARGUMENT && rig_device.restart == 1);
}

static uint32_t time_now;

static uint32_t tick(void) {
    return time_now += 1000;
}

static void a_status_says_how_long_a_sample_took_and_which_start_it_was(void) {
    uint8_t answer[RIG_PAYLOAD], sample[1 + SAMPLE_RAW] = {FF_NO_LABEL};
    fresh();
    CHECK(rig_request(left, RIG_INFER, sample, sizeof sample, 0) == FF_OK);
    CHECK(rig_request(left, RIG_STATUS, 0, 0, answer) == FF_OK);
    CHECK(ff_get32(answer + 44) == 0 && ff_get32(answer + 48) == 0);
    rig_device.clock = tick;
    rig_device.boot = 0x12345678;
    time_now = 0xFFFFFC00; /* wraps around */
    CHECK(rig_request(left, RIG_INFER, sample, sizeof sample, 0) == FF_OK);
    CHECK(rig_request(left, RIG_STATUS, 0, 0, answer) == FF_OK);
    CHECK(ff_get32(answer + 44) == 1000 && ff_get32(answer + 48) == 0x12345678);
    rig_device.microseconds = 0;
    CHECK(learn(1) && rig_device.microseconds == 1000);
}

static void a_long_name_is_cut_to_what_the_smallest_frame_holds(void) {
    uint8_t answer[RIG_PAYLOAD] = {0};
    fresh();
    rig_device.target = "a name that is longer than it may be";
    CHECK(rig_hello(left, answer) == FF_OK);
    CHECK(memcmp(answer + 48, "a name that is ", 16) == 0); /* and a 0 of ours behind it */
}

static void a_model_that_does_not_fit_is_not_spoken_of(void) {
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_hello(left, answer) == FF_OK && answer[26] == 1 && answer[28] == SAMPLE_RAW);
    const ff_size needed = rig_device.arena_used;
    rig_device.arena_bytes = (ff_size)(needed - 4);
    CHECK(rig_request(left, RIG_RELOAD, 0, 0, answer) == FF_ARENA);
    CHECK(ff_get32(answer) == needed && ff_get32(answer + 4) == needed - 4u);
    CHECK(rig_hello(left, answer) == FF_OK && answer[26] == 0 && answer[27] == FF_ARENA);
    for (int at = 28; at < 44; at++)
        CHECK(answer[at] == 0);
    rig_device.arena_bytes = needed;
    CHECK(rig_request(left, RIG_RELOAD, 0, 0, 0) == FF_OK && holds(a));
}

static void a_build_for_8_bits_refuses_fewer(void) {
    static uint32_t words[SAMPLE_MOST / 4];
    ff_model model;
    ff_fault fault;
    const uint32_t count = sample_image((uint8_t *)words, 0, 0, 3);
    const ff_status status = ff_model_open(&model, rig_rom(words, sizeof words), (ff_size)count, &fault);
    CHECK(status == (FF_NIBBLES ? FF_OK : FF_LAYOUT));
    CHECK(FF_NIBBLES || (fault.expected == 48 && fault.got == (1u << 24 | 3u << 16 | 8u)));
    uint8_t answer[RIG_PAYLOAD];
    fresh();
    CHECK(rig_hello(left, answer) == FF_OK && (answer[4] >> 5 & 1) == FF_NIBBLES && answer[46] == 1);
}

/* Status of an image that is the sample, but for one byte. */
static ff_status opened(uint8_t kind, uint8_t at, uint8_t value, ff_fault *fault) {
    static uint32_t words[SAMPLE_MOST / 4];
    uint8_t *image = (uint8_t *)words;
    ff_model model;
    const uint32_t count = sample_image(image, 0, 0, 8);
    sample_stage(image, count, kind);
    image[at] = value;
    sample_seal(image, count);
    return ff_model_open(&model, rig_rom(words, sizeof words), (ff_size)count, fault);
}

static void parts_of_networks_are_checked(void) {
    ff_fault fault;
#if FF_STAGES
    static const uint8_t WRONG[][3] = {
        {0, 22, 2}, {0, 22, 4}, {0, 40, 1}, {0, 41, 3}, {0, 42, 8}, {0, 43, 1}, {1, 41, 3},
        {1, 42, 0}, {1, 42, 5}, {2, 22, 0}, {2, 22, 3}, {2, 21, 1}, {2, 40, 0}, {3, 20, 1},
    };
    for (uint8_t kind = 0; kind < 4; kind++)
        CHECK(opened(kind, 0, 'F', &fault) == FF_OK);
    CHECK(opened(1, 22, 5, &fault) == FF_OK && opened(2, 22, 6, &fault) == FF_OK);
    for (uint8_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        CHECK(opened(WRONG[i][0], WRONG[i][1], WRONG[i][2], &fault) == FF_FIELD);
    CHECK(opened(2, 16, 4 * SAMPLE_CLASSES, &fault) == FF_FIELD); /* no input at all */
#else
    for (uint8_t kind = 1; kind < 4; kind++)
        CHECK(opened(kind, 0, 'F', &fault) == FF_FIELD);
#endif
}

#if FF_STAGES
static void an_answer_is_given_again_as_long_as_it_is_kept(void) {
    static uint32_t words[SAMPLE_MOST / 4];
    uint8_t *image = (uint8_t *)words, query[5 + SAMPLE_RAW] = {0}, first[6][RIG_PAYLOAD], again[RIG_PAYLOAD];
    static const uint8_t NOTHING[12] = {0};
    const uint32_t count = sample_image(image, 0, 0, RIG_BITS);
    sample_stage(image, count, 1);
    rig_stage_bytes = 0;
    CHECK(rig_fresh(image, count) == FF_OK);
    CHECK(rig_request(left, RIG_STREAM, query, 4, 0) == FF_OK);
    memcpy(query + 5, X, sizeof X);
    for (uint8_t i = 0; i < 6; i++) {
        query[0] = i;
        query[4] = i % SAMPLE_CLASSES;
        memset(first[i], 0, RIG_PAYLOAD);
        CHECK(rig_request(left, RIG_LEARN, query, sizeof query, first[i]) == FF_OK);
        CHECK(ff_get32(first[i]) == i + 1u);
        /* the scores stand behind the result: that of its class is the largest */
        CHECK(ff_get32(first[i] + 16 + 4 * first[i][4]) == ff_get32(first[i] + 8));
    }
    for (uint8_t i = 6; i--;) {
        query[0] = i;
        memset(again, 0, RIG_PAYLOAD);
        CHECK(rig_request(left, RIG_LEARN, query, sizeof query, again) == FF_OK && ff_get32(again) == 6);
        if (i >= 6 - FF_ANSWERS_KEPT)
            CHECK(memcmp(again + 4, first[i] + 4, RIG_PAYLOAD - 4) == 0);
        else
            CHECK(memcmp(again + 4, NOTHING, sizeof NOTHING) == 0);
    }
    query[0] = 7; /* too early */
    CHECK(rig_request(left, RIG_LEARN, query, sizeof query, again) == FF_OK && ff_get32(again) == 6);
    CHECK(memcmp(again + 4, NOTHING, sizeof NOTHING) == 0);
    CHECK(rig_device.model.learning && ff_get32(rig_device.model.state_ram + FF_AT_SAMPLES) == 6);
    query[0] = 6;
    CHECK(rig_request(left, RIG_STREAM, query, 4, 0) ==
          FF_OK); /* another stream: nothing is kept of the last */
    query[0] = 5;
    CHECK(rig_request(left, RIG_LEARN, query, sizeof query, again) == FF_OK);
    CHECK(memcmp(again + 4, NOTHING, sizeof NOTHING) == 0);
}

static void an_answer_that_fits_no_frame_is_refused_before_anything_is_learned(void) {
    static uint32_t words[SAMPLE_MOST / 4];
    uint8_t *image = (uint8_t *)words, query[5 + SAMPLE_RAW] = {0}, answer[RIG_PAYLOAD];
    uint8_t *buffer = rig_link[0].decoder.buffer - 2;
    const uint32_t count = sample_image(image, 0, 0, RIG_BITS);
    sample_stage(image, count, 1);
    CHECK(rig_fresh(image, count) == FF_OK);
    ff_link_start(left, &rig_device, buffer, RIG_PAYLOAD, 31); /* less than a link may have: for this test */
    CHECK(rig_request(left, RIG_LEARN, query, sizeof query, answer) == FF_RANGE);
    CHECK(ff_get32(answer) == 31 && ff_get32(answer + 4) == 32);
    CHECK(ff_get32(rig_device.model.state_ram + FF_AT_SAMPLES) == 0);
    ff_link_start(left, &rig_device, buffer, RIG_PAYLOAD, RIG_PAYLOAD);
}

static void statistics_are_the_lowest_boards(void) {
    static uint32_t words[SAMPLE_MOST / 4];
    uint8_t *image = (uint8_t *)words, level = 1, answer[RIG_PAYLOAD];
    const uint32_t count = sample_image(image, 0, 0, RIG_BITS);
    sample_stage(image, count, 2);
    CHECK(rig_fresh(image, count) == FF_OK);
    CHECK(rig_request(left, RIG_STATISTICS, &level, 1, answer) == FF_ARGUMENT);
}
#endif

int main(void) {
    bytes = sample_image(a, 0, 0, RIG_BITS);
    sample_image(b, 0, 0, RIG_BITS);
    ff_put32(b + ff_get32(b + 32), 0xBBBB); /* another base id */
    sample_seal(b, bytes);
    a_lost_client_blocks_nobody();
    a_build_for_8_bits_refuses_fewer();
    parts_of_networks_are_checked();
#if FF_STAGES
    an_answer_is_given_again_as_long_as_it_is_kept();
    an_answer_that_fits_no_frame_is_refused_before_anything_is_learned();
    statistics_are_the_lowest_boards();
#endif
    a_link_that_starts_again_gets_its_own_answers();
    a_save_sees_no_learning();
    a_patch_in_ram_touches_no_flash();
    a_device_without_flash_takes_patches();
    a_restart_waits_for_the_port();
    a_status_says_how_long_a_sample_took_and_which_start_it_was();
    a_model_that_does_not_fit_is_not_spoken_of();
    a_long_name_is_cut_to_what_the_smallest_frame_holds();
#if FF_RECORDS
    a_device_with_records_takes_no_images();
    what_was_learned_is_there_again_and_the_base_untouched();
    a_record_of_another_base_is_left_alone();
    damaged_records_give_way_to_older_ones();
    without_a_whole_base_there_is_no_model();
    worn_memory_is_said_and_survived();
    a_slot_too_small_for_the_record_is_said();
#else
    a_commit_belongs_to_the_link_that_began();
    a_transfer_goes_on_where_it_was();
    another_object_starts_at_the_beginning();
    a_broken_object_ends_the_transfer_and_keeps_the_model();
    reload_and_save_end_a_transfer();
    worn_flash_is_said_and_survived();
    a_device_without_flash_learns_and_says_so();
    a_small_object_erases_only_its_pages();
#endif
#if RIG_WORD == 8
    pieces_that_split_a_double_word_are_refused();
#endif
    printf("%d failures\n", failures);
    return failures != 0;
}
