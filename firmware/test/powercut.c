/*
 * Power cuts, all of them: every word programmed and every page erased by a transfer, a save, or a patch with
 * its save is cut, before it, within it in several ways, and behind it. After each cut the device must start
 * with the old model or the new one, whole, answer, and take another model; that recovery is cut once, too. A
 * build with records can't be sent a model: it learns and saves instead.
 */
#include "ff_bytes.h"
#include "rig.h"
#include "sample_image.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How an operation is cut. Behind it, it is complete. */
enum { BEFORE, PREFIX, BITS, MORE_BITS, BEHIND, WAYS };

typedef struct {
    uint8_t bytes[SAMPLE_MOST];
    uint32_t count; /* 0 = no model */
} object;

static jmp_buf power;
static uint32_t countdown, random_state = 1;
static int way;
static object first, second, third, patch;
static uint32_t cuts, lost, kept_old, took_new;

static uint32_t draw(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    return random_state ^= random_state << 5;
}

/* What a cut leaves: a programmed word with some of its bits still set, an erased page with some still clear.
 */
static int cut(uint8_t *at, const uint8_t *from) {
    if (countdown--) return 0;
    const uint32_t size = from ? RIG_WORD : RIG_PAGE, whole = draw() % size;
    for (uint32_t i = 0; i < size && way != BEFORE; i++) {
        uint8_t mask = 0; /* bits that are done */
        if (way == BEHIND || (way == PREFIX && i < whole))
            mask = 0xFF;
        else if (way != PREFIX)
            mask = (uint8_t)(way == BITS ? draw() & draw() : draw() | draw());
        if (RIG_EEPROM && way != BEHIND) {
            /* byte by byte: one is being written, those before it are done */
            const uint8_t to = from ? from[i] : 0xFF;
            at[i] = i < whole ? to : i > whole ? at[i] : (uint8_t)(way == PREFIX ? at[i] & to : draw());
        } else if (from && RIG_EEPROM)
            at[i] = from[i];
        else if (from)
            at[i] &= from[i] | (uint8_t)~mask;
        else
            at[i] |= mask;
    }
    longjmp(power, 1);
}

static void learn(void) {
    static const uint8_t X[] = {200, 10, 90, 40, 0, 255};
    for (uint32_t i = 0; i < 30; i++)
        if (ff_device_learn(&rig_device, X, (uint8_t)(i % SAMPLE_CLASSES)) != FF_OK) abort();
}

static void must(int status) {
    if (status != FF_OK) {
        printf("a request without a cut was answered with status %d\n", status);
        exit(1);
    }
}

#if !FF_RECORDS
static void transfer(void) {
    must(rig_transfer(&rig_link[0], FF_KIND_IMAGE, second.bytes, second.count));
}

#endif

static void save(void) {
    learn();
    must(rig_request(&rig_link[0], RIG_SAVE, 0, 0, 0));
}

static void patch_and_save(void) {
    uint8_t ticket[4];
    ff_put32(ticket, 7);
    must(rig_request(&rig_link[0], RIG_TICKET, ticket, 4, 0));
    must(rig_transfer(&rig_link[0], FF_KIND_PATCH, patch.bytes, patch.count));
    must(rig_request(&rig_link[0], RIG_SAVE, 0, 0, 0));
}

static int holds(const object *model) {
    uint8_t now[SAMPLE_MOST];
    uint8_t hello[RIG_PAYLOAD];
    if (rig_hello(&rig_link[1], hello) != FF_OK || hello[26] != (model->count > 0)) return 0;
    if (rig_read(&rig_link[0], now, sizeof now) != model->count) return 0;
    if (memcmp(now, model->bytes, model->count) != 0) return 0;
#if !FF_RECORDS
    /* and so does the slot itself */
    uint8_t slot[SAMPLE_MOST];
    if (model->count) ff_rom_read(slot, ff_store_current(&rig_device.store), model->count);
    return model->count == 0 || memcmp(slot, now, model->count) == 0;
#else
    return 1;
#endif
}

static void keep(object *model) {
    model->count = rig_read(&rig_link[0], model->bytes, sizeof model->bytes);
}

/* Runs `work` with the power cut at operation `at`. Returns 0 if it was done before that. */
static int run_cut(void (*work)(void), uint32_t at, int how) {
    volatile int was_cut = 1; /* written between setjmp and longjmp */
    countdown = at;
    way = how;
    if (setjmp(power) == 0) {
        rig_operation = cut;
        work();
        was_cut = 0;
    }
    rig_operation = 0;
    return was_cut;
}

