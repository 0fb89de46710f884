/* A device with two links over flash in RAM, driven by requests: what the host-side tests of the core share.
 */
#ifndef RIG_H
#define RIG_H

#include "goodness.h"

#define RIG_SLOT 768u
#define RIG_PAGE 128u
#define RIG_PAYLOAD 64u
#define RIG_NO_ANSWER (-1)

/* Types of requests (SPEC.md 9.2). */
enum {
    RIG_HELLO = 0x01,
    RIG_STATUS = 0x02,
    RIG_RELOAD = 0x03,
    RIG_BEGIN = 0x10,
    RIG_WRITE = 0x11,
    RIG_COMMIT = 0x12,
    RIG_ABORT = 0x13,
    RIG_INFER = 0x20,
    RIG_LEARN = 0x22,
    RIG_READ = 0x30,
    RIG_TICKET = 0x31,
    RIG_SAVE = 0x32
};

extern ff_device rig_device;
extern ff_link rig_link[2];
extern uint8_t *const rig_flash; /* both slots */

/*
 * Called before each word is programmed (from: its 4 bytes) and each page is erased (from: NULL) at `at`.
 * Returns 0 to let it happen, < 0 to refuse; or doesn't return: the power is gone.
 */
extern int (*rig_operation)(uint8_t *at, const uint8_t *from);

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
