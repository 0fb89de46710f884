/* The line: UART0, GP0 out and GP1 in, 8N1. What comes in goes to a ring by interrupt, also while the
 * flash is busy. */
#include "pico.h"

typedef char ring_holds_the_window[((BOARD_WINDOW - 1) * BOARD_REQUEST_BYTES <= CORTEX_AHEAD) ? 1 : -1];

/* The peripherals' clock / 16 / bits per second, in parts of 64: 6 + 33 / 64 for 115,200 of 12 MHz. */
#define DIVISOR ((PICO_PERI_HERTZ * 4u + BOARD_BAUD / 2) / BOARD_BAUD)

void pico_uart_start(void) {
    pico_unreset(RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0);
    REG(UART0_IBRD) = DIVISOR / 64;
    REG(UART0_FBRD) = DIVISOR % 64;
    REG(UART0_LCR_H) = UART_LCR_8N1_FIFO;
    REG(UART0_CR) = UART_CR_ON;
    REG(IO_BANK0_CTRL(0)) = FUNCTION_UART;
    REG_CLEAR(PADS_BANK0(1)) = PAD_PULL_DOWN; /* a line that nobody drives is high: no break */
    REG_SET(PADS_BANK0(1)) = PAD_PULL_UP;
    REG(IO_BANK0_CTRL(1)) = FUNCTION_UART;
    REG(UART0_IMSC) = UART_INT_RX | UART_INT_RX_TIMEOUT;
    cortex_enable(IRQ_UART0);
}

void pico_uart_interrupt(void) {
    REG(UART0_ICR) = UART_INT_RX | UART_INT_RX_TIMEOUT; /* first: what comes from here on asks again */
    while (!(REG(UART0_FR) & UART_FR_RXFE))
        cortex_ring_put((uint8_t)REG(UART0_DR));
}

uint32_t board_read(uint8_t *to, uint32_t room) {
    return cortex_ring_take(to, room);
}

uint32_t board_write(const uint8_t *from, uint32_t count) {
    uint32_t sent = 0;
    while (sent < count && !(REG(UART0_FR) & UART_FR_TXFF))
        REG(UART0_DR) = from[sent++];
    return sent;
}
