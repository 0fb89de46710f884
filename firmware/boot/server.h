/* What the bootloader answers to SMP requests (MCUmgr): a table of commands, each with its map of values. */
#ifndef BOOT_SERVER_H
#define BOOT_SERVER_H

#include "console.h"
#include "slots.h"

/* What is to happen when the answer has left. */
enum { SERVER_NOTHING, SERVER_RESET, SERVER_RESET_AND_STAY };

typedef struct {
    boot_upload upload;
    uint8_t answer[CONSOLE_PACKET];
    uint32_t answer_bytes; /* 0: no answer, the packet was no request */
    uint8_t then;          /* SERVER_* */
} server;

/* Carries out one packet. */
void server_take(server *s, const uint8_t *packet, uint32_t count);

#endif
