/* Step 4. The line of a chip: here a serial port that doesn't exist, with a status and a data register. */
#include "cortex-m.h"
#include "template.h"

#define UART_STATUS CORTEX_REGISTER(0x40000000u)
#define UART_RECEIVED 1u
#define UART_ROOM 2u
#define UART_SENT_ALL 4u
#define UART_DATA CORTEX_REGISTER(0x40000004u)
#define UART_BAUD CORTEX_REGISTER(0x40000008u)
#define IRQ_UART 0u
#define MEGAHERTZ 64u

void template_line_start(void) {
    cortex_clock_start(MEGAHERTZ);
    UART_BAUD = MEGAHERTZ * 1000000u / BOARD_BAUD;
    cortex_enable(IRQ_UART);
}

/* Bytes come while the main loop computes: only an interrupt sees them all. It does nothing but keep them. */
void Interrupt_Handler(void) {
    while (UART_STATUS & UART_RECEIVED)
        cortex_ring_put((uint8_t)UART_DATA);
}

uint32_t board_read(uint8_t *to, uint32_t room) {
    return cortex_ring_take(to, room);
}

uint32_t template_line_send(const uint8_t *from, uint32_t count) {
    uint32_t sent = 0;
    cortex_ring_awake();
    while (sent < count && (UART_STATUS & UART_ROOM))
        UART_DATA = from[sent++];
    return sent;
}

int template_line_sent(void) {
    return (UART_STATUS & UART_SENT_ALL) != 0;
}

uint32_t board_clock(void) {
    return cortex_clock();
}

/* A random number generator or the noise of a converter goes in here, if the chip has one. */
uint32_t board_seed(void) {
    return cortex_seed(cortex_clock());
}

void board_restart(uint8_t mode) {
    (void)mode; /* 1: leave a mark for the bootloader, in RAM that a reset keeps */
    for (uint32_t i = 0; !template_line_sent() && i < 1000000; i++)
        ;
    cortex_reset();
}
