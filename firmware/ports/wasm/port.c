/*
 * The core as a WebAssembly module: the device of `--port sim`, and the in-process learner. The host owns the
 * memory: it puts flash, arena and link buffers behind heap_base() and hands the addresses in. Direct calls
 * and links work on the same device.
 */
#include "goodness.h"
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define LINKS 4

/* The host's addresses. In a build with FF_ROM_FAR, which serves tests, they go through the core as numbers.
 */
#if FF_ROM_FAR
#define ROM(p) ((ff_rom)(uintptr_t)(p))

void ff_rom_read(void *to, ff_rom at, uint32_t count) {
    memcpy(to, (const void *)(uintptr_t)at, count);
}
#else
#define ROM(p) (p)
#endif

extern unsigned char __heap_base;

static ff_device device;
static ff_link links[LINKS];
static uint8_t *flash;
static uint32_t flash_writes; /* programs and erases so far */

static int erase(void *user, uint32_t offset) {
    (void)user;
    memset(flash + offset, 0xFF, device.flash.page_bytes);
    flash_writes++;
    return 0;
}

/* Like NOR flash: bits only go from 1 to 0. */
static int program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    (void)user;
    for (uint32_t i = 0; i < count; i++)
        flash[offset + i] &= from[i];
    flash_writes++;
    return 0;
}

EXPORT(heap_base) uint32_t heap_base(void) {
    return (uint32_t)(uintptr_t)&__heap_base;
}

EXPORT(port_link_bytes) uint32_t port_link_bytes(uint32_t request, uint32_t answer) {
    return ff_link_bytes(request, answer);
}

EXPORT(port_init)
int32_t port_init(uint8_t *flash_at, uint32_t slot_bytes, uint32_t page_bytes, uint8_t *arena,
                  uint32_t arena_bytes, uint8_t *link_buffers, uint32_t link_bytes, uint32_t request,
                  uint32_t answer, uint8_t window, uint16_t ahead) {
    if (request < FF_LINK_PAYLOAD_LEAST || request > 65535) return -FF_ARGUMENT;
    if (answer < FF_LINK_PAYLOAD_LEAST || answer > 65535) return -FF_ARGUMENT;
    if (link_bytes < ff_link_bytes(request, answer) || window == 0) return -FF_ARGUMENT;
    if (page_bytes == 0 || slot_bytes % page_bytes || page_bytes % 4) return -FF_ARGUMENT;
    memset(&device, 0, sizeof device);
    flash = flash_at;
    device.flash.map = ROM(flash_at);
    device.flash.slot_bytes = slot_bytes;
    device.flash.page_bytes = page_bytes;
    device.flash.erase = erase;
    device.flash.program = program;
    device.arena = arena;
    device.arena_bytes = arena_bytes;
    device.target = "wasm";
    device.window = window;
    device.ahead = ahead;
    device.keeps_store = 1;
    for (uint32_t i = 0; i < LINKS; i++)
        ff_link_start(&links[i], &device, link_buffers + i * link_bytes, request, answer);
    return 0;
}

EXPORT(port_boot) int32_t port_boot(void) {
    return ff_device_start(&device);
}

EXPORT(port_feed) uint32_t port_feed(uint32_t link, const uint8_t *bytes, uint32_t count) {
    return link < LINKS ? ff_link_feed(&links[link], bytes, count) : 0;
}

EXPORT(port_step) uint32_t port_step(void) {
    uint32_t more = 0;
    for (uint32_t i = 0; i < LINKS; i++)
        more |= (uint32_t)ff_link_step(&links[i]);
    return more;
}

EXPORT(port_take) uint32_t port_take(uint32_t link, uint8_t *to, uint32_t room) {
    return link < LINKS ? ff_link_take(&links[link], to, room) : 0;
}

EXPORT(port_model) int32_t port_model(const uint8_t *image, uint32_t bytes) {
    return -(int32_t)ff_device_load(&device, ROM(image), bytes);
}

