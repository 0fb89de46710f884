#include "ff_link.h"
#include "kernels/ff_layout.h"

#define PROTOCOL 2u

enum {
    HELLO = 0x01,
    STATUS = 0x02,
    RELOAD = 0x03,
    RESET = 0x04,
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

/* Bytes of the HELLO response in front of the name, its status included. */
#define HELLO_BYTES 49u

ff_size ff_link_bytes(ff_size request, ff_size answer) {
    return (ff_size)FF_LINK_BYTES(request, answer);
}

void ff_link_start(ff_link *link, ff_device *device, uint8_t *buffer, ff_size request, ff_size answer) {
    ff_clear(link, sizeof *link);
    link->device = device;
    link->answer = answer;
    link->decoder.buffer = buffer + 2;
    link->decoder.capacity = (ff_size)(request + FF_FRAME_OVERHEAD);
    link->out = link->decoder.buffer + link->decoder.capacity;
    link->raw = link->out + FF_COBS_OVERHEAD(answer + FF_FRAME_OVERHEAD);
}

ff_size ff_link_feed(ff_link *link, const uint8_t *bytes, ff_size count) {
    ff_size used = 0;
    while (used < count && !link->has_request)
        if (ff_decode(&link->decoder, bytes[used++])) link->has_request = 1;
    return used;
}

/* What writes a response takes the place to write to, and returns the place behind what it wrote. */
static uint8_t *put(uint8_t *to, const void *from, ff_size count) {
    ff_copy(to, from, count);
    return to + count;
}

static uint8_t *put16(uint8_t *to, uint16_t v) {
    return put(to, &v, sizeof v);
}

static uint8_t *put32(uint8_t *to, uint32_t v) {
    return put(to, &v, sizeof v);
}

/* A length or an offset: 32 bits in every build. */
#if FF_SMALL
static uint8_t *put_size(uint8_t *to, ff_size v) {
    return put32(to, v);
}
#else
#define put_size put32
#endif

/* `count` bytes of the state; zeros without a model. */
static uint8_t *put_state(const ff_device *device, uint8_t *to, uint8_t at, uint8_t count) {
    if (device->loaded) return put(to, device->model.state + at, count);
    ff_clear(to, count);
    return to + count;
}

FF_INLINE uint8_t *put_hello(const ff_link *link, uint8_t *to) {
    const ff_device *device = link->device;
    uint8_t capabilities = (FF_LEARN ? 1 : 0) | (FF_LEARN && FF_STATISTICS ? 2 : 0) | (FF_RECORDS ? 8 : 0) |
                           (FF_NIBBLES ? 32 : 0) | (FF_STAGES ? 64 : 0);
    if (device->keeps_store) capabilities |= 4;
    if (device->can_restart) capabilities |= 16;
    to = put16(to, PROTOCOL);
    to = put16(to, 2);
    *to++ = capabilities;
    *to++ = device->window;
    to = put16(to, (uint16_t)(link->decoder.capacity - FF_FRAME_OVERHEAD));
    to = put16(to, (uint16_t)link->answer);
    to = put_size(to, ff_device_room(device, FF_KIND_IMAGE));
    to = put_size(to, ff_device_room(device, FF_KIND_PATCH));
    to = put_size(to, device->arena_bytes);
    to = put_size(to, device->arena_used);
    *to++ = device->loaded;
    *to++ = device->load_status;
    to = put(to, &device->model, 4); /* raw inputs, classes, layers */
    to = put_size(to, device->model.image_bytes);
    to = put_state(device, to, FF_AT_BASE, 4);
    to = put_state(device, to, FF_AT_SAMPLES, 4);
    to = put16(to, device->ahead);
    to = put16(to, FF_LAYOUTS);
    const char *name = device->target;
    for (uint8_t left = FF_LINK_PAYLOAD_LEAST - HELLO_BYTES; *name && left; left--)
        *to++ = (uint8_t)*name++;
    return to;
}

FF_INLINE uint8_t *put_status(const ff_link *link, uint8_t *to) {
    const ff_device *device = link->device;
    to = put_state(device, to, FF_AT_BASE, 8);     /* and t */
    to = put_state(device, to, FF_AT_SAMPLES, 20); /* and all counters */
    to = put32(to, link->decoder.dropped);
    return put(to, &device->last, 20); /* microseconds and boot, too */
}

/* Length of a sample behind `head` bytes: exactly what the model takes. */
static ff_status check_sample(ff_device *device, ff_size count, uint8_t head) {
    const ff_size sample = (ff_size)(count - head);
    if (!device->loaded) return ff_fail(&device->fault, FF_NO_MODEL, 0, 0);
    if (count >= head && sample == device->model.raw) return FF_OK;
    return ff_fail32(&device->fault, FF_LENGTH, (uint32_t)device->model.raw + head, count);
}

static ff_status trace(const ff_link *link, const uint8_t *p, ff_size count, uint8_t **to) {
    ff_device *device = link->device;
    ff_status status = check_sample(device, count, 5);
    if (status != FF_OK) return status;
    ff_model *model = &device->model;
    const uint8_t layer = p[0];
    if (layer >= model->layers) return ff_fail(&device->fault, FF_RANGE, model->layers, layer);
    uint16_t part[2]; /* from, number */
    ff_copy(part, p + 1, sizeof part);
    const uint16_t m = model->layer[layer].m, most = (uint16_t)((link->answer - 1) / 2);
    if (part[0] > m || part[1] > m - part[0])
        return ff_fail32(&device->fault, FF_RANGE, m, (uint32_t)part[0] + part[1]);
    if (part[1] > most) return ff_fail(&device->fault, FF_RANGE, most, part[1]);
    ff_forward(model, p + 5, 0, layer, 0);
    *to = put(*to, ff_activity(model) + part[0], (ff_size)(2 * (ff_size)part[1]));
    return FF_OK;
}

#if FF_STAGES
/* Bytes that an answer to INFER or LEARN has beside the result: those of the layer above. */
static ff_size onward_bytes(const ff_model *model) {
    return ff_hands_on(model) ? (ff_size)(4u * model->classes + model->layer[model->layers - 1].m) : 0;
}

/* Before anything is done with a sample: whether its answer, `head` bytes and the result, fits a frame. */
static ff_status check_answer(const ff_link *link, uint8_t head) {
    ff_device *device = link->device;
    const ff_size bytes = (ff_size)(head + sizeof device->last + onward_bytes(&device->model));
    return bytes <= link->answer ? FF_OK : ff_fail(&device->fault, FF_RANGE, link->answer, bytes);
}

/* The answer that is kept, or is to be, for a sample. */
static uint8_t *kept_answer(const ff_device *device, uint32_t index) {
    return device->model.kept + (index & (FF_ANSWERS_KEPT - 1)) * ff_model_answer(&device->model);
}

static void keep_answer(ff_device *device, uint32_t index) {
    uint8_t *answer = kept_answer(device, index);
    ff_copy(answer, &device->last, sizeof device->last);
    ff_onward(&device->model, answer + sizeof device->last);
    if (device->kept < FF_ANSWERS_KEPT) device->kept++;
}
#endif

FF_INLINE ff_status learn(ff_device *device, const uint8_t *p, ff_size count, uint8_t **to) {
    ff_status status = check_sample(device, count, 5);
    if (status != FF_OK) return status;
    const uint32_t index = ff_at32(p);
    const uint8_t expected = index == device->next_index;
    if (expected) {
        status = ff_device_learn(device, p + 5, p[4]);
        if (status != FF_OK) return status;
        device->next_index++;
    }
    uint8_t *result = put32(*to, device->next_index);
    *to = put(result, &device->last, sizeof device->last);
#if FF_STAGES
    if (ff_hands_on(&device->model)) {
        if (expected) keep_answer(device, index);
        if ((uint32_t)(device->next_index - 1 - index) < device->kept) {
            *to = put(result, kept_answer(device, index),
                      (ff_size)(sizeof device->last + onward_bytes(&device->model)));
            return FF_OK;
        }
    }
#endif
    if (!expected) ff_clear(result, sizeof device->last);
    return FF_OK;
}

static ff_status read(const ff_link *link, const uint8_t *p, uint8_t **to) {
    ff_device *device = link->device;
    uint32_t words[2];
    uint8_t *part = (uint8_t *)words; /* offset, count */
    ff_copy(part, p + 1, 6);
    ff_size count = ff_at16(part + 4);
    const ff_size most = (ff_size)(link->answer - 1);
    if (count > most) return ff_fail(&device->fault, FF_RANGE, most, count);
    ff_status status = ff_device_read(device, p[0], ff_get_size(part), *to, &count);
    if (status == FF_OK) *to += count;
    return status;
}

/* Payload length that a request must have; 0xFF = checked by the request itself. */
FF_INLINE uint8_t fixed_length(uint8_t type) {
    static const FF_TABLE uint8_t LENGTH[][2] = {
        {HELLO, 2},  {STATUS, 0}, {RELOAD, 0},     {RESET, 1}, {BEGIN, 12}, {COMMIT, 0}, {ABORT, 0},
        {STREAM, 4}, {SEED, 4},   {STATISTICS, 1}, {READ, 7},  {TICKET, 4}, {SAVE, 0},
    };
    for (uint_fast8_t i = 0; i < sizeof LENGTH / sizeof LENGTH[0]; i++)
        if (LENGTH[i][0] == type) return LENGTH[i][1];
    return 0xFF;
}

/* Carries out a request, or starts the job that does. */
static ff_status dispatch(ff_link *link, uint8_t type, const uint8_t *p, ff_size count, uint8_t **end) {
    ff_device *device = link->device;
    uint8_t *to = *end;
    ff_fault *fault = &device->fault;
    ff_status status = FF_OK;
    const uint8_t length = fixed_length(type);
    ff_clear(fault, sizeof *fault);
    if (length != 0xFF && count != length) return ff_fail(fault, FF_LENGTH, length, count);
    /* A transfer belongs to the link whose BEGIN came last. */
    if (((type == WRITE && count >= 4) || type == COMMIT || type == ABORT) && device->client != link)
        return type == ABORT ? FF_OK : ff_fail(fault, FF_NO_TRANSFER, 0, 0);
    switch (type) {
    case HELLO:
        if (ff_at16(p) != PROTOCOL) return ff_fail(fault, FF_VERSION, PROTOCOL, ff_at16(p));
        to = put_hello(link, to);
        break;
    case STATUS:
        to = put_status(link, to);
        break;
    case RELOAD:
        return ff_device_start(device);
    case RESET:
        if (!device->can_restart) return ff_fail(fault, FF_COMMAND, 0, type);
        if (p[0] > 1) return ff_fail(fault, FF_ARGUMENT, 1, p[0]);
        device->restart = (uint8_t)(p[0] + 1);
        break;
    case BEGIN:
        device->client = link;
        return ff_device_begin(device, ff_get_size(p), ff_get_size(p + 4), ff_at32(p + 8));
    case WRITE:
        if (count < 4) return ff_fail(fault, FF_LENGTH, 4, count);
        status = ff_device_write(device, ff_get_size(p), p + 4, (ff_size)(count - 4));
        to = put_size(to, device->received);
        break;
    case COMMIT:
        return ff_device_commit(device);
    case ABORT:
        ff_device_abort(device);
        break;
    case INFER:
        status = check_sample(device, count, 1);
#if FF_STAGES
        if (status == FF_OK) status = check_answer(link, 1);
#endif
        if (status == FF_OK) status = ff_device_infer(device, p + 1, p[0]);
        to = put(to, &device->last, sizeof device->last);
#if FF_STAGES
        if (status == FF_OK && ff_hands_on(&device->model)) to += ff_onward(&device->model, to);
#endif
        break;
    case TRACE:
        return trace(link, p, count, end);
    case LEARN:
#if FF_STAGES
        status = check_answer(link, 5);
        if (status != FF_OK) return status;
#endif
        return learn(device, p, count, end);
    case STREAM:
        device->next_index = ff_at32(p);
#if FF_STAGES
        device->kept = 0;
#endif
        break;
    case SEED:
        return ff_device_seed(device, ff_at32(p));
    case STATISTICS:
        status = ff_device_statistics(device, p[0]);
        to = put_size(to, device->statistics.bytes);
        break;
    case READ:
        return read(link, p, end);
    case TICKET:
        if (!device->loaded) return ff_fail(fault, FF_NO_MODEL, 0, 0);
        if (ff_at32(p) == 0) return ff_fail(fault, FF_ARGUMENT, 1, 0);
        device->ticket = ff_at32(p);
        to = put(to, device->model.state + FF_AT_BASE, 8); /* base id and t stand side by side */
        break;
    case SAVE:
        return ff_device_save(device);
    default:
        return ff_fail(fault, FF_COMMAND, 0, type);
    }
    *end = to;
    return status;
}

/* Encodes the response to a request, whose payload ends at `to`. */
FF_INLINE void encode(ff_link *link, uint8_t type, uint8_t sequence, const uint8_t *to) {
    uint8_t *raw = link->raw;
    raw[0] = type | 0x80;
    raw[1] = sequence;
    link->out_count = ff_encode(link->out, raw, (ff_size)(to - raw));
    link->out_sent = 0;
}

FF_INLINE void respond(ff_link *link, ff_status status, uint8_t *to) {
    uint8_t *raw = link->raw;
    raw[2] = (uint8_t)status;
    if (status != FF_OK) to = put(raw + 3, &link->device->fault, sizeof link->device->fault);
    encode(link, link->type, link->sequence, to);
    link->has_request = 0;
    link->owns_job = 0;
}

/* What the request that a job answers has to say when it is done. */
FF_INLINE uint8_t *put_outcome(const ff_link *link, uint8_t *to) {
    const ff_device *device = link->device;
    if (link->type == BEGIN) return put_size(to, device->received);
    if (link->type == COMMIT) return put_state(device, to, FF_AT_BASE, 4);
    return link->type == SAVE ? put32(to, device->store.sequence) : to;
}

uint8_t ff_link_step(ff_link *link) {
    ff_device *device = link->device;
    if (!link->has_request || link->out_sent < link->out_count) return 0; /* one response at a time */
    uint8_t *to = link->raw + 3;
    ff_status status;
    /* Whoever is stepped drives the job on: the link that began it may have lost its client. */
    if (device->job != FF_JOB_NONE && (ff_device_step(device), !link->owns_job)) return 1;
    if (link->owns_job) {
        status = (ff_status)device->job_status;
        device->fault = device->job_fault;
    } else {
        const uint8_t *request = link->decoder.buffer;
        link->type = request[0];
        link->sequence = request[1];
        status = dispatch(link, request[0], request + 2, (ff_size)(link->decoder.count - 2), &to);
    }
    if (status == FF_OK && device->job != FF_JOB_NONE) {
        link->owns_job = 1;
        return 1;
    }
    respond(link, status, put_outcome(link, to));
    return 1;
}

#if FF_STAGES
uint8_t ff_link_sample(ff_link *link, ff_sample *sample) {
    ff_device *device = link->device;
    const ff_model *model = &device->model;
    const uint8_t *request = link->decoder.buffer, *p = request + 2;
    if (!link->has_request || link->owns_job || device->job != FF_JOB_NONE || !device->loaded) return 0;
    const uint8_t learns = request[0] == LEARN, head = learns ? 5 : 1;
    if (!learns && request[0] != INFER) return 0;
    if (link->decoder.count != (ff_size)((ff_size)model->raw + head + 2)) return 0;
    sample->label = p[head - 1];
    if (sample->label >= model->classes && (learns || sample->label != FF_NO_LABEL)) return 0;
    if (learns) {
        if (!model->learning || ff_at32(p) != device->next_index) return 0;
        sample->index = device->next_index++;
#if FF_LEARN && FF_STATISTICS
        ff_statistics_add(&device->statistics, p + head, sample->label);
#endif
    }
    sample->x = p + head;
    sample->learn = learns;
    sample->type = request[0];
    sample->sequence = request[1];
    link->has_request = 0;
    return 1;
}

void ff_link_answer(ff_link *link, const ff_sample *sample, const ff_result *result) {
    uint8_t *to = link->raw + 2;
    *to++ = FF_OK;
    if (sample->learn) to = put32(to, sample->index + 1);
    encode(link, sample->type, sample->sequence, put(to, result, sizeof *result));
}
#endif

ff_size ff_link_take(ff_link *link, uint8_t *to, ff_size room) {
    ff_size count = (ff_size)(link->out_count - link->out_sent);
    if (count > room) count = room;
    ff_copy(to, link->out + link->out_sent, count);
    link->out_sent = (ff_size)(link->out_sent + count);
    return count;
}
