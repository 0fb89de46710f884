/*
 * An Arduino board in simavr, with its real bootloader, on a pseudo terminal: a program of its own, that
 * firmware and host know nothing of.
 *
 *   avr-board --mcu atmega328p [--bootloader FILE.hex] [--flash FILE.hex]... [--eeprom FILE] [--control
 * SOCKET] [--speed N] [--fill]
 *
 * Prints the terminal's path. Somebody who opens it resets the board, as DTR does on a real one. --speed 1
 * (the default) is real time, which the time windows of bootloaders need; 0 is as fast as it goes. --fill
 * fills the RAM with a pattern at power on, for `stack`. Commands on the control socket, one per line, each
 * answered by one line:
 *
 *   reset | power-cut              external reset; the latter with other contents of the RAM
 *   adc N MILLIVOLTS               voltage at an analog input
 *   wave N MICROSECONDS MV MV ...  the same from now on, a value each so many microseconds, round and round
 *   pins PORT                      bits of PORTx, DDRx and the pins, of B, C, ...
 *   dump flash|eeprom|ram FROM COUNT   in hexadecimal
 *   stack                          RAM never written since power on (longest run): bytes, from, to
 *   cycles | baud | speed N | quit
 */
#define _GNU_SOURCE
#include <avr_adc.h>
#include <avr_eeprom.h>
#include <avr_extint.h>
#include <avr_ioport.h>
#include <avr_uart.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sim_avr.h>
#include <sim_hex.h>
#include <sim_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FREQUENCY 16000000u
#define SLICE (FREQUENCY / 1000) /* cycles between looks at the outside */
#define FILL 0xA5
#define WAVES 16
#define LINE_MOST (1u << 20)

static avr_t *avr;
static uint32_t boot_at; /* 0: no bootloader */
static int fill_ram;
static double speed = 1;
static int master = -1, openings = -1, opened;
static int ready_for_input = 1;
static avr_irq_t *uart_input;
static uint8_t out[65536];
static size_t out_count;
static uint8_t in[4096];
static size_t in_from, in_to;
static uint8_t *eeprom, *eeprom_file;
static uint32_t eeprom_bytes;
static int server = -1, client = -1;
static char *line;
static size_t line_count;
static struct {
    uint32_t *millivolts;
    size_t count;
    uint32_t period;
    avr_cycle_count_t start;
} wave[WAVES];

static void die(const char *what) {
    fprintf(stderr, "avr-board: %s: %s\n", what, errno ? strerror(errno) : "refused");
    exit(1);
}

/* ---- the board ---- */

static void on_output(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)param;
    if (opened && out_count < sizeof out) out[out_count++] = (uint8_t)value;
}

static void on_xon(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)value, (void)param;
    ready_for_input = 1;
}

static void on_xoff(struct avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq, (void)value, (void)param;
    ready_for_input = 0;
}

static void no_sleep(avr_t *which, avr_cycle_count_t cycles) {
    (void)which, (void)cycles; /* the main loop keeps the time */
}

/* The reset button: the bootloader is told that it was that, and no watchdog. */
static void reset(void) {
    avr_reset(avr);
    avr->reset_pc = avr->pc = boot_at;
    avr->data[avr->reset_flags.extrf.reg] = 2;
    avr->state = cpu_Running;
    ready_for_input = 1;
    in_from = in_to = 0;
}

static void power_cut(void) {
    for (uint32_t i = avr->ioend + 1u; i <= avr->ramend; i++)
        avr->data[i] = fill_ram ? FILL : (uint8_t)rand();
    reset();
}

/* Intel HEX into flash; returns the lowest address. */
static uint32_t load(const char *path) {
    ihex_chunk_p chunks = 0;
    int count = read_ihex_chunks(path, &chunks);
    uint32_t lowest = UINT32_MAX;
    if (count <= 0) {
        fprintf(stderr, "avr-board: no Intel HEX: %s\n", path);
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        if (chunks[i].baseaddr > avr->flashend || chunks[i].size > avr->flashend + 1 - chunks[i].baseaddr) {
            fprintf(stderr, "avr-board: %s reaches beyond the flash\n", path);
            exit(2);
        }
        memcpy(avr->flash + chunks[i].baseaddr, chunks[i].data, chunks[i].size);
        if (chunks[i].baseaddr < lowest) lowest = chunks[i].baseaddr;
    }
    free_ihex_chunks(chunks);
    return lowest;
}

