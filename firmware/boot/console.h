/*
 * SMP over a serial line, as MCUmgr frames it (docs.zephyrproject.org, "SMP over console"): lines of base64
 * that begin with 06 09, or 04 14 where they go on, and end with a line feed. Inside: length of the rest,
 * packet, CRC-16/XMODEM, both numbers big-endian.
 */
#ifndef BOOT_CONSOLE_H
#define BOOT_CONSOLE_H

#include <stdint.h>

/* Largest packet, header included, in either direction: what "MCUmgr parameters" tells. */
#define CONSOLE_PACKET 1024u

typedef struct {
    uint8_t buffer[2 + CONSOLE_PACKET + 2]; /* length, packet, CRC */
    uint32_t count;                         /* bytes in it */
    uint32_t quad;                          /* base64 digits of the group so far, 6 bits each */
    uint8_t digits, pads;                   /* of the group so far */
    uint8_t state;
    uint8_t open; /* a first line came, and no end of the packet yet */
} console;

/*
 * Takes a byte. Returns the length of the packet that it completes (at buffer + 2), or 0. Whatever isn't well
 * formed, too long or has another CRC is dropped without a word: the client asks again.
 */
uint32_t console_take(console *c, uint8_t byte);

/* 1 while a line that began as SMP is under way. */
int console_busy(const console *c);

/* Sends a packet in lines of at most 127 bytes through `send`. */
void console_send(const uint8_t *packet, uint32_t count, void (*send)(uint8_t byte));

#endif
