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

typedef enum { FF_JOB_NONE, FF_JOB_BEGIN, FF_JOB_COMMIT, FF_JOB_SAVE } ff_job;

typedef struct {
    /* set by the port before ff_device_start() */
    ff_flash flash;
    uint8_t *arena; /* aligned to 4 */
    uint32_t arena_bytes;
    const char *target; /* name in the HELLO response */
    uint8_t window; /* frames that may be on their way to the device: 1 unless the port holds bytes back */
    uint8_t keeps_store; /* the flash survives a power cut */

    /* read by anybody */
    uint8_t loaded;
    uint8_t load_status; /* ff_status of the last load */
    uint32_t arena_used;
    ff_fault fault; /* of the last call that failed */
    ff_result last; /* of the last sample */

    /* private */
    ff_statistics statistics;
    ff_store store;
    uint32_t ticket;
    uint32_t next_index;
    ff_job job;
    uint8_t job_status; /* ff_status that the last job ended with, its fault beside it */
    ff_fault job_fault;
    const void *client; /* whoever began the transfer: a link */
    uint8_t job_phase;
    uint8_t committed; /* the last transfer ended in a COMMIT that may be asked for again */
    uint8_t transferring;
    uint32_t kind, bytes, crc, received;
    uint32_t cursor, image_crc, object_crc;

    ff_model model; /* valid while loaded; last, so that the rest is near in code */
} ff_device;

/* As after power on: takes the newest whole image of the store. Without one: FF_NO_MODEL, and the device
 * waits for one. */
ff_status ff_device_start(ff_device *device);

/* Takes an image from memory that stays as it is (no store involved). */
ff_status ff_device_load(ff_device *device, const uint8_t *image, uint32_t bytes);

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
ff_status ff_device_read(ff_device *device, uint8_t region, uint32_t offset, uint8_t *to, uint32_t *count);

/* Applies a patch that answers the pull with this ticket. */
ff_status ff_device_patch(ff_device *device, const uint8_t *patch, uint32_t bytes, uint32_t ticket);

/*
 * Transfer of an object and save: each starts a job, or fails at once. While device->job isn't FF_JOB_NONE,
 * ff_device_step() does a bounded piece of it (one page erased, or up to 256 bytes); a code other than FF_OK
 * ended it. Whoever steps, the outcome stays in job_status and job_fault for the one that began it.
 * ff_device_learn(), _seed() and _patch() finish a save that is under way: it must not see weights change.
 */
ff_status ff_device_begin(ff_device *device, uint32_t kind, uint32_t bytes, uint32_t crc);
ff_status ff_device_write(ff_device *device, uint32_t offset, const uint8_t *from, uint32_t count);
ff_status ff_device_commit(ff_device *device);
ff_status ff_device_save(ff_device *device);
void ff_device_abort(ff_device *device);
ff_status ff_device_step(ff_device *device);

#endif
