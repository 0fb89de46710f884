/*
 * Power cuts of the bootloader, all of them: every page erased and every word written by an upload and by the
 * copy at the next start is cut, before it, within it in several ways, and behind it. After each cut a start
 * must find a whole firmware to run, the old one or the new one, and the upload must go through afterwards.
 * The start after a cut is cut as well, somewhere.
 */
#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint8_t bytes[BOOT_SLOT_BYTES];
    uint32_t count;
} firmware;

static firmware first, second, third, fourth, large;
static uint32_t cuts, lost, idle_starts;

static void make(firmware *f, uint32_t code, uint8_t minor) {
    memset(f->bytes, 0xFF, sizeof f->bytes);
    f->count = rig_image(f->bytes, code, minor, minor);
}

static void put(uint32_t slot, const firmware *f) {
    static uint8_t flash[BOOT_MODELS];
    memcpy(flash, rig_flash, sizeof flash);
    memcpy(flash + slot, f->bytes, BOOT_SLOT_BYTES); /* 0xFF behind the image */
    rig_replace(flash);
}

static int runs(const firmware *f) {
    return memcmp(rig_flash + BOOT_SLOT_0, f->bytes, f->count) == 0;
}

static int start(void) {
    uint32_t entry;
    return slots_start(&entry) && entry == BOOT_SLOT_0 + 256;
}

/* An upload in pieces of odd lengths, as the server would take them, and the start after it. */
static void update(const firmware *f) {
    boot_upload upload;
    uint8_t sha[SHA256_BYTES];
    memset(&upload, 0, sizeof upload);
    sha256(f->bytes, f->count, sha);
    boot_status status = upload_begin(&upload, f->count, sha);
    for (uint32_t at = 0; at < f->count && status == BOOT_OK; at += 333)
        status = upload_take(&upload, f->bytes + at, f->count - at < 333 ? f->count - at : 333);
    if (status != BOOT_OK) {
        printf("an upload without a cut was refused: %d\n", (int)status);
        exit(1);
    }
    start();
}

static const firmware *uploaded;
static void upload_and_start(void) {
    update(uploaded);
}
static void only_start(void) {
    start();
}
static void empty_slot_1(void) {
    boot_upload upload;
    slots_erase(&upload);
    start();
}

/* Runs `work` with the power cut at operation `at`. Returns 0 if it was done before that. */
static int run_cut(void (*work)(void), uint32_t at, int way) {
    volatile int was_cut = 1;
    rig_countdown = at;
    rig_way = way;
    if (setjmp(rig_power) == 0) {
        work();
        was_cut = 0;
    }
    rig_countdown = RIG_NEVER;
    return was_cut;
}

static int whole(const firmware *a, const firmware *b, const firmware *c) {
    return start() && (runs(a) || (b && runs(b)) || (c && runs(c)));
}

/* `work` on what is in flash now, cut everywhere (at each `step`-th operation): old, other: what may run
 * beside the uploaded one (NULL: none). */
static void scenario(const char *name, void (*work)(void), const firmware *to, const firmware *old,
                     const firmware *other, uint32_t step) {
    static uint8_t flash[BOOT_MODELS];
    const uint32_t cuts_before = cuts, lost_before = lost;
    uint32_t kept = 0, took = 0;
    uploaded = to;
    memcpy(flash, rig_flash, sizeof flash);
    for (uint32_t at = 0, more = 1; more; at += step) {
        for (int way = 0; way < RIG_WAYS && more; way++) {
            rig_replace(flash);
            more = (uint32_t)run_cut(work, at, way);
            if (!more) break;
            cuts++;
            /* the start that mends it may be cut, too */
            if (run_cut(only_start, rig_draw() % 700, (int)(rig_draw() % RIG_WAYS))) cuts++;
            int fine = whole(to, old, other);
            if (fine && runs(to))
                took++;
            else
                kept++;
            /* the next start has nothing to do, and the upload can be made again */
            const uint32_t operations = rig_operations;
            fine = fine && start() && rig_operations == operations;
            idle_starts++;
            if (fine) update(&fourth);
            fine = fine && start() && runs(&fourth);
            if (!fine) {
                lost++;
                printf("LOST: %s, operation %u, way %d\n", name, (unsigned)at, way);
            }
        }
    }
    printf("%-44s %6u cuts: other firmware %5u times, new %5u times, lost %u\n", name,
           (unsigned)(cuts - cuts_before), (unsigned)kept, (unsigned)took, (unsigned)(lost - lost_before));
    if (cuts == cuts_before || (kept == 0 && old) || took == 0) {
        printf("not all outcomes were seen: the test tests nothing\n");
        exit(1);
    }
}

