/*
 * A device: the model in use, the store it came from, and the long jobs (erase, commit, save) cut into
 * bounded steps. Links and ports talk to this; it knows nothing of either.
 */
#ifndef FF_DEVICE_H
#define FF_DEVICE_H

#include "ff_infer.h"
#include "ff_statistics.h"
#include "ff_store.h"

/* -DFF_LEARN=0 builds a device that only infers. */
#ifndef FF_LEARN
#define FF_LEARN 1
#endif

/* Bytes that one step of a job works on, a multiple of 8; a save keeps as many on the stack. */
#ifndef FF_STEP_BYTES
#define FF_STEP_BYTES 256
#endif

typedef enum { FF_JOB_NONE, FF_JOB_BEGIN, FF_JOB_COMMIT, FF_JOB_SAVE } ff_job;

/* The order of the fields is that of how often code needs them: many processors reach the first ones cheaper.
 */
typedef struct {
    /* read by anybody */
    ff_fault fault; /* of the last call that failed */
    uint8_t loaded;
    uint8_t load_status; /* ff_status of the last load */
    uint8_t
        restart; /* set by a link: 0, or 1 + the mode to restart in (SPEC.md 9.2) when all answers are sent */

    /* set by the port before ff_device_start() */
    uint8_t can_restart; /* the port looks at `restart` */
    uint8_t keeps_store; /* the flash survives a power cut */
    uint8_t window; /* frames that may be on their way to the device: 1 unless the port holds bytes back */
    uint8_t *arena; /* aligned to 4 */
    ff_size arena_bytes;
    ff_size arena_used; /* read by anybody */
    uint8_t *stage;     /* RAM for patches that are being received, aligned to 4; else they go to the flash */
    ff_size stage_bytes; /* 0 = none */

    /* private */
    uint8_t job; /* ff_job */
    uint8_t job_phase;
    uint8_t job_status; /* ff_status that the last job ended with, its fault in job_fault */
    uint8_t kind;       /* of the object that is being transferred */
    uint8_t transferring;
    uint8_t committed; /* the last transfer ended in a COMMIT that may be asked for again */
    ff_size bytes, received, cursor;
    uint32_t crc, object_crc, image_crc;
    ff_store store;
    const void *client; /* whoever began the transfer: a link */
    uint32_t ticket;
    uint32_t next_index;
#if FF_STAGES
    uint8_t kept; /* answers to the samples before that one, at most FF_ANSWERS_KEPT */
#endif

    /* set by the port */
    ff_flash flash;
#if FF_ROM_FAR
    ff_rom stage_rom; /* where ff_rom_read() finds `stage` */
#endif
#if FF_RECORDS
    ff_rom base;        /* the slot that holds the image (SPEC.md 8.1), only read; 0 = none */
    ff_size base_bytes; /* room there, slot header included */
#endif
    uint32_t (*clock)(void); /* microseconds since some moment, wraps around; NULL = no clock */
    const char *target;      /* name in the HELLO response */
    uint16_t ahead; /* bytes of further frames that the port keeps while the device works on one; 0 = none */

    /* read by anybody; STATUS reports these three as they lie here */
    ff_result last;        /* of the last sample */
    uint32_t microseconds; /* that it took, 0 without a clock */
    uint32_t
        boot; /* set by the port: a random number drawn at start, by which a host sees restarts; 0 = none */

    /* private */
    ff_fault job_fault;
    ff_statistics statistics;
    ff_model model; /* valid while loaded */
} ff_device;

/* As after power on: takes the newest whole image of the store, or the base and the newest record that fits
 * it. Without an image: FF_NO_MODEL, and the device waits for one. */
ff_status ff_device_start(ff_device *device);

/* Takes an image from memory that stays as it is (no store involved). */
ff_status ff_device_load(ff_device *device, ff_rom image, ff_size bytes);

/* label: a class or FF_NO_LABEL; x: uint8 (raw). The result is device->last. */
ff_status ff_device_infer(ff_device *device, const uint8_t *x, uint8_t label);
ff_status ff_device_learn(ff_device *device, const uint8_t *x, uint8_t label);

/* Switches class statistics (SPEC.md 6) on, empty, or off (level 0). They lie in what the model leaves of the
 * arena. */
ff_status ff_device_statistics(ff_device *device, uint8_t level);

/* Sets the random state; 0 is refused. */
ff_status ff_device_seed(ff_device *device, uint32_t seed);

/* Region 0: the image as it stands; 1: class statistics. Returns the bytes copied in *count, which says how
 * many may be. */
ff_status ff_device_read(ff_device *device, uint8_t region, ff_size offset, uint8_t *to, ff_size *count);

/* Applies a patch that answers the pull with this ticket. */
ff_status ff_device_patch(ff_device *device, ff_rom patch, ff_size bytes, uint32_t ticket);

/* Most bytes of an object of this kind that a transfer can bring. */
ff_size ff_device_room(const ff_device *device, ff_size kind);

/*
 * Transfer of an object and save: each starts a job, or fails at once. While device->job isn't FF_JOB_NONE,
 * ff_device_step() does a bounded piece of it (one page erased, or up to FF_STEP_BYTES); a code other than
 * FF_OK ended it. Whoever steps, the outcome stays in job_status and job_fault for the one that began it.
 * ff_device_learn(), _seed() and _patch() finish a save that is under way: it must not see weights change.
 */
ff_status ff_device_begin(ff_device *device, ff_size kind, ff_size bytes, uint32_t crc);
ff_status ff_device_write(ff_device *device, ff_size offset, const uint8_t *from, ff_size count);
ff_status ff_device_commit(ff_device *device);
ff_status ff_device_save(ff_device *device);
void ff_device_abort(ff_device *device);
ff_status ff_device_step(ff_device *device);

#endif
