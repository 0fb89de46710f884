/* What the files of this port share. */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "board.h"

/* Sets the line up: pins, BOARD_BAUD bits per second, 8N1, interrupt of the receiver. */
void template_line_start(void);

/* Puts `count` bytes on the line, or as many as it takes at once; returns how many. */
uint32_t template_line_send(const uint8_t *from, uint32_t count);

/* 1 once everything that was sent has left the chip. */
int template_line_sent(void);

#endif
