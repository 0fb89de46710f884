/*
 * The serial flash (W25Q16JV and its like) by its own commands [RP2040 4.10, 2.6.3; W25Q16JV 8]. While that
 * goes on, the flash can't be read in place; nothing does, since program, constants and vectors are in RAM,
 * and interrupts may come.
 */
#include "pico.h"

enum { WRITE_ENABLE = 0x06, PAGE_PROGRAM = 0x02, SECTOR_ERASE = 0x20, READ_STATUS = 0x05 };
#define STATUS_BUSY 1u
#define STATUS_ENABLED 2u
#define PAGE 256u

/* Looks at the status: each takes 1 us at least (16 bits at 31 MHz, and the loop), so this is 2 s; an erase
 * takes 0.4 s at most. */
#define BUSY_LOOKS 2000000u
#define SSI_LOOKS 10000u /* for one byte, which takes 32 cycles */

static void select_chip(uint32_t level) {
    REG(IO_QSPI_SS_CTRL) = (REG(IO_QSPI_SS_CTRL) & ~SS_OVERRIDE) | level;
    (void)REG(IO_QSPI_SS_CTRL); /* the level is out before the next byte */
}

static void leave_xip(void) {
    REG(SSI_SSIENR) = 0;
    REG(SSI_BAUDR) = SSI_DIVIDER;
    REG(SSI_CTRLR0) = SSI_CTRLR0_BYTES;
    REG(SSI_CTRLR1) = 0;
    REG(SSI_SER) = 1;
    REG(SSI_SSIENR) = 1;
    select_chip(SS_HIGH);
}

static void enter_xip(void) {
    REG(SSI_SSIENR) = 0;
    REG(SSI_BAUDR) = SSI_DIVIDER;
    REG(SSI_CTRLR0) = SSI_CTRLR0_XIP;
    REG(SSI_CTRLR1) = 0;
    REG(SSI_SPI_CTRLR0) = SSI_SPI_CTRLR0_XIP;
    REG(SSI_SER) = 1;
    REG(SSI_SSIENR) = 1;
    select_chip(0);
    REG(XIP_FLUSH) = 1;
    (void)REG(XIP_FLUSH); /* holds the bus until the cache is empty */
}

/* Sends a byte and returns the one that comes at the same time. A dead interface gives 0xFF. */
static uint8_t exchange(uint8_t byte) {
    if (!pico_wait(SSI_SR, SSI_SR_TFNF, SSI_LOOKS)) return 0xFF;
    REG(SSI_DR0) = byte;
    return pico_wait(SSI_SR, SSI_SR_RFNE, SSI_LOOKS) ? (uint8_t)REG(SSI_DR0) : 0xFF;
}

static void command(uint8_t code, uint32_t address, const uint8_t *from, uint32_t count) {
    select_chip(SS_LOW);
    exchange(code);
    if (code != WRITE_ENABLE) {
        exchange((uint8_t)(address >> 16));
        exchange((uint8_t)(address >> 8));
        exchange((uint8_t)address);
    }
    while (count--)
        exchange(*from++);
    select_chip(SS_HIGH);
}

static uint8_t status(void) {
    select_chip(SS_LOW);
    exchange(READ_STATUS);
    const uint8_t now = exchange(0);
    select_chip(SS_HIGH);
    return now;
}

/* One erase or program, waited for; < 0 if the chip refuses, or isn't done in time. */
static int carry_out(uint8_t code, uint32_t address, const uint8_t *from, uint32_t count) {
    command(WRITE_ENABLE, 0, 0, 0);
    if ((status() & (STATUS_BUSY | STATUS_ENABLED)) != STATUS_ENABLED) return -1;
    command(code, address, from, count);
    for (uint32_t looks = BUSY_LOOKS; looks; looks--)
        if (!(status() & STATUS_BUSY)) return 0;
    return -1;
}

int pico_flash_erase(void *user, uint32_t offset) {
    (void)user;
    leave_xip();
    const int done = carry_out(SECTOR_ERASE, BOARD_SLOTS - XIP_BASE + offset, 0, 0);
    enter_xip();
    return done;
}

int pico_flash_program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    (void)user;
    int done = 0;
    leave_xip();
    while (count &&
           done == 0) { /* a program that runs over the end of its page goes on at the page's start */
        const uint32_t room = PAGE - offset % PAGE, part = count < room ? count : room;
        done = carry_out(PAGE_PROGRAM, BOARD_SLOTS - XIP_BASE + offset, from, part);
        offset += part;
        from += part;
        count -= part;
    }
    enter_xip();
    return done;
}