static void must(int fine, const char *what) {
    if (fine) return;
    printf("not so: %s\n", what);
    exit(1);
}

/* What has to hold without any cut. */
static void decisions(void) {
    boot_upload upload;
    memset(rig_flash, 0, sizeof rig_flash);
    must(!start() && rig_operations == 0, "without firmware nothing runs and nothing is written");
    put(BOOT_SLOT_0, &first);
    put(BOOT_SLOT_1, &second);
    must(start() && runs(&second), "an uploaded firmware is copied at the next start");
    put(BOOT_SLOT_0, &first);
    must(start() && runs(&first), "a firmware from outside isn't overwritten by an old upload");
    rig_flash[BOOT_SLOT_0 + 300] ^= 1;
    must(start() && runs(&second), "a bad slot 0 is replaced even by an old upload");
    rig_flash[BOOT_SLOT_0 + 300] ^= 1;
    rig_flash[BOOT_SLOT_1 + 300] ^= 1;
    const uint32_t operations = rig_operations;
    must(!start() && rig_operations == operations, "two bad slots: nothing runs and nothing is written");
    put(BOOT_SLOT_0, &first);
    must(upload_begin(&upload, BOOT_ROOM + 1, 0) == BOOT_NO_MEMORY,
         "an image that reaches into the mark is refused");
    for (uint32_t at = 0; at < second.count; at++) { /* every byte counts */
        memcpy(rig_flash + BOOT_SLOT_1, second.bytes, BOOT_SLOT_BYTES);
        rig_flash[BOOT_SLOT_1 + at] ^= (uint8_t)(1u << at % 8);
        must(start() && runs(&first), "an image with a flipped bit isn't copied");
    }
}

int main(void) {
    make(&first, 801, 1);
    make(&second, 1302, 2);
    make(&third, 1105, 3);
    make(&fourth, 1009, 5);
    make(&large, BOOT_ROOM - 256 - 8 - SHA256_BYTES, 4);
    must(large.count == BOOT_ROOM, "the largest image fills the slot up to the mark");
    decisions();

    memset(rig_flash, 0, sizeof rig_flash); /* as an emulator leaves it: not erased */
    put(BOOT_SLOT_0, &first);
    scenario("upload to a slot 1 of zeros", upload_and_start, &second, &first, 0, 1);
    put(BOOT_SLOT_0, &third);
    update(&first);
    scenario("upload over the firmware that runs", upload_and_start, &second, &first, 0, 1);
    put(BOOT_SLOT_0, &first);
    put(BOOT_SLOT_1, &large);
    scenario("upload over another that is pending", upload_and_start, &second, &first, &large, 1);
    put(BOOT_SLOT_0, &third);
    put(BOOT_SLOT_1, &third);
    start(); /* taken */
    put(BOOT_SLOT_0, &first);
    scenario("upload over one taken, slot 0 from outside", upload_and_start, &second, &first, 0, 1);
    put(BOOT_SLOT_0, &first);
    put(BOOT_SLOT_1, &second);
    scenario("copy", only_start, &second, 0, 0, 1);
    put(BOOT_SLOT_0, &first);
    put(BOOT_SLOT_1, &second);
    rig_flash[BOOT_SLOT_0 + 500] ^= 4;
    scenario("copy over a slot 0 that is bad", only_start, &second, 0, 0, 1);
    put(BOOT_SLOT_0, &first);
    put(BOOT_SLOT_1, &large);
    scenario("copy of the largest image, every 7th", only_start, &large, 0, 0, 7);
    put(BOOT_SLOT_0, &first);
    put(BOOT_SLOT_1, &third);
    scenario("upload of the largest image, every 9th", upload_and_start, &large, &first, &third, 9);
    put(BOOT_SLOT_0, &first);
    put(BOOT_SLOT_1, &second);
    scenario("taking back an upload", empty_slot_1, &first, &second, 0, 1);
    printf("%u cuts, %u boards without firmware\n", (unsigned)cuts, (unsigned)lost);
    return lost != 0;
}
