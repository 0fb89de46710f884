/* The template's line on this machine: standard input and output. It makes the rest of the template run, and
 * be tested. */
#include "template.h"
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint32_t idle; /* looks in a row that found nothing */

void template_line_start(void) {}

uint32_t board_read(uint8_t *to, uint32_t room) {
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    /* Work that is cut into steps goes on between looks; who only waits lets others have the processor. */
    if (poll(&in, 1, ++idle > 4096 ? 1 : 0) <= 0) return 0;
    const ssize_t got = read(STDIN_FILENO, to, room);
    if (got <= 0) exit(0); /* the host is gone */
    idle = 0;
    return (uint32_t)got;
}

uint32_t template_line_send(const uint8_t *from, uint32_t count) {
    const ssize_t sent = write(STDOUT_FILENO, from, count);
    return sent < 0 ? 0 : (uint32_t)sent;
}

int template_line_sent(void) {
    return 1;
}

uint32_t board_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u);
}

uint32_t board_seed(void) {
    return board_clock() | 1u;
}

/* The process ends; whoever started it starts it again. */
void board_restart(uint8_t mode) {
    exit(mode);
}