static void open_eeprom(const char *path) {
    avr_eeprom_desc_t all = {.ee = 0, .offset = 0, .size = avr->e2end + 1u};
    eeprom_bytes = avr->e2end + 1u;
    avr_ioctl(avr, AVR_IOCTL_EEPROM_GET, &all); /* says -1 even if it did it */
    if (!all.ee) die("no EEPROM");
    eeprom = all.ee;
    memset(eeprom, 0xFF, eeprom_bytes);
    if (!path) return;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    off_t size = file < 0 ? -1 : lseek(file, 0, SEEK_END);
    if (size < 0) die(path);
    if (size != 0 && size != (off_t)eeprom_bytes) {
        fprintf(stderr, "avr-board: %s is no EEPROM of %u bytes\n", path, eeprom_bytes);
        exit(2);
    }
    if (ftruncate(file, (off_t)eeprom_bytes) < 0) die(path);
    eeprom_file = mmap(0, eeprom_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (eeprom_file == MAP_FAILED) die(path);
    if (size == 0)
        memcpy(eeprom_file, eeprom, eeprom_bytes);
    else
        memcpy(eeprom, eeprom_file, eeprom_bytes);
    close(file);
}

/* A mapped file outlives this process however it ends; it is looked after more often than a byte is written.
 */
static void keep_eeprom(void) {
    if (eeprom_file && memcmp(eeprom_file, eeprom, eeprom_bytes)) memcpy(eeprom_file, eeprom, eeprom_bytes);
}

/* EECR of all chips with this kind of EEPROM, its bit EEPE, and how long a byte takes (DS40002061, "EEPROM
 * Data Memory"): simavr is done at once. */
#define EECR 0x3F
#define EEPE 2u
#define EEPROM_US 3400

static avr_cycle_count_t eeprom_done(avr_t *which, avr_cycle_count_t when, void *param) {
    (void)when, (void)param;
    which->data[EECR] &= (uint8_t)~EEPE;
    return 0;
}

static void on_eecr(avr_t *which, avr_io_addr_t at, uint8_t value, void *param) {
    (void)at, (void)param;
    if (!(value & EEPE)) return;
    which->data[EECR] |= EEPE;
    avr_cycle_timer_register_usec(which, EEPROM_US, eeprom_done, 0);
}

static void play_waves(void) {
    for (int n = 0; n < WAVES; n++) {
        if (!wave[n].count) continue;
        uint64_t at = (avr->cycle - wave[n].start) / (FREQUENCY / 1000000) / wave[n].period;
        avr_irq_t *irq = avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0 + n);
        avr_raise_irq(irq, wave[n].millivolts[at % wave[n].count]);
    }
}

/* ---- the line ---- */

static void open_pty(void) {
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) die("no pseudo terminal");
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct termios t;
    if (slave < 0 || tcgetattr(slave, &t) < 0) die("no pseudo terminal");
    cfmakeraw(&t);
    tcsetattr(slave, TCSANOW, &t);
    close(slave); /* so that its opening by somebody else can be seen */
    fcntl(master, F_SETFL, O_NONBLOCK);
    openings = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (openings < 0 || inotify_add_watch(openings, ptsname(master), IN_OPEN) < 0)
        die("no watch on the pseudo terminal");
}

/* Whether somebody opened the terminal since the last look: one who closed it just before can't be told by
 * POLLHUP. */
static int was_opened(void) {
    char events[4096] __attribute__((aligned(8)));
    int seen = 0;
    while (read(openings, events, sizeof events) > 0)
        seen = 1;
    return seen;
}

static void serve_pty(void) {
    struct pollfd p = {.fd = master, .events = POLLIN};
    /* First of all: after the opening that this tells of, the terminal isn't hung up, unless it was closed
     * again. */
    if (was_opened()) {
        opened = 1;
        out_count = 0;
        reset();
    }
    poll(&p, 1, 0);
    if (p.revents & POLLHUP) {
        /* What the last one sent and nobody took is not for the next one. */
        while (read(master, in, sizeof in) > 0)
            ;
        opened = 0;
        out_count = in_from = in_to = 0;
        return;
    }
    if (!opened) return; /* the watch tells of it the next time */
    if (out_count) {
        ssize_t n = write(master, out, out_count);
        if (n > 0) {
            memmove(out, out + n, out_count - (size_t)n);
            out_count -= (size_t)n;
        }
    }
    if (in_from == in_to && (p.revents & POLLIN)) {
        ssize_t n = read(master, in, sizeof in);
        in_from = 0;
        in_to = n > 0 ? (size_t)n : 0;
    }
}

/* ---- control ---- */

