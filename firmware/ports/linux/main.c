/*
 * The core as a Linux process that serves a pty or a TCP port: a virtual board, and the port for Raspberry
 * Pi. Flash is a file if one is named, else memory. With --threads samples go through a pipeline of threads.
 */
#define _GNU_SOURCE
#include "answers.h"
#include "threads.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LINKS ANSWERS_LINKS
#define PAYLOAD 4096u
#define PAGE 4096u

static ff_device device;
static ff_link links[LINKS];
static int clients[LINKS];
static uint8_t held[LINKS][4096]; /* bytes read, not yet taken by the link */
static size_t held_from[LINKS], held_to[LINKS];
static uint8_t *flash;
static int flash_file = -1;
static unsigned threads; /* 0 = all is done by the main thread */

static void die(const char *what) {
    fprintf(stderr, "goodness-device: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Written through to the file before the core goes on: a power cut finds what the core believes to be there.
 */
static int write_through(uint32_t offset, uint32_t count) {
    if (flash_file < 0) return 0;
    if (pwrite(flash_file, flash + offset, count, (off_t)offset) != (ssize_t)count) return -1;
    return fdatasync(flash_file);
}

static int erase(void *user, uint32_t offset) {
    (void)user;
    memset(flash + offset, 0xFF, PAGE);
    return write_through(offset, PAGE);
}

static int program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    (void)user;
    for (uint32_t i = 0; i < count; i++)
        flash[offset + i] &= from[i];
    return write_through(offset, count);
}

static void open_flash(const char *path, uint32_t slot) {
    size_t bytes = 2 * (size_t)slot;
    flash = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (flash == MAP_FAILED) die("no memory for the flash");
    memset(flash, 0xFF, bytes);
    if (path) {
        flash_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (flash_file < 0) die(path);
        ssize_t got = pread(flash_file, flash, bytes, 0);
        off_t size = lseek(flash_file, 0, SEEK_END);
        if (got < 0 || size < 0) die(path);
        /* A file of any other size is none of ours, or another board's: nothing in it may be overwritten. */
        if (size != 0 && (size_t)size != bytes) {
            fprintf(stderr,
                    "goodness-device: %s is no flash of %zu bytes, it has %lld: name another file, or give "
                    "--slot as it was made with\n",
                    path, bytes, (long long)size);
            exit(2);
        }
        if (size == 0 && write_through(0, (uint32_t)bytes) < 0) die(path);
    }
    device.flash.map = flash;
    device.flash.slot_bytes = slot;
    device.flash.page_bytes = PAGE;
    device.flash.erase = erase;
    device.flash.program = program;
    device.keeps_store = path != 0;
}

static uint32_t microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)((uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
}

/* Never 0, which would say that there is none. */
static uint32_t boot_number(void) {
    uint32_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number) die("no random numbers");
    return number ? number : 1;
}

static int open_pty(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) die("no pty");
    const char *name = ptsname(master);
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC); /* held open: the master outlives its clients */
    struct termios t;
    if (slave < 0 || tcgetattr(slave, &t) < 0) die(name);
    cfmakeraw(&t);
    if (tcsetattr(slave, TCSANOW, &t) < 0) die(name);
    printf("%s\n", name);
    fflush(stdout);
    return master;
}

static int open_server(const char *address, uint16_t port) {
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (server < 0 || inet_pton(AF_INET, address, &at.sin_addr) != 1) die(address);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server, (struct sockaddr *)&at, sizeof at) < 0 || listen(server, LINKS) < 0) die("can't listen");
    socklen_t size = sizeof at;
    getsockname(server, (struct sockaddr *)&at, &size);
    printf("tcp://%s:%u\n", address, ntohs(at.sin_port));
    fflush(stdout);
    return server;
}

static void attach(int slot, int fd) {
    uint8_t *buffer =
        links[slot].decoder.buffer ? links[slot].decoder.buffer - 2 : malloc(ff_link_bytes(PAYLOAD, PAYLOAD));
    if (!buffer) die("no memory for a link");
    ff_link_start(&links[slot], &device, buffer, PAYLOAD, PAYLOAD);
    held_from[slot] = held_to[slot] = 0;
    answers_forget(slot);
    clients[slot] = fd;
}

static void accept_client(int server) {
    int fd = accept4(server, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK), yes = 1;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    for (int i = 0; i < LINKS; i++)
        if (clients[i] < 0) {
            attach(i, fd);
            return;
        }
    close(fd); /* all links are taken */
}

typedef enum { IDLE, BLOCKED, WAITING } state_t;

/* Works off what is held for a link, as far as its client takes the answers. BLOCKED: the client must first
 * become writable. WAITING: a sample must first be through the threads. */
