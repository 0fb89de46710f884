/*
 * One link: frames in, requests carried out, responses out (SPEC.md 9). A state machine of bounded steps; the
 * port moves the bytes.
 *
 *   n = ff_link_feed(link, bytes, count)   takes bytes until a request is complete; the port keeps the rest
 *   ff_link_step(link)                     does a bounded piece of work; 1 = there is more to do
 *   n = ff_link_take(link, to, room)       bytes to send
 *
 * A port that wants the next request to come in while this one is being worked on keeps its bytes, by
 * interrupt for instance, and says in device->ahead how many it can keep.
 *
 * Several links may share a device: a long job of one makes the others wait.
 */
#ifndef FF_LINK_H
#define FF_LINK_H

#include "ff_device.h"
#include "ff_frame.h"

typedef struct {
    ff_device *device;
    ff_decoder decoder;
    uint8_t *out;      /* response: encoded from here on */
    uint8_t *raw;      /* the same under construction, far enough behind `out` to be encoded in place */
    ff_size answer;    /* largest payload of a response; that of a request is what the decoder holds */
    ff_size out_count; /* encoded bytes */
    ff_size out_sent;
    uint8_t type, sequence; /* of the request being worked on */
    uint8_t has_request;    /* a frame waits to be worked on */
    uint8_t owns_job;       /* the device's job answers this link's request */
} ff_link;

/* Smallest payload that a link may be made for: the HELLO response with a short name. */
#define FF_LINK_PAYLOAD_LEAST 64u

/* Bytes of buffer that a link needs for requests and answers with these payloads: a request, and an answer
 * raw and encoded. The two bytes in front put a request's payload at a multiple of 4. */
#define FF_LINK_BYTES(request, answer)                                                                       \
    ((2u + (request) + FF_FRAME_OVERHEAD + (answer) + FF_FRAME_OVERHEAD +                                    \
      FF_COBS_OVERHEAD((answer) + FF_FRAME_OVERHEAD) + 3u) &                                                 \
     ~3u)
ff_size ff_link_bytes(ff_size request, ff_size answer);

/* buffer: ff_link_bytes() bytes, aligned to 4. request, answer: largest payloads, FF_LINK_PAYLOAD_LEAST to
 * 65535. */
void ff_link_start(ff_link *link, ff_device *device, uint8_t *buffer, ff_size request, ff_size answer);

#if FF_STAGES
/*
 * For ports that work on several samples at once: INFER and LEARN are taken out of the link's hands, and
 * answered when they are done, in their order. Anything else waits until no answer is owed.
 */
typedef struct {
    const uint8_t *x;       /* (raw), valid until the next ff_link_feed() */
    uint32_t index;         /* of LEARN */
    uint8_t label;          /* a class; to infer, FF_NO_LABEL as well */
    uint8_t learn;          /* LEARN: counted already, by index and in the class statistics */
    uint8_t type, sequence; /* of the request */
} ff_sample;

/* Takes the request that waits if it is a sample that the device's model can work on; the link goes on to the
 * next one. 0: it isn't, or there is none; ff_link_step() works on it. */
uint8_t ff_link_sample(ff_link *link, ff_sample *sample);

/* Answers it, when the answer before has been taken. */
void ff_link_answer(ff_link *link, const ff_sample *sample, const ff_result *result);
#endif

ff_size ff_link_feed(ff_link *link, const uint8_t *bytes, ff_size count);
uint8_t ff_link_step(ff_link *link);
ff_size ff_link_take(ff_link *link, uint8_t *to, ff_size room);

#endif
