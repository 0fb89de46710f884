#include "rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t rig_flash[BOOT_MODELS];
static uint8_t writes[BOOT_MODELS / 4]; /* since the page was erased */
static uint32_t random_state = 1;
uint32_t rig_countdown = RIG_NEVER, rig_operations;
int rig_way;
jmp_buf rig_power;

uint32_t rig_draw(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    return random_state ^= random_state << 5;
}

static void refuse(const char *what, uint32_t address) {
    printf("flash operation that no flash takes: %s at %05x\n", what, (unsigned)address);
    exit(1);
}

const uint8_t *flash_at(uint32_t address) {
    return rig_flash + address;
}

/* Bits of byte i of n that are done when the power goes. */
static uint8_t done(uint32_t i, uint32_t whole) {
    if (rig_way == RIG_BEHIND || (rig_way == RIG_PREFIX && i < whole)) return 0xFF;
    if (rig_way == RIG_BITS) return (uint8_t)(rig_draw() & rig_draw());
    return rig_way == RIG_MORE_BITS ? (uint8_t)(rig_draw() | rig_draw()) : 0;
}

static int cut(void) {
    rig_operations++;
    return rig_countdown != RIG_NEVER && rig_countdown-- == 0;
}

void flash_erase(uint32_t address) {
    const int last = cut();
    const uint32_t whole = rig_draw() % BOOT_PAGE;
    if (address % BOOT_PAGE || address < BOOT_SLOT_0 || address >= BOOT_MODELS) refuse("erase", address);
    for (uint32_t i = 0; i < BOOT_PAGE; i++)
        rig_flash[address + i] |= last ? done(i, whole) : 0xFF;
    memset(writes + address / 4, 0, BOOT_PAGE / 4);
    if (last) longjmp(rig_power, 1);
}

/* A word takes two writes between erases (n_WRITE of the product specification). */
void flash_write(uint32_t address, uint32_t word) {
    if (word == 0xFFFFFFFFu) return;
    const int last = cut();
    const uint32_t whole = rig_draw() % 4;
    if (address % 4 || address < BOOT_SLOT_0 || address >= BOOT_MODELS) refuse("write", address);
    if (++writes[address / 4] > 2) refuse("third write", address);
    for (uint32_t i = 0; i < 4; i++)
        rig_flash[address + i] &= (uint8_t)(word >> 8 * i) | (uint8_t) ~(last ? done(i, whole) : 0xFF);
    if (last) longjmp(rig_power, 1);
}

void rig_replace(const uint8_t *flash) {
    memcpy(rig_flash, flash, sizeof rig_flash);
    memset(writes, 0, sizeof writes);
}

static void put16(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v) {
    put16(p, v);
    put16(p + 2, v >> 16);
}

uint32_t rig_image(uint8_t *to, uint32_t code, uint8_t minor, uint32_t seed) {
    const uint32_t header = 256;
    memset(to, 0, header);
    put32(to, 0x96f3b83d);
    put16(to + 8, header);
    put32(to + 12, code);
    to[20] = 1;
    to[21] = minor;
    for (uint32_t i = 0; i < code; i++)
        to[header + i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
    put32(to + header, BOOT_RAM + BOOT_RAM_BYTES - 8);
    put32(to + header + 4, BOOT_SLOT_0 + header + 9);
    uint8_t *tags = to + header + code;
    put16(tags, 0x6907);
    put16(tags + 2, 4 + 4 + SHA256_BYTES);
    put16(tags + 4, 0x10);
    put16(tags + 6, SHA256_BYTES);
    sha256(to, header + code, tags + 8);
    return header + code + 8 + SHA256_BYTES;
}