EXPORT(port_fault) void port_fault(uint32_t *out) {
    out[0] = device.fault.expected;
    out[1] = device.fault.got;
}

EXPORT(port_arena_used) uint32_t port_arena_used(void) {
    return device.arena_used;
}

static void put_result(uint8_t *out) {
    const ff_result *last = &device.last;
    out[0] = last->class_;
    out[1] = last->flags;
    out[2] = out[3] = 0;
    memcpy(out + 4, &last->score, 4);
    memcpy(out + 8, &last->label_score, 4);
}

EXPORT(port_infer) int32_t port_infer(const uint8_t *x, uint32_t label, uint8_t *out) {
    ff_status status = ff_device_infer(&device, x, (uint8_t)label);
    put_result(out);
    return -(int32_t)status;
}

EXPORT(port_learn) int32_t port_learn(const uint8_t *x, uint32_t label, uint8_t *out) {
    ff_status status = ff_device_learn(&device, x, (uint8_t)label);
    put_result(out);
    return -(int32_t)status;
}

EXPORT(port_infer_many)
int32_t port_infer_many(const uint8_t *xs, const uint8_t *labels, uint32_t count, uint8_t *out) {
    for (uint32_t i = 0; i < count; i++) {
        int32_t status =
            port_infer(xs + i * device.model.raw, labels ? labels[i] : FF_NO_LABEL, out + 12 * i);
        if (status < 0) return status;
    }
    return 0;
}

EXPORT(port_learn_many)
int32_t port_learn_many(const uint8_t *xs, const uint8_t *labels, uint32_t count, uint8_t *out) {
    for (uint32_t i = 0; i < count; i++) {
        int32_t status = port_learn(xs + i * device.model.raw, labels[i], out + 12 * i);
        if (status < 0) return status;
    }
    return 0;
}

EXPORT(port_trace) int32_t port_trace(const uint8_t *x, uint32_t layer, uint16_t *out) {
    if (!device.loaded) return -FF_NO_MODEL;
    if (layer >= device.model.layers) return -FF_RANGE;
    ff_forward(&device.model, x, 0, (uint8_t)layer, 0);
    memcpy(out, ff_activity(&device.model), 2 * (uint32_t)device.model.layer[layer].m);
    return 0;
}

EXPORT(port_scores) const uint32_t *port_scores(void) {
    return device.model.score;
}

/* What the layers above get of the sample that was passed last; 0 bytes if there are none. */
EXPORT(port_onward) uint32_t port_onward(uint8_t *to) {
    return device.loaded && ff_hands_on(&device.model) ? ff_onward(&device.model, to) : 0;
}

EXPORT(port_seed) int32_t port_seed(uint32_t seed) {
    return -(int32_t)ff_device_seed(&device, seed);
}

EXPORT(port_statistics) int32_t port_statistics(uint32_t level) {
    return -(int32_t)ff_device_statistics(&device, (uint8_t)level);
}

EXPORT(port_region) int32_t port_region(uint32_t region, uint32_t offset, uint32_t count, uint8_t *out) {
    ff_status status = ff_device_read(&device, (uint8_t)region, offset, out, &count);
    return status == FF_OK ? (int32_t)count : -(int32_t)status;
}

EXPORT(port_patch) int32_t port_patch(const uint8_t *patch, uint32_t bytes, uint32_t ticket) {
    return -(int32_t)ff_device_patch(&device, ROM(patch), bytes, ticket);
}

EXPORT(port_ram) int32_t port_ram(uint32_t *out) {
    ff_ram ram;
    if (!device.loaded) return -FF_NO_MODEL;
    ff_model_ram(&device.model, FF_LEARN, &ram);
    out[0] = ram.weights;
    out[1] = ram.inference;
    out[2] = ram.learning;
    out[3] = ff_statistics_bytes(&device.model, 2);
    return 0;
}

EXPORT(port_flash_writes) uint32_t port_flash_writes(void) {
    return flash_writes;
}
