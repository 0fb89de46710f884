/*
 * Arduino boards with an ATmega: Uno (ATmega328P) and Mega 2560. The image comes with the firmware, by the
 * board's own bootloader, as a slot in program flash at MODEL_AT; EEPROM keeps what was learned.
 *
 * Registers by the data sheets of ATmega48A/PA/88A/PA/168A/PA/328/P (DS40002061) and
 * ATmega640/1280/1281/2560/2561 (DS40002211).
 */
#include "board.h"
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/wdt.h>
#include <util/atomic.h>

/*
 * ff_rom numbers, of 16 bits: the slot with the model from MODEL_ROM on, EEPROM from ROM_EEPROM on. Numbers
 * below that are addresses in program flash, less FLASH_OFFSET where flash has more than those.
 */
#define ROM_EEPROM 0x8000u
#if FLASHEND > 0xFFFF
#define FLASH_OFFSET (MODEL_AT - MODEL_ROM)
#define FLASH_BYTE(at) pgm_read_byte_far(FLASH_OFFSET + (at))
#else
#define FLASH_BYTE(at) pgm_read_byte(at)
#endif

#define EEPROM_PAGE FF_SLOT_HEADER

/* 115,200 bits/s at 16 MHz with double speed: 117,647, 2.1% too fast, which is within what receivers take. */
#define UBRR (F_CPU / 8 / BOARD_BAUD - 1)
#if F_CPU / 8 / (UBRR + 1) * 100 > BOARD_BAUD * 103
#error "the clock can't be divided down to BAUD"
#endif

#ifdef USART_RX_vect
#define RX_VECTOR USART_RX_vect
#else
#define RX_VECTOR USART0_RX_vect
#endif

static uint8_t arena[ARENA_BYTES] __attribute__((aligned(4)));
static volatile uint8_t ring[RING_BYTES]; /* a power of 2, at most 256 */
static volatile uint8_t ring_in;
static uint8_t ring_out;
static volatile uint16_t overflows; /* of timer 1 */
static uint32_t starts __attribute__((section(".noinit")));

/* A watchdog that restarted the board still runs, and would do it again. */
void early(void) __attribute__((naked, used, section(".init3")));
void early(void) {
    MCUSR = 0;
    wdt_disable();
}

void ff_rom_read(void *to, ff_rom at, ff_size count) {
    uint8_t *byte = to;
    for (; count--; at++)
        *byte++ = at < ROM_EEPROM ? FLASH_BYTE(at) : eeprom_read_byte((const uint8_t *)(at - ROM_EEPROM));
}

/* EEPROM overwrites by itself: only a slot's header must be cleared, and of it the commit mark first. */
static int erase(void *user, ff_size offset) {
    (void)user;
    if (offset % SLOT_BYTES) return 0;
    for (uint8_t i = EEPROM_PAGE; i--;)
        eeprom_update_byte((uint8_t *)(offset + i), 0xFF);
    return 0;
}

/* The store reads back what it wrote, which waits for the last byte. */
static int program(void *user, ff_size offset, const uint8_t *from, ff_size count) {
    (void)user;
    uint8_t *at = (uint8_t *)offset;
    while (count--)
        eeprom_update_byte(at++, *from++);
    return 0;
}

ISR(RX_VECTOR) {
    uint8_t next = (uint8_t)((ring_in + 1) & (RING_BYTES - 1));
    uint8_t byte = UDR0;
    if (next == ring_out) return; /* the frame's checksum tells */
    ring[ring_in] = byte;
    ring_in = next;
}

ISR(TIMER1_OVF_vect) {
    overflows++;
}

void board_start(ff_device *device) {
    UBRR0 = UBRR;
    UCSR0A = _BV(U2X0);
    UCSR0B = _BV(RXCIE0) | _BV(RXEN0) | _BV(TXEN0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    TCCR1B = _BV(CS11); /* half a microsecond per count */
    TIMSK1 = _BV(TOIE1);
    sei();

    device->base = MODEL_ROM;
    device->base_bytes = MODEL_BYTES;
    device->flash.map = ROM_EEPROM;
    device->flash.slot_bytes = SLOT_BYTES;
    device->flash.page_bytes = EEPROM_PAGE;
    device->flash.erase = erase;
    device->flash.program = program;
    device->arena = arena;
    device->arena_bytes = sizeof arena;
    device->target = BOARD_TARGET;
    device->window = 1;
    device->ahead = RING_BYTES - 1 - BOARD_RING_SPARE;
    device->keeps_store = 1;
}

uint32_t board_read(uint8_t *to, uint32_t room) {
    uint8_t count = 0;
    while (ring_out != ring_in && count < room) {
        to[count++] = ring[ring_out];
        ring_out = (uint8_t)((ring_out + 1) & (RING_BYTES - 1));
    }
    return count;
}

uint32_t board_write(const uint8_t *from, uint32_t count) {
    (void)count;
    if (!(UCSR0A & _BV(UDRE0))) return 0;
    UDR0 = *from;
    return 1;
}

uint32_t board_clock(void) {
    uint16_t high, low;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        low = TCNT1;
        high = overflows;
        if ((TIFR1 & _BV(TOV1)) && low < 0x8000) high++; /* an overflow that waits for its interrupt */
    }
    return ((uint32_t)high << 15) | (low >> 1);
}

/* The lowest bits of the converter with nothing at its input, and how often the board was started since it
 * got power. */
uint32_t board_seed(void) {
    uint32_t seed = ++starts;
    ADMUX = _BV(REFS0);
    ADCSRA = _BV(ADEN) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0);
    for (uint8_t i = 0; i < 32; i++) {
        ADCSRA |= _BV(ADSC);
        while (ADCSRA & _BV(ADSC))
            ;
        seed = (seed << 1 | seed >> 31) ^ ADC;
    }
    ADCSRA = 0;
    return seed ? seed : 1;
}

/* The bootloaders of these boards start on an external reset only: a host resets by DTR. */
void board_restart(uint8_t mode) {
    (void)mode;
}
