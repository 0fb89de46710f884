#include "console.h"

enum { BETWEEN, FIRST, NEXT, LINE };

static uint16_t crc16(uint16_t crc, uint8_t byte) {
    crc = (uint16_t)(crc ^ byte << 8);
    for (unsigned i = 0; i < 8; i++)
        crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    return crc;
}

/* Value of a base64 digit, 64 if it is none. */
static uint32_t digit(uint8_t c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
    if (c >= '0' && c <= '9') return c - '0' + 52u;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* One digit or padding sign. 0 if it may not stand here. */
static int take_digit(console *c, uint8_t byte) {
    uint32_t value = digit(byte);
    if (byte == '=' && c->digits >= 2) {
        c->pads++;
        value = 0;
    } else if (value > 63 || c->pads) {
        return 0;
    }
    c->quad = c->quad << 6 | value;
    if (++c->digits < 4) return 1;
    for (unsigned i = 0; i < 3u - c->pads; i++) {
        if (c->count == sizeof c->buffer) return 0;
        c->buffer[c->count++] = (uint8_t)(c->quad >> (16 - 8 * i));
    }
    c->digits = 0; /* pads stay: nothing may follow them */
    return 1;
}

/* A line has ended: the length of the packet if it is whole, 0 if not, or not yet. */
static uint32_t end_line(console *c) {
    if (c->digits == 0 && c->count >= 2) {
        const uint32_t want = (uint32_t)c->buffer[0] << 8 | c->buffer[1];
        if (c->count - 2 < want && !c->pads) return 0; /* to be continued */
        if (c->count - 2 == want && want > 2) {
            uint16_t crc = 0;
            for (uint32_t i = 2; i < c->count; i++)
                crc = crc16(crc, c->buffer[i]);
            /* the CRC of a message with its own CRC behind it is 0 */
            c->open = 0;
            return crc ? 0 : want - 2;
        }
    }
    c->open = 0;
    return 0;
}

uint32_t console_take(console *c, uint8_t byte) {
    const unsigned state = c->state;
    c->state = BETWEEN;
    if (byte == 6) {
        c->state = FIRST;
    } else if (byte == 4 && state == BETWEEN) {
        c->state = NEXT;
    } else if ((state == FIRST && byte == 9) || (state == NEXT && byte == 20 && c->open)) {
        if (state == FIRST) c->count = c->pads = 0;
        c->open = 1;
        c->digits = 0;
        c->state = LINE;
    } else if (state == LINE) {
        if (byte == '\n') return end_line(c);
        if (byte == '\r' || take_digit(c, byte))
            c->state = LINE;
        else
            c->open = 0;
    }
    return 0;
}

int console_busy(const console *c) {
    return c->open;
}

static char base64(uint32_t value) {
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[value & 63];
}

void console_send(const uint8_t *packet, uint32_t count, void (*send)(uint8_t byte)) {
    const uint32_t total = count + 4;
    uint16_t crc = 0;
    for (uint32_t i = 0; i < count; i++)
        crc = crc16(crc, packet[i]);
    for (uint32_t at = 0; at < total; at += 3) {
        /* 31 groups of 4 digits fill a line */
        if (at % 93 == 0) {
            if (at) send('\n');
            send(at ? 4 : 6);
            send(at ? 20 : 9);
        }
        uint32_t quad = 0;
        for (uint32_t i = at; i < at + 3; i++) {
            uint32_t byte = 0;
            if (i < 2)
                byte = i ? (count + 2) & 255 : (count + 2) >> 8;
            else if (i < count + 2)
                byte = packet[i - 2];
            else if (i < total)
                byte = i == count + 2 ? crc >> 8 : crc & 255u;
            quad = quad << 8 | byte;
        }
        send((uint8_t)base64(quad >> 18));
        send((uint8_t)base64(quad >> 12));
        send((uint8_t)(at + 1 < total ? base64(quad >> 6) : '='));
        send((uint8_t)(at + 2 < total ? base64(quad) : '='));
    }
    send('\n');
}
