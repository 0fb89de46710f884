/*
 * The bootloader of the micro:bit: starts the firmware, or stays and speaks SMP at 115,200 bits per second on
 * the pins of the interface chip. README.md in the folder above says when it does which.
 */
#include "../flash.h"
#include "../layout.h"
#include "../server.h"
#include "nrf51.h"

/* Microseconds after the reset in which a client may knock, and how long a line that has begun is waited for.
 */
#define KNOCK_US 300000u
#define LINE_US 1300000u
/* Some 10 ms, far more than the crystal takes to start; without it the UART runs on the RC oscillator, less
 * exactly. */
#define CRYSTAL_ROUNDS 20000u
/* System control block of the Cortex-M0 (ARMv6-M Architecture Reference Manual, B3.2.6) */
#define SCB_AIRCR NRF51_REGISTER(0xE000ED0C)
#define SCB_RESET 0x05FA0004u
/* A byte takes 87 us; where the transmitter doesn't get ready nobody is helped by waiting on. */
#define SEND_ROUNDS 100000u

static console line;
static server smp;

const uint8_t *flash_at(uint32_t address) {
    __asm__("" : "+r"(address)); /* low addresses are no null pointers here */
    return (const uint8_t *)address;
}

/* Only the firmware slots are ours, whatever the callers think. */
static int ours(uint32_t address) {
    return address >= BOOT_SLOT_0 && address < BOOT_MODELS;
}

void flash_erase(uint32_t address) {
    if (!ours(address)) return;
    NVMC_CONFIG = NVMC_ERASE;
    NVMC_ERASEPAGE = address;
    while (!NVMC_READY)
        ;
    NVMC_CONFIG = NVMC_READ_ONLY;
}

void flash_write(uint32_t address, uint32_t word) {
    if (!ours(address) || word == 0xFFFFFFFFu) return;
    NVMC_CONFIG = NVMC_WRITE;
    NRF51_REGISTER(address) = word;
    while (!NVMC_READY)
        ;
    NVMC_CONFIG = NVMC_READ_ONLY;
}

static uint32_t now(void) {
    TIMER_CAPTURE0 = 1;
    return TIMER_CC0;
}

static void send(uint8_t byte) {
    UART_TXDRDY = 0;
    UART_TXD = byte;
    for (uint32_t i = 0; !UART_TXDRDY && i < SEND_ROUNDS; i++)
        ;
}

static void start_peripherals(void) {
    POWER_RAMON |= 3;
    POWER_RAMONB |= 3;
    CLOCK_HFCLKSTARTED = 0;
    CLOCK_HFCLKSTART = 1;
    for (uint32_t i = 0; !CLOCK_HFCLKSTARTED && i < CRYSTAL_ROUNDS; i++)
        ;
    TIMER_STOP = 1;
    TIMER_MODE = 0;
    TIMER_BITMODE = TIMER_32_BITS;
    TIMER_PRESCALER = TIMER_1_MHZ;
    TIMER_CLEAR = 1;
    TIMER_START = 1;
    GPIO_PIN_CNF(PIN_BUTTON_A) = GPIO_INPUT_PULLED_UP;
    GPIO_PIN_CNF(PIN_RX) = GPIO_INPUT_PULLED_UP;
    GPIO_OUTSET = 1u << PIN_TX; /* idle, also while the UART doesn't hold the pin */
    GPIO_DIRSET = 1u << PIN_TX;
    UART_PSELTXD = PIN_TX;
    UART_PSELRXD = PIN_RX;
    UART_BAUDRATE = UART_115200;
    UART_CONFIG = 0; /* 8N1, no flow control */
    UART_ENABLE = UART_ENABLED;
    UART_RXDRDY = 0;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
}

static void restart(int stay) {
    NRF51_REGISTER(BOOT_MAILBOX) = stay ? BOOT_STAY : 0;
    NRF51_REGISTER(BOOT_MAILBOX + 4) = stay ? ~BOOT_STAY : 0;
    /* the last byte leaves the line: 1 ms is plenty */
    const uint32_t from = now();
    while (now() - from < 1000)
        ;
    SCB_AIRCR = SCB_RESET;
    for (;;)
        ;
}

static int asked_to_stay(void) {
    const int mail =
        NRF51_REGISTER(BOOT_MAILBOX) == BOOT_STAY && NRF51_REGISTER(BOOT_MAILBOX + 4) == ~BOOT_STAY;
    NRF51_REGISTER(BOOT_MAILBOX) = 0;
    return mail || !(GPIO_IN >> PIN_BUTTON_A & 1);
}

static void run(uint32_t entry) {
    UART_ENABLE = 0;
    TIMER_STOP = 1;
    const uint32_t *vectors = (const uint32_t *)entry;
    __asm__ volatile("msr msp, %0\n bx %1" : : "r"(vectors[0]), "r"(vectors[1]));
    __builtin_unreachable();
}

static void serve(const uint8_t *packet, uint32_t count) {
    server_take(&smp, packet, count);
    if (!smp.answer_bytes) return;
    console_send(smp.answer, smp.answer_bytes, send);
    if (smp.then != SERVER_NOTHING) restart(smp.then == SERVER_RESET_AND_STAY);
}

__attribute__((noreturn)) void boot_main(void) {
    uint32_t entry = 0;
    start_peripherals();
    int stay = asked_to_stay();
    if (!slots_start(&entry)) stay = 1;
    for (;;) {
        if (UART_RXDRDY) {
            UART_RXDRDY = 0;
            const uint32_t count = console_take(&line, (uint8_t)UART_RXD);
            if (count) {
                stay = 1;
                serve(line.buffer + 2, count);
            }
        }
        const uint32_t since = now();
        if (!stay && since >= KNOCK_US && (!console_busy(&line) || since >= LINE_US)) run(entry);
    }
}