/* The device after a cut: the old model or the new one, and ready for another. */
static int check(const object *before, const object *after) {
    rig_boot();
    if (holds(after))
        took_new++;
    else if (holds(before))
        kept_old++;
    else
        return 0;
    return 1;
}

/* Another model, which `third` is then to hold. */
static void recover(void) {
#if FF_RECORDS
    if (ff_device_seed(&rig_device, 99) != FF_OK) abort();
    learn();
    keep(&third);
    must(rig_request(&rig_link[1], RIG_SAVE, 0, 0, 0));
#else
    must(rig_transfer(&rig_link[1], FF_KIND_IMAGE, third.bytes, third.count));
#endif
}

static void scenario(const char *name, void (*work)(void)) {
    static uint8_t flash[2 * RIG_SLOT];
    object before, after;
    const uint32_t cuts_before = cuts, lost_before = lost;
    kept_old = took_new = 0;
    memcpy(flash, rig_flash, sizeof flash);
    rig_boot();
    keep(&before);
    work();
    rig_boot(); /* what is held after a restart without a cut is the new model */
    keep(&after);
    for (uint32_t at = 0, more = 1; more; at++) {
        for (int how = 0; how < WAYS && more; how++) {
            memcpy(rig_flash, flash, sizeof flash);
            rig_boot();
            more = (uint32_t)run_cut(work, at, how);
            if (!more) break;
            cuts++;
            int fine = check(&before, &after);
            /* the recovery is cut as well, somewhere */
            object now;
            keep(&now);
            const uint32_t again = draw() % 160;
            const int how_again = BEFORE + (int)(draw() % WAYS);
            if (fine && run_cut(recover, again, how_again)) {
                cuts++;
                rig_boot();
                fine = holds(&now) || holds(&third);
            }
            if (fine) {
                recover();
                rig_boot();
                fine = holds(&third);
            }
            if (!fine) {
                lost++;
                printf("LOST: %s, operation %u, way %d\n", name, (unsigned)at, how);
            }
        }
    }
    printf("%-28s %5u cuts: old model %u times, new model %u times, lost %u\n", name,
           (unsigned)(cuts - cuts_before), (unsigned)kept_old, (unsigned)took_new,
           (unsigned)(lost - lost_before));
    if (memcmp(before.bytes, after.bytes, SAMPLE_MOST) == 0 || kept_old == 0 || took_new == 0) exit(1);
    memcpy(rig_flash, flash, sizeof flash);
}

static void make_image(object *o, uint8_t encoding, uint32_t base) {
    memset(o, 0, sizeof *o);
    uint32_t words[SAMPLE_MOST / 4];
    o->count = sample_image((uint8_t *)words, encoding, 0, RIG_BITS);
    memcpy(o->bytes, words, o->count);
    ff_put32(o->bytes + ff_get32(o->bytes + 32), base);
    sample_seal(o->bytes, o->count);
}

int main(void) {
    static uint32_t words[SAMPLE_MOST / 4];
    make_image(&first, 0, 100);
    make_image(&second, 1, 200);
    make_image(&third, 0, 300);
    patch.count = sample_add((uint8_t *)words, first.bytes, 100, 7);
    memcpy(patch.bytes, words, patch.count);
#if FF_RECORDS
    must(rig_fresh(first.bytes, first.count));
    scenario("first save", save);
    scenario("first patch and save", patch_and_save);
    must(rig_boot());
    save();
    save();
    scenario("save, both slots in use", save);
    scenario("patch, both slots in use", patch_and_save);
    rig_stage_bytes = RIG_STAGE;
    scenario("patch in RAM, both in use", patch_and_save);
#else
    memset(rig_flash, 0xFF, 2 * RIG_SLOT);
    scenario("transfer to an empty device", transfer);
    must(rig_fresh(first.bytes, first.count));
    scenario("transfer", transfer);
    scenario("save", save);
    scenario("patch and save", patch_and_save);
    /* again with an outdated model in the slot that is written */
    rig_boot();
    must(rig_transfer(&rig_link[0], FF_KIND_IMAGE, third.bytes, third.count));
    must(rig_transfer(&rig_link[0], FF_KIND_IMAGE, first.bytes, first.count));
    scenario("transfer, both slots in use", transfer);
    scenario("save, both slots in use", save);
    scenario("patch, both slots in use", patch_and_save);
    rig_stage_bytes = RIG_STAGE;
    scenario("patch in RAM, both in use", patch_and_save);
#endif
    printf("in all %u cuts, %u lost\n", (unsigned)cuts, (unsigned)lost);
    return lost != 0;
}