static state_t work(int i) {
    for (;;) {
        uint32_t waiting = links[i].out_count - links[i].out_sent;
        if (waiting) {
            ssize_t n = write(clients[i], links[i].out + links[i].out_sent, waiting);
            if (n < 0) return errno == EAGAIN ? BLOCKED : IDLE;
            links[i].out_sent += (uint32_t)n;
            continue;
        }
        held_from[i] +=
            ff_link_feed(&links[i], held[i] + held_from[i], (uint32_t)(held_to[i] - held_from[i]));
        if (threads) {
            const answers_state state = answers_work(&device, &links[i], i);
            if (state == ANSWERS_MORE) continue;
            if (state == ANSWERS_WAIT && links[i].has_request) return WAITING;
        }
        if (!ff_link_step(&links[i])) return IDLE;
    }
}

static void serve(int server) {
    for (;;) {
        struct pollfd fds[LINKS + 2];
        int busy = 0;
        for (int i = 0; i < LINKS; i++) {
            const state_t state = clients[i] >= 0 ? work(i) : IDLE;
            busy |= clients[i] >= 0 && links[i].has_request && state == IDLE;
            fds[i].fd = clients[i];
            fds[i].events =
                (short)((held_from[i] == held_to[i] ? POLLIN : 0) | (state == BLOCKED ? POLLOUT : 0));
            fds[i].revents = 0;
        }
        fds[LINKS] = (struct pollfd){.fd = server, .events = POLLIN};
        fds[LINKS + 1] = (struct pollfd){.fd = threads ? threads_event() : -1, .events = POLLIN};
        if (poll(fds, LINKS + 2, busy ? 0 : -1) < 0 && errno != EINTR) die("poll");
        for (int i = 0; i < LINKS; i++) {
            if (clients[i] < 0 || !(fds[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
            ssize_t n = read(clients[i], held[i], sizeof held[i]);
            if (n > 0) {
                held_from[i] = 0;
                held_to[i] = (size_t)n;
            } else if (server >= 0 && (n == 0 || errno != EAGAIN)) {
                close(clients[i]);
                clients[i] = -1;
            }
        }
        if (server >= 0 && (fds[LINKS].revents & POLLIN)) accept_client(server);
    }
}

static uint32_t number(const char *text, uint32_t most) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*text == 0 || *end || v > most) {
        fprintf(stderr, "goodness-device: not a number up to %u: %s\n", (unsigned)most, text);
        exit(2);
    }
    return (uint32_t)v;
}

static void usage(FILE *to) {
    fputs("usage: goodness-device (--pty | --tcp PORT) [--address A] [--flash FILE] [--slot BYTES] [--arena "
          "BYTES]\n"
          "  --pty          serve a new pseudo terminal; its path is printed\n"
          "  --tcp PORT     serve TCP, up to 4 clients (0: any free port; the address is printed)\n"
          "  --address A    address to listen on (127.0.0.1)\n"
          "  --flash FILE   keep the two slots in this file (else in memory)\n"
          "  --slot BYTES   bytes of a slot, a multiple of 4096 (1048576)\n"
          "  --arena BYTES  RAM for the model (4194304)\n"
          "  --threads N    learn and infer in a pipeline of N threads, 2 to 8, each with some of the "
          "layers; the "
          "results are the same\n",
          to);
}

int main(int argc, char **argv) {
    const char *flash_path = 0, *address = "127.0.0.1";
    uint32_t slot = 1048576, arena = 4194304;
    int pty = 0, tcp = -1;
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--pty"))
            pty = 1;
        else if (!strcmp(argv[i], "--tcp"))
            tcp = (int)number(next, 65535), i++;
        else if (!strcmp(argv[i], "--address"))
            address = next, i++;
        else if (!strcmp(argv[i], "--flash"))
            flash_path = next, i++;
        else if (!strcmp(argv[i], "--slot"))
            slot = number(next, 1u << 30), i++;
        else if (!strcmp(argv[i], "--arena"))
            arena = number(next, 1u << 30), i++;
        else if (!strcmp(argv[i], "--threads"))
            threads = number(next, FF_MAX_LAYERS), i++;
        else if (!strcmp(argv[i], "--help"))
            return usage(stdout), 0;
        else
            return usage(stderr), 2;
    }
    if (pty == (tcp >= 0) || slot == 0 || slot % PAGE || threads == 1) return usage(stderr), 2;
    signal(SIGPIPE, SIG_IGN);
    open_flash(flash_path, slot);
    device.arena = malloc(arena);
    if (!device.arena) die("no memory for the arena");
    device.arena_bytes = arena;
    device.target = "linux";
    device.clock = microseconds;
    device.boot = boot_number();
    device.window = 16;
    ff_device_start(&device);
    if (threads && threads_start(&device, threads) < 0) die("no threads");
    for (int i = 0; i < LINKS; i++)
        clients[i] = -1;
    int server = -1;
    if (pty) {
        int master = open_pty();
        fcntl(master, F_SETFL, O_NONBLOCK);
        attach(0, master);
    } else {
        server = open_server(address, (uint16_t)tcp);
    }
    serve(server);
}
