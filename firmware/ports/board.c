/* The main program of a board without an operating system: one link over one line. */
#include "board.h"

static ff_device device;
static ff_link line;
static uint32_t buffer[FF_LINK_BYTES(BOARD_PAYLOAD, BOARD_ANSWER) / 4];

int main(void) {
    uint8_t in[32];
    ff_size from = 0, to = 0;
    board_start(&device);
    device.clock = board_clock;
    device.boot = board_seed();
    ff_device_start(&device);
    ff_link_start(&line, &device, (uint8_t *)buffer, BOARD_PAYLOAD, BOARD_ANSWER);
    for (;;) {
        if (from == to) {
            from = 0;
            to = (ff_size)board_read(in, sizeof in);
        }
        from += ff_link_feed(&line, in + from, to - from);
        ff_link_step(&line);
        if (line.out_sent < line.out_count)
            line.out_sent += (ff_size)board_write(line.out + line.out_sent, line.out_count - line.out_sent);
        else if (device.restart)
            board_restart((uint8_t)(device.restart - 1));
    }
}
