/*
 * One end of a serial line for the emulators: makes a pty, prints its path, then copies what the program at
 * its other end sends to stdout, and stdin to that program. Which line settings it chose goes out in between,
 * so that an emulated chip knows at what speed each byte was sent.
 *
 * On stdout, after the line with the path: 'D', u16 count (little-endian), bytes; or 'S', u32 bits per
 * second, u8 parity (0 none, 1 even, 2 odd). Linux takes the parity bit out of every pty's settings, so that
 * it reads as none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const struct {
    speed_t code;
    uint32_t rate;
} SPEEDS[] = {
    {B1200, 1200},     {B2400, 2400},     {B4800, 4800},     {B9600, 9600},
    {B19200, 19200},   {B38400, 38400},   {B57600, 57600},   {B115200, 115200},
    {B230400, 230400}, {B460800, 460800}, {B921600, 921600},
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void put(int fd, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t n = write(fd, bytes, count);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd ready = {.fd = fd, .events = POLLOUT};
            poll(&ready, 1, 100);
            continue;
        }
        if (n < 0) exit(0); /* the test has ended */
        bytes += n;
        count -= (size_t)n;
    }
}

static void report_settings(int master) {
    static uint32_t last_rate, last_parity = 99;
    struct termios t;
    if (tcgetattr(master, &t) < 0) return;
    uint32_t rate = 0;
    for (size_t i = 0; i < sizeof SPEEDS / sizeof SPEEDS[0]; i++)
        if (cfgetospeed(&t) == SPEEDS[i].code) rate = SPEEDS[i].rate;
    uint32_t parity = (t.c_cflag & PARENB) == 0 ? 0 : (t.c_cflag & PARODD) == 0 ? 1 : 2;
    if (rate == last_rate && parity == last_parity) return;
    last_rate = rate;
    last_parity = parity;
    const uint8_t frame[6] = {'S',
                              (uint8_t)rate,
                              (uint8_t)(rate >> 8),
                              (uint8_t)(rate >> 16),
                              (uint8_t)(rate >> 24),
                              (uint8_t)parity};
    put(1, frame, sizeof frame);
}

int main(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) die("pty");
    const char *name = ptsname(master);
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC); /* held open: the line outlives its clients */
    struct termios t;
    if (slave < 0 || tcgetattr(slave, &t) < 0) die(name);
    cfmakeraw(&t);
    if (tcsetattr(slave, TCSANOW, &t) < 0) die(name);
    printf("%s\n", name);
    fflush(stdout);
    for (;;) {
        static uint8_t frame[3 + 4096];
        struct pollfd fds[2] = {{.fd = 0, .events = POLLIN}, {.fd = master, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0) continue;
        if ((fds[1].revents & POLLIN) != 0) {
            report_settings(master);
            ssize_t n = read(master, frame + 3, sizeof frame - 3);
            if (n > 0) {
                frame[0] = 'D';
                frame[1] = (uint8_t)n;
                frame[2] = (uint8_t)(n >> 8);
                put(1, frame, 3 + (size_t)n);
            }
        }
        if ((fds[0].revents & (POLLIN | POLLHUP)) != 0) {
            ssize_t n = read(0, frame, sizeof frame);
            if (n <= 0) return 0;
            put(master, frame, (size_t)n);
        }
    }
}
