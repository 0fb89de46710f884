#include "ff_link.h"
#include "ff_bytes.h"

#define PROTOCOL 1u

enum {
    HELLO = 0x01,
    STATUS = 0x02,
    RELOAD = 0x03,
    BEGIN = 0x10,
    WRITE = 0x11,
    COMMIT = 0x12,
    ABORT = 0x13,
    INFER = 0x20,
    TRACE = 0x21,
    LEARN = 0x22,
    STREAM = 0x23,
    SEED = 0x24,
    STATISTICS = 0x25,
    READ = 0x30,
    TICKET = 0x31,
    SAVE = 0x32
};

/* The response under construction: raw, far enough behind `out` to be encoded in place. */
static uint8_t *raw_response(ff_link *link) {
    uint32_t overhead = FF_COBS_OVERHEAD(link->payload + FF_FRAME_OVERHEAD);
    return link->out + ((overhead + 3) & ~(uint32_t)3) +
           2; /* the payload's status byte is at 4k, its data at 4k + 1 */
}

static uint32_t request_room(uint32_t payload) {
    return (payload + FF_FRAME_OVERHEAD + 3) & ~(uint32_t)3;
}

uint32_t ff_link_bytes(uint32_t payload) {
    uint32_t frame = payload + FF_FRAME_OVERHEAD;
    /* request: 2 bytes in front put the payload at a multiple of 4 */
    return 4 + request_room(payload) + ((FF_COBS_OVERHEAD(frame) + frame + 9) & ~(uint32_t)3);
}

void ff_link_start(ff_link *link, ff_device *device, uint8_t *buffer, uint32_t payload) {
    ff_clear(link, sizeof *link);
    link->device = device;
    link->payload = payload;
    link->decoder.buffer = buffer + 2;
    link->decoder.capacity = payload + FF_FRAME_OVERHEAD;
    link->out = buffer + 4 + request_room(payload);
}

uint32_t ff_link_feed(ff_link *link, const uint8_t *bytes, uint32_t count) {
    uint32_t used = 0;
    while (used < count && !link->has_request)
        if (ff_decode(&link->decoder, bytes[used++])) link->has_request = 1;
    return used;
}

/* A writer for the response's payload, behind the status byte. */
typedef struct {
    uint8_t *p;
} writer;

static void put8(writer *w, uint8_t v) {
    *w->p++ = v;
}

static void put16(writer *w, uint16_t v) {
    ff_put16(w->p, v);
    w->p += 2;
}

static void put32(writer *w, uint32_t v) {
    ff_put32(w->p, v);
    w->p += 4;
}

static void put_result(writer *w, const ff_result *result) {
    put8(w, result->class_);
    put8(w, result->flags);
    put16(w, 0);
    put32(w, result->score);
    put32(w, result->label_score);
}

static uint32_t state32(const ff_device *device, uint32_t at) {
    return device->loaded ? ff_get32(device->model.state + at) : 0;
}

static void put_hello(const ff_link *link, writer *w) {
    const ff_device *device = link->device;
    const uint32_t slot = device->flash.slot_bytes;
    put16(w, PROTOCOL);
    put16(w, 1);
    put8(w, (uint8_t)((FF_LEARN ? 3 : 0) | (device->keeps_store ? 4 : 0)));
    put8(w, device->window);
    put16(w, (uint16_t)link->payload);
    put16(w, (uint16_t)link->payload);
    put32(w, slot > FF_SLOT_HEADER ? slot - FF_SLOT_HEADER : 0);
    put32(w, device->arena_bytes);
    put32(w, device->arena_used);
    put8(w, device->loaded);
    put8(w, device->load_status);
    put16(w, device->loaded ? device->model.raw : 0);
    put8(w, device->loaded ? device->model.classes : 0);
    put8(w, device->loaded ? device->model.layers : 0);
    put32(w, device->loaded ? device->model.image_bytes : 0);
    put32(w, state32(device, FF_AT_BASE));
    put32(w, state32(device, FF_AT_SAMPLES));
    for (const char *name = device->target;
         *name && (uint32_t)(name - device->target) < FF_LINK_PAYLOAD_LEAST - 47; name++)
        put8(w, (uint8_t)*name);
}