static void answer(const char *text) {
    size_t count = strlen(text);
    while (count) {
        ssize_t n = write(client, text, count);
        if (n < 0 && errno != EAGAIN) return;
        if (n > 0) {
            text += n;
            count -= (size_t)n;
        }
    }
}

static void dump(const char *what, uint32_t from, uint32_t count) {
    const uint8_t *memory = !strcmp(what, "flash") ? avr->flash : !strcmp(what, "ram") ? avr->data : eeprom;
    uint32_t bytes = !strcmp(what, "flash") ? avr->flashend + 1
                     : !strcmp(what, "ram") ? avr->ramend + 1u
                                            : eeprom_bytes;
    if (from > bytes || count > bytes - from) return answer("error: beyond the end\n");
    char *text = malloc(2 * (size_t)count + 2);
    if (!text) die("memory");
    for (uint32_t i = 0; i < count; i++)
        sprintf(text + 2 * (size_t)i, "%02x", memory[from + i]);
    strcpy(text + 2 * (size_t)count, "\n");
    answer(text);
    free(text);
}

static void report_stack(void) {
    uint32_t best = 0, best_at = 0, run = 0;
    for (uint32_t i = avr->ioend + 1u; i <= avr->ramend; i++) {
        run = avr->data[i] == FILL ? run + 1 : 0;
        if (run > best) {
            best = run;
            best_at = i + 1 - run;
        }
    }
    char text[80];
    sprintf(text, "%u 0x%x 0x%x\n", best, best_at, best_at + best);
    answer(text);
}

static void set_wave(uint32_t n, char *values) {
    char *next = strtok(values, " ");
    uint32_t period = next ? (uint32_t)strtoul(next, 0, 10) : 0;
    size_t count = 0, room = 0;
    uint32_t *list = 0;
    while (period && (next = strtok(0, " "))) {
        if (count == room) list = realloc(list, (room = 2 * room + 64) * sizeof *list);
        if (!list) die("memory");
        list[count++] = (uint32_t)strtoul(next, 0, 10);
    }
    if (!count) {
        free(list);
        return answer("error: wave N MICROSECONDS MV ...\n");
    }
    free(wave[n].millivolts);
    wave[n].millivolts = list;
    wave[n].count = count;
    wave[n].period = period;
    wave[n].start = avr->cycle;
    answer("ok\n");
}

static void command(char *text) {
    char what[16] = "", letter = 0, reply[80];
    uint32_t a = 0, b = 0;
    int used = 0;
    double factor;
    if (!strcmp(text, "reset"))
        reset();
    else if (!strcmp(text, "power-cut"))
        power_cut();
    else if (sscanf(text, "adc %u %u", &a, &b) == 2 && a < WAVES) {
        wave[a].count = 0;
        avr_raise_irq(avr_io_getirq(avr, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0 + (int)a), b);
    } else if (sscanf(text, "wave %u %n", &a, &used) == 1 && used && a < WAVES)
        return set_wave(a, text + used);
    else if (sscanf(text, "pins %c", &letter) == 1) {
        avr_ioport_state_t state;
        if (avr_ioctl(avr, AVR_IOCTL_IOPORT_GETSTATE(letter), &state) < 0)
            return answer("error: no such port\n");
        sprintf(reply, "%u %u %u\n", (unsigned)state.port, (unsigned)state.ddr, (unsigned)state.pin);
        return answer(reply);
    } else if (sscanf(text, "dump %15s %u %u", what, &a, &b) == 3)
        return dump(what, a, b);
    else if (!strcmp(text, "stack"))
        return report_stack();
    else if (!strcmp(text, "cycles")) {
        sprintf(reply, "%llu\n", (unsigned long long)avr->cycle);
        return answer(reply);
    } else if (!strcmp(text, "baud")) {
        static const struct {
            speed_t code;
            unsigned baud;
        } SPEEDS[] = {{B1200, 1200},   {B9600, 9600},   {B19200, 19200},
                      {B38400, 38400}, {B57600, 57600}, {B115200, 115200}};
        struct termios t;
        unsigned baud = 0;
        tcgetattr(master, &t);
        for (unsigned i = 0; i < sizeof SPEEDS / sizeof *SPEEDS; i++)
            if (SPEEDS[i].code == cfgetospeed(&t)) baud = SPEEDS[i].baud;
        sprintf(reply, "%u\n", baud);
        return answer(reply);
    } else if (sscanf(text, "speed %lf", &factor) == 1)
        speed = factor;
    else if (!strcmp(text, "quit"))
        exit(0);
    else
        return answer("error: no such command\n");
    answer("ok\n");
}

