/*
 * Runs avr-passes.c in simavr: `avr-cycles program.elf` writes a line of JSON for each pass, with the cycles
 * of all its rounds, and one with the checksum.
 */
#include <sim_avr.h>
#include <sim_elf.h>
#include <sim_io.h>
#include <stdio.h>
#include <string.h>

/* Data addresses of an ATmega328P (data sheet, register summary). */
#define GPIOR0 0x3E
#define GPIOR1 0x4A
#define DONE 0xFF
#define MOST_CYCLES 2000000000u

static const char *const NAMES[] = {"", "load", "product", "infer", "learn"};
#define PASSES (sizeof NAMES / sizeof NAMES[0])

static avr_cycle_count_t begun, cycles[PASSES];
static unsigned pass, done;
static unsigned long hash;

static void mark(avr_t *avr, avr_io_addr_t at, uint8_t value, void *user) {
    (void)at, (void)user;
    if (value == DONE)
        done = 1;
    else if (value == 0)
        cycles[pass] += avr->cycle - begun;
    else if (value < PASSES)
        pass = value;
    begun = avr->cycle;
}

static void checksum(avr_t *avr, avr_io_addr_t at, uint8_t value, void *user) {
    (void)avr, (void)at, (void)user;
    hash = hash >> 8 | (unsigned long)value << 24;
}

int main(int count, char **words) {
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (count != 2 || elf_read_firmware(words[1], &firmware) != 0) {
        fprintf(stderr, "usage: avr-cycles program.elf\n");
        return 2;
    }
    avr_t *avr = avr_make_mcu_by_name("atmega328p");
    if (avr == NULL || avr_init(avr) != 0) return 1;
    avr->frequency = 16000000;
    avr_load_firmware(avr, &firmware);
    avr_register_io_write(avr, GPIOR0, mark, NULL);
    avr_register_io_write(avr, GPIOR1, checksum, NULL);
    while (!done && avr->cycle < MOST_CYCLES) {
        const int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed) break;
    }
    if (!done || hash == 0) {
        fprintf(stderr, "the program did not come to its end\n");
        return 1;
    }
    for (unsigned i = 1; i < PASSES; i++)
        printf("{\"name\": \"%s\", \"value\": %llu}\n", NAMES[i], (unsigned long long)cycles[i]);
    printf("{\"name\": \"hash\", \"value\": %lu}\n", hash);
    return 0;
}