static void put_status(const ff_link *link, writer *w) {
    const ff_device *device = link->device;
    static const uint8_t AT[] = {FF_AT_BASE,         FF_AT_T,      FF_AT_SAMPLES,
                                 FF_AT_UPDATES,      FF_AT_ERRORS, FF_AT_FALSE_REJECTS,
                                 FF_AT_FALSE_ACCEPTS};
    for (unsigned i = 0; i < sizeof AT; i++)
        put32(w, state32(device, AT[i]));
    put32(w, link->decoder.dropped);
    put_result(w, &device->last);
}

/* Length of a sample behind `head` bytes: exactly what the model takes. */
static ff_status check_sample(ff_device *device, uint32_t count, uint32_t head) {
    if (!device->loaded) return ff_fail(&device->fault, FF_NO_MODEL, 0, 0);
    uint32_t want = head + device->model.raw;
    return count == want ? FF_OK : ff_fail(&device->fault, FF_LENGTH, want, count);
}

static ff_status trace(ff_link *link, const uint8_t *p, uint32_t count, writer *w) {
    ff_device *device = link->device;
    ff_status status = check_sample(device, count, 5);
    if (status != FF_OK) return status;
    ff_model *model = &device->model;
    if (p[0] >= model->layers) return ff_fail(&device->fault, FF_RANGE, model->layers, p[0]);
    uint32_t from = ff_get16(p + 1), number = ff_get16(p + 3), m = model->layer[p[0]].m;
    if (from + number > m) return ff_fail(&device->fault, FF_RANGE, m, from + number);
    if (1 + 2 * number > link->payload)
        return ff_fail(&device->fault, FF_RANGE, (link->payload - 1) / 2, number);
    ff_forward(model, p + 5, 0, p[0], 0);
    for (uint32_t j = 0; j < number; j++)
        put16(w, ff_activity(model)[from + j]);
    return FF_OK;
}

static ff_status learn(ff_device *device, const uint8_t *p, uint32_t count, writer *w) {
    static const ff_result NOTHING = {0, 0, 0, 0};
    ff_status status = check_sample(device, count, 5);
    if (status != FF_OK) return status;
    const int expected = ff_get32(p) == device->next_index;
    if (expected) {
        status = ff_device_learn(device, p + 5, p[4]);
        if (status != FF_OK) return status;
        device->next_index++;
    }
    put32(w, device->next_index);
    put_result(w, expected ? &device->last : &NOTHING);
    return FF_OK;
}

static ff_status read(ff_link *link, const uint8_t *p, writer *w) {
    uint32_t count = ff_get16(p + 5);
    if (count > link->payload - 1) return ff_fail(&link->device->fault, FF_RANGE, link->payload - 1, count);
    ff_status status = ff_device_read(link->device, p[0], ff_get32(p + 1), w->p, &count);
    if (status == FF_OK) w->p += count;
    return status;
}

/* Payload length that a request must have; 0xFF = checked by the request itself. */
static uint8_t fixed_length(uint8_t type) {
    switch (type) {
    case HELLO:
        return 2;
    case STATUS:
    case RELOAD:
    case COMMIT:
    case ABORT:
    case SAVE:
        return 0;
    case BEGIN:
        return 12;
    case STREAM:
    case SEED:
    case TICKET:
        return 4;
    case STATISTICS:
        return 1;
    case READ:
        return 7;
    default:
        return 0xFF;
    }
}

