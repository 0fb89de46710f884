/*
 * The seam to a board. A port is a folder that defines these six functions and says in its port.mk how it is
 * compiled; board.c is the main program of all of them. ports/template compiles and lists the steps.
 *
 * BOARD_PAYLOAD (port.mk): largest payload of a request, FF_LINK_PAYLOAD_LEAST to 65535. A sample and 5 bytes
 * must fit for INFER and LEARN; larger requests make transfers faster.
 * BOARD_ANSWER: the same for answers; as large as requests if it isn't set. Each byte of either costs one of
 * RAM. BOARD_BAUD (BAUD=... for make): bits per second of the line.
 */
#ifndef BOARD_H
#define BOARD_H

#include "goodness.h"

#ifndef BOARD_ANSWER
#define BOARD_ANSWER BOARD_PAYLOAD
#endif

/* Bytes on the line of the largest request: with type, sequence number, CRC, COBS and the zero at its end. */
#define BOARD_REQUEST_BYTES                                                                                  \
    (BOARD_PAYLOAD + FF_FRAME_OVERHEAD + (BOARD_PAYLOAD + FF_FRAME_OVERHEAD) / 254 + 2)

/* What a receive ring has room for beside the bytes that device->ahead promises: a question whether the board
 * is still there, which the host sends when it waits for long, and a zero before it. */
#define BOARD_RING_SPARE 32

/*
 * Called once, after .data and .bss are set up. Starts clock, line and flash, and fills in what the device
 * needs to know: flash, arena, arena_bytes, target, window, ahead, keeps_store, and where the board has it
 * stage, stage_bytes, can_restart, base (ff_device.h). The rest of *device is zero; board.c sets clock and
 * boot.
 */
void board_start(ff_device *device);

/* Takes up to `room` bytes that came in since; returns how many, 0 if there are none. Doesn't wait. */
uint32_t board_read(uint8_t *to, uint32_t room);

/* Sends up to `count` bytes; returns how many the line took, 0 if it is busy. Doesn't wait long. */
uint32_t board_write(const uint8_t *from, uint32_t count);

/* Microseconds since some moment; wraps around. 0 for ever if the board has no clock. */
uint32_t board_clock(void);

/* A number that differs from one start to the next: from a noise source where there is one. Never 0. */
uint32_t board_seed(void);

/*
 * Waits until the line has sent all that board_write() took, then restarts the board: mode 0 the firmware, 1
 * the bootloader, which stays there. Doesn't return. Called only if board_start() set device->can_restart;
 * else it may be empty.
 */
void board_restart(uint8_t mode);

#endif