static void open_control(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path) die("the control socket's path is too long");
    strcpy(at.sun_path, path);
    unlink(path);
    server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server < 0 || bind(server, (struct sockaddr *)&at, sizeof at) < 0 || listen(server, 1) < 0) die(path);
    line = malloc(LINE_MOST);
    if (!line) die("memory");
}

static void serve_control(void) {
    if (server < 0) return;
    if (client < 0) {
        client = accept4(server, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
        line_count = 0;
        if (client < 0) return;
    }
    ssize_t n = read(client, line + line_count, LINE_MOST - 1 - line_count);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        close(client);
        client = -1;
        return;
    }
    if (n > 0) line_count += (size_t)n;
    char *end;
    while ((end = memchr(line, '\n', line_count))) {
        *end = 0;
        command(line);
        size_t done = (size_t)(end - line) + 1;
        memmove(line, line + done, line_count - done);
        line_count -= done;
    }
    if (line_count == LINE_MOST - 1) line_count = 0; /* nobody means such a line */
}

/* ---- main ---- */

static uint64_t microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* Waits until real time has caught up with the board's. A machine that was busy isn't caught up with in one
 * rush. */
static void pace(void) {
    static uint64_t since;
    static avr_cycle_count_t from;
    static double at;
    uint64_t now = microseconds();
    if (speed <= 0) return;
    double due = (double)(avr->cycle - from) / (FREQUENCY / 1e6) / speed, gone = (double)(now - since);
    if (at != speed || gone > due + 50000) {
        at = speed;
        since = now;
        from = avr->cycle;
    } else if (due > gone)
        usleep((useconds_t)(due - gone));
}

static void run(void) {
    for (;;) {
        avr_cycle_count_t end = avr->cycle + SLICE;
        if (avr->state == cpu_Crashed || avr->state == cpu_Done)
            usleep(1000); /* until somebody presses reset */
        while (avr->cycle < end && avr->state != cpu_Crashed && avr->state != cpu_Done) {
            avr_run(avr);
            while (ready_for_input && in_from < in_to)
                avr_raise_irq(uart_input, in[in_from++]);
        }
        /* Else a low level at an interrupt pin is looked at on each instruction. */
        for (uint8_t k = 0; k < 8; k++)
            avr_extint_set_strict_lvl_trig(avr, k, 0);
        keep_eeprom();
        play_waves();
        serve_pty();
        serve_control();
        pace();
    }
}

int main(int argc, char **argv) {
    const char *mcu = 0, *bootloader = 0, *eeprom_path = 0, *control = 0, *flash[8];
    int flashes = 0;
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : 0;
        if (!strcmp(argv[i], "--fill")) {
            fill_ram = 1;
            continue;
        }
        if (next && !strcmp(argv[i], "--mcu"))
            mcu = next;
        else if (next && !strcmp(argv[i], "--bootloader"))
            bootloader = next;
        else if (next && !strcmp(argv[i], "--flash") && flashes < 8)
            flash[flashes++] = next;
        else if (next && !strcmp(argv[i], "--eeprom"))
            eeprom_path = next;
        else if (next && !strcmp(argv[i], "--control"))
            control = next;
        else if (next && !strcmp(argv[i], "--speed"))
            speed = atof(next);
        else
            mcu = 0, i = argc;
        i++;
    }
    if (!mcu) {
        fputs("usage: avr-board --mcu NAME [--bootloader HEX] [--flash HEX]... [--eeprom FILE] [--control "
              "SOCKET] [--speed N] [--fill]\n",
              stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    avr = avr_make_mcu_by_name(mcu);
    if (!avr) die(mcu);
    avr_init(avr);
    avr->log = LOG_NONE;
    avr->frequency = FREQUENCY;
    avr->vcc = avr->avcc = avr->aref = 5000;
    avr->sleep = no_sleep;
    avr->codeend = avr->flashend;
    memset(avr->flash, 0xFF, avr->flashend + 1);
    for (int i = 0; i < flashes; i++)
        load(flash[i]);
    if (bootloader) boot_at = load(bootloader);
    open_eeprom(eeprom_path);
    avr_register_io_write(avr, EECR, on_eecr, 0);

    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_POLL_SLEEP | AVR_UART_FLAG_STDIO);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    uart_input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_output, 0);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on_xon, 0);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), on_xoff, 0);

    open_pty();
    if (control) open_control(control);
    if (fill_ram)
        power_cut();
    else
        reset();
    printf("%s\n", ptsname(master));
    fflush(stdout);
    run();
}