/* Carries out a request, or starts the job that does. */
static ff_status dispatch(ff_link *link, uint8_t type, const uint8_t *p, uint32_t count, writer *w) {
    ff_device *device = link->device;
    ff_status status = FF_OK;
    const uint8_t length = fixed_length(type);
    device->fault.expected = device->fault.got = 0;
    if (length != 0xFF && count != length) return ff_fail(&device->fault, FF_LENGTH, length, count);
    /* A transfer belongs to the link whose BEGIN came last. */
    if (((type == WRITE && count >= 4) || type == COMMIT || type == ABORT) && device->client != link)
        return type == ABORT ? FF_OK : ff_fail(&device->fault, FF_NO_TRANSFER, 0, 0);
    switch (type) {
    case HELLO:
        if (ff_get16(p) != PROTOCOL) return ff_fail(&device->fault, FF_VERSION, PROTOCOL, ff_get16(p));
        put_hello(link, w);
        return FF_OK;
    case STATUS:
        put_status(link, w);
        return FF_OK;
    case RELOAD:
        return ff_device_start(device);
    case BEGIN:
        device->client = link;
        return ff_device_begin(device, ff_get32(p), ff_get32(p + 4), ff_get32(p + 8));
    case WRITE:
        if (count < 4) return ff_fail(&device->fault, FF_LENGTH, 4, count);
        status = ff_device_write(device, ff_get32(p), p + 4, count - 4);
        put32(w, device->received);
        return status;
    case COMMIT:
        return ff_device_commit(device);
    case ABORT:
        ff_device_abort(device);
        return FF_OK;
    case INFER:
        status = check_sample(device, count, 1);
        if (status == FF_OK) status = ff_device_infer(device, p + 1, p[0]);
        put_result(w, &device->last);
        return status;
    case TRACE:
        return trace(link, p, count, w);
    case LEARN:
        return learn(device, p, count, w);
    case STREAM:
        device->next_index = ff_get32(p);
        return FF_OK;
    case SEED:
        return ff_device_seed(device, ff_get32(p));
    case STATISTICS:
        status = ff_device_statistics(device, p[0]);
        put32(w, device->statistics.bytes);
        return status;
    case READ:
        return read(link, p, w);
    case TICKET:
        if (!device->loaded) return ff_fail(&device->fault, FF_NO_MODEL, 0, 0);
        if (ff_get32(p) == 0) return ff_fail(&device->fault, FF_ARGUMENT, 1, 0);
        device->ticket = ff_get32(p);
        put32(w, state32(device, FF_AT_BASE));
        put32(w, state32(device, FF_AT_T));
        return FF_OK;
    case SAVE:
        return ff_device_save(device);
    default:
        return ff_fail(&device->fault, FF_COMMAND, 0, type);
    }
}

/* Encodes the response whose payload (behind the status byte) ends at w->p. */
static void respond(ff_link *link, ff_status status, writer *w) {
    uint8_t *raw = raw_response(link);
    raw[0] = link->type | 0x80;
    raw[1] = link->sequence;
    raw[2] = (uint8_t)status;
    if (status != FF_OK) {
        w->p = raw + 3;
        put32(w, link->device->fault.expected);
        put32(w, link->device->fault.got);
    }
    link->out_count = ff_encode(link->out, raw, (uint32_t)(w->p - raw));
    link->out_sent = 0;
    link->has_request = 0;
    link->owns_job = 0;
}

/* What the request that a job answers has to say when it is done. */
static void put_outcome(const ff_link *link, writer *w) {
    const ff_device *device = link->device;
    if (link->type == BEGIN)
        put32(w, device->received);
    else if (link->type == COMMIT)
        put32(w, state32(device, FF_AT_BASE));
    else if (link->type == SAVE)
        put32(w, device->store.sequence);
}

int ff_link_step(ff_link *link) {
    ff_device *device = link->device;
    if (!link->has_request || link->out_sent < link->out_count) return 0; /* one response at a time */
    writer w = {raw_response(link) + 3};
    ff_status status;
    /* Whoever is stepped drives the job on: the link that began it may have lost its client. */
    if (device->job != FF_JOB_NONE && (ff_device_step(device), !link->owns_job)) return 1;
    if (link->owns_job) {
        status = (ff_status)device->job_status;
        device->fault = device->job_fault;
    } else {
        link->type = link->decoder.buffer[0];
        link->sequence = link->decoder.buffer[1];
        status = dispatch(link, link->type, link->decoder.buffer + 2, link->decoder.count - 2, &w);
    }
    if (status == FF_OK && device->job != FF_JOB_NONE) {
        link->owns_job = 1;
        return 1;
    }
    if (link->type == BEGIN || link->type == COMMIT || link->type == SAVE) put_outcome(link, &w);
    respond(link, status, &w);
    return 1;
}

uint32_t ff_link_take(ff_link *link, uint8_t *to, uint32_t room) {
    uint32_t count = link->out_count - link->out_sent;
    if (count > room) count = room;
    ff_copy(to, link->out + link->out_sent, count);
    link->out_sent += count;
    return count;
}
