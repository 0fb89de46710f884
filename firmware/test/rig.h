/*
 * A device with two links over flash in RAM, driven by requests: what the host-side tests of the core share.
 *
 * It is compiled in several variants. FF_ROM_FAR: what the core reads by ff_rom has numbers that are no
 * addresses. FF_RECORDS: the image lies in a slot of its own. RIG_WORD 8: flash with double words that can be
 * written once. RIG_EEPROM: bytes are overwritten, and a page is only cleared if it holds a slot's header.
 */
#ifndef RIG_H
#define RIG_H

#include "goodness.h"

#define RIG_SLOT 768u
#define RIG_PAGE 128u
#define RIG_PAYLOAD 64u
#define RIG_PIECE 56u /* of a WRITE: what of a payload is a multiple of 8, behind the offset */
#define RIG_STAGE 128u
#ifndef RIG_WORD
#define RIG_WORD 4
#endif
#ifndef RIG_EEPROM
#define RIG_EEPROM 0
#endif
#ifndef RIG_BITS
#define RIG_BITS 8 /* of the weights of the models that are tried */
#endif
#define RIG_NO_ANSWER (-1)

/* Types of requests (SPEC.md 9.2). */
enum {
    RIG_HELLO = 0x01,
    RIG_STATUS = 0x02,
    RIG_RELOAD = 0x03,
    RIG_RESET = 0x04,
    RIG_BEGIN = 0x10,
    RIG_WRITE = 0x11,
    RIG_COMMIT = 0x12,
    RIG_ABORT = 0x13,
    RIG_INFER = 0x20,
    RIG_LEARN = 0x22,
    RIG_STREAM = 0x23,
    RIG_STATISTICS = 0x25,
    RIG_READ = 0x30,
    RIG_TICKET = 0x31,
    RIG_SAVE = 0x32
};

extern ff_device rig_device;
extern ff_link rig_link[2];
extern uint8_t *const rig_flash; /* both slots */
extern uint8_t *const rig_base;  /* RIG_SLOT bytes: the slot of the image of a build with records */
extern uint32_t rig_stage_bytes; /* from the next start on: 0 or up to RIG_STAGE */
extern uint32_t rig_erases;      /* pages erased so far */

/*
 * Called before each word is programmed (from: its RIG_WORD bytes) and each page is erased (from: NULL) at
 * `at`. Returns 0 to let it happen, < 0 to refuse; or doesn't return: the power is gone.
 */
extern int (*rig_operation)(uint8_t *at, const uint8_t *from);

/* How the core names memory of a test: `p` itself, or a number that stands for it. */
ff_rom rig_rom(const void *p, uint32_t bytes);

/* Writes a committed slot of RIG_SLOT bytes with this object. */
void rig_slot(uint8_t *to, const uint8_t *object, uint32_t bytes, uint32_t kind, uint32_t sequence);

/* Forgets both slots, and gives the device this image: by the link, or as its base. Returns the status. */
int rig_fresh(const uint8_t *image, uint32_t bytes);

/* Power on: RAM is forgotten, flash stays. */
ff_status rig_boot(void);

/* One frame to a link. */
void rig_send(ff_link *link, uint8_t type, const void *payload, uint32_t count);

/* Steps a link until it answered, at most `rounds` times. Returns the status, or RIG_NO_ANSWER. payload: what
 * stands behind the status (RIG_PAYLOAD bytes), or NULL. */
int rig_answer(ff_link *link, uint32_t rounds, uint8_t *payload);

/* Both, with as many steps as it takes. */
int rig_request(ff_link *link, uint8_t type, const void *payload, uint32_t count, uint8_t *answer);

int rig_begin(ff_link *link, uint32_t kind, const uint8_t *object, uint32_t bytes, uint8_t *answer);
int rig_write(ff_link *link, const uint8_t *object, uint32_t from, uint32_t to);
int rig_hello(ff_link *link, uint8_t *answer);

/* BEGIN, all WRITEs, COMMIT. Returns the first status that isn't 0. */
int rig_transfer(ff_link *link, uint32_t kind, const uint8_t *object, uint32_t bytes);

/* Region 0, as the link gives it. Returns the bytes. */
uint32_t rig_read(ff_link *link, uint8_t *to, uint32_t room);

#endif
