/*
 * The line: USART1 (PA9 out, PA10 in) or USART3 (PB10 out, PB11 in: the Feather's TX and RX), 8N1.
 * Both are on, as in the chip's own bootloader; answers go to the one that spoke last.
 */
#include "stm32f405.h"

#define DRAIN_ROUNDS 300000u

static volatile uint32_t line = USART1;

static void start_pins(uint32_t port, uint32_t tx) {
    const uint32_t rx = tx + 1;
    GPIO_PUPDR(port) =
        (GPIO_PUPDR(port) & ~(3u << 2 * rx)) | GPIO_PULL_UP << 2 * rx; /* else a loose pin hears noise */
    GPIO_AFRH(port) = (GPIO_AFRH(port) & ~(0xFFu << 4 * (tx - 8))) | (GPIO_USART | GPIO_USART << 4)
                                                                         << 4 * (tx - 8);
    GPIO_MODER(port) = (GPIO_MODER(port) & ~(0xFu << 2 * tx)) | (GPIO_ALTERNATE | GPIO_ALTERNATE << 2)
                                                                    << 2 * tx;
}

static void start_port(uint32_t port, uint32_t irq, uint32_t megahertz) {
    USART_BRR(port) = (megahertz * 1000000u + BOARD_BAUD / 2) / BOARD_BAUD;
    USART_CR1(port) = USART_ON;
    cortex_enable(irq);
}

void stm32_lines_start(const stm32_clocks *clocks) {
    RCC_AHB1ENR |= RCC_GPIOA | RCC_GPIOB;
    RCC_APB1ENR |= RCC_USART3;
    RCC_APB2ENR |= RCC_USART1;
    (void)RCC_APB2ENR; /* the clocks run when this is read (errata sheet ES0182: delay after enabling) */
    start_port(USART1, IRQ_USART1, clocks->apb2);
    start_port(USART3, IRQ_USART3, clocks->apb1);
    start_pins(GPIO_A, 9);
    start_pins(GPIO_B, 10);
}

static void receive(uint32_t port) {
    while (USART_SR(port) & (USART_RECEIVED | USART_OVERRUN)) {
        cortex_ring_put((uint8_t)USART_DR(
            port)); /* which clears both; after an overrun it is a byte that the CRC refuses */
        line = port;
    }
}

void Interrupt_Handler(void) {
    receive(USART1);
    receive(USART3);
}

uint32_t board_read(uint8_t *to, uint32_t room) {
    return cortex_ring_take(to, room);
}

uint32_t board_write(const uint8_t *from, uint32_t count) {
    const uint32_t port = line;
    uint32_t sent = 0;
    cortex_ring_awake();
    while (sent < count && (USART_SR(port) & USART_ROOM))
        USART_DR(port) = from[sent++];
    return sent;
}

void stm32_lines_drain(void) {
    stm32_wait(&USART_SR(line), USART_SENT_ALL, USART_SENT_ALL, DRAIN_ROUNDS);
}
