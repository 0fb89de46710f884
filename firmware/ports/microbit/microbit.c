/*
 * BBC micro:bit v1. The line is the serial port of the interface chip at 115,200 bits per second. Only its
 * receiver interrupts: a Cortex-M0 can't move its vector table, but the bootloader passes exceptions on. Time
 * is read from a timer that interrupts nobody.
 */
#include "board.h"
#include "cortex-m.h"
#include "layout.h"
#include "nrf51.h"

#define SLOT_BYTES 0x1C000u /* 112 KB, twice: all that is left behind the firmware slots */
/* Rounds of a polling loop until a part that doesn't get ready is given up. */
#define CRYSTAL_ROUNDS 20000u /* some 10 ms: far more than the crystal takes to start */
#define SEND_ROUNDS 100000u   /* a byte takes 87 us */
#define NOISE_ROUNDS 100000u  /* a byte takes 0.7 ms */

/* Looks in vain before the processor sleeps: more than any job has steps, since one that is under way isn't
 * woken. */
#define IDLE_LOOKS 4096u

/* Bytes that came in while the main loop was at work: the next request. */
#define RING (BOARD_REQUEST_BYTES + BOARD_RING_SPARE + 1)
static volatile uint8_t ring[RING];
static volatile uint16_t head, tail; /* where the interrupt puts the next byte, and the main loop takes it */

/* Whatever is left beside the link's buffers and the stack goes to the model. */
static uint32_t arena[BOARD_ARENA / 4];

static int in_slots(uint32_t offset, uint32_t count) {
    return offset < 2 * SLOT_BYTES && count <= 2 * SLOT_BYTES - offset;
}

/* The processor stands still until the page is erased (22 ms) or the word is written (46 us). */
static int erase(void *user, uint32_t offset) {
    (void)user;
    if (!in_slots(offset, BOOT_PAGE) || offset % BOOT_PAGE) return -1;
    NVMC_CONFIG = NVMC_ERASE;
    NVMC_ERASEPAGE = BOOT_MODELS + offset;
    while (!NVMC_READY)
        ;
    NVMC_CONFIG = NVMC_READ_ONLY;
    return 0;
}

static int program(void *user, uint32_t offset, const uint8_t *from, uint32_t count) {
    const uint32_t *word = (const uint32_t *)(const void *)from; /* aligned to 4, says ff_store.h */
    (void)user;
    if (!in_slots(offset, count) || offset % 4 || count % 4) return -1;
    NVMC_CONFIG = NVMC_WRITE;
    for (uint32_t i = 0; i < count; i += 4) {
        NRF51_REGISTER(BOOT_MODELS + offset + i) = *word++;
        while (!NVMC_READY)
            ;
    }
    NVMC_CONFIG = NVMC_READ_ONLY;
    return 0;
}

static void start_line(void) {
    GPIO_PIN_CNF(PIN_RX) = GPIO_INPUT_PULLED_UP;
    GPIO_OUTSET = 1u << PIN_TX;
    GPIO_DIRSET = 1u << PIN_TX;
    UART_PSELTXD = PIN_TX;
    UART_PSELRXD = PIN_RX;
    UART_BAUDRATE = UART_115200; /* what the bootloader and the interface chip have */
    UART_CONFIG = 0;             /* 8N1, no flow control */
    UART_ENABLE = UART_ENABLED;
    UART_RXDRDY = 0;
    UART_TXDRDY = 0;
    UART_INTENSET = UART_INT_RXDRDY;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    cortex_enable(UART_IRQ);
}

static void start_clock(void) {
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
}

void board_start(ff_device *device) {
    start_clock();
    start_line();
    device->flash.map = (ff_rom)BOOT_MODELS;
    device->flash.slot_bytes = SLOT_BYTES;
    device->flash.page_bytes = BOOT_PAGE;
    device->flash.erase = erase;
    device->flash.program = program;
    device->arena = (uint8_t *)arena;
    device->arena_bytes = sizeof arena;
    device->target = "microbit";
    device->window = 1;
    device->ahead = BOARD_REQUEST_BYTES;
    device->keeps_store = 1;
    device->can_restart = 1;
}

static uint16_t after(uint16_t at) {
    return at + 1u < RING ? (uint16_t)(at + 1u) : 0;
}

/*
 * A full ring isn't written to: the receiver's own buffer of 6 bytes fills up, and what comes then is lost on
 * a board, where it comes too fast only if the host doesn't keep to the window; an emulator holds it back.
 */
void Interrupt_Handler(void) {
    while (UART_RXDRDY) {
        const uint16_t next = after(head);
        if (next == tail) {
            UART_INTENCLR = UART_INT_RXDRDY;
            return;
        }
        UART_RXDRDY = 0;
        ring[head] = (uint8_t)UART_RXD;
        head = next;
    }
}

/* With interrupts held off, one that comes before the processor sleeps still wakes it. */
static void doze(void) {
    __asm volatile("cpsid i" ::: "memory");
    if (head == tail) __asm volatile("wfi" ::: "memory");
    __asm volatile("cpsie i" ::: "memory");
}

uint32_t board_read(uint8_t *to, uint32_t room) {
    static uint32_t idle;
    uint32_t count = 0;
    for (; count < room && head != tail; tail = after(tail))
        to[count++] = ring[tail];
    if (count) {
        idle = 0;
        UART_INTENSET = UART_INT_RXDRDY; /* the ring has room again */
    } else if (++idle > IDLE_LOOKS) {
        doze();
    }
    return count;
}

uint32_t board_write(const uint8_t *from, uint32_t count) {
    for (uint32_t sent = 0; sent < count; sent++) {
        UART_TXDRDY = 0;
        UART_TXD = from[sent];
        for (uint32_t i = 0; !UART_TXDRDY && i < SEND_ROUNDS; i++)
            ;
    }
    return count;
}

uint32_t board_clock(void) {
    TIMER_CAPTURE0 = 1;
    return TIMER_CC0;
}

uint32_t board_seed(void) {
    uint32_t seed = board_clock();
    RNG_START = 1;
    for (unsigned k = 0; k < 4; k++) {
        RNG_VALRDY = 0;
        for (uint32_t i = 0; !RNG_VALRDY && i < NOISE_ROUNDS; i++)
            ;
        seed = seed << 8 ^ seed >> 24 ^ RNG_VALUE;
    }
    RNG_STOP = 1;
    return seed ? seed : 1;
}

void board_restart(uint8_t mode) {
    NRF51_REGISTER(BOOT_MAILBOX) = mode ? BOOT_STAY : 0;
    NRF51_REGISTER(BOOT_MAILBOX + 4) = mode ? ~BOOT_STAY : 0;
    /* The answer's last byte has left the transmitter's register, not yet the line. */
    const uint32_t from = board_clock();
    while (board_clock() - from < 1000)
        ;
    cortex_reset();
}
