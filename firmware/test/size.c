/* What `make size` links: a device that infers, learns and serves a link, as a port would. Compiled, not run.
 */
#include "goodness.h"

/* Visible from outside, so that nothing about what a port would put there is known to the optimiser. */
__attribute__((externally_visible)) ff_device size_device;
ff_link size_link;
volatile uint8_t size_port;

#if FF_ROM_FAR
void ff_rom_read(void *to, ff_rom at, ff_size count) {
    uint8_t *byte = to;
    while (count--)
        *byte++ = (uint8_t)(size_port + at++);
}
#endif

void size_entry(void);
void size_entry(void) {
    static uint32_t buffer[512];
    ff_device_start(&size_device);
    ff_link_start(&size_link, &size_device, (uint8_t *)buffer, 1024, 1024);
    for (;;) {
        uint8_t byte = size_port;
        ff_link_feed(&size_link, &byte, 1);
        ff_link_step(&size_link);
        if (ff_link_take(&size_link, &byte, 1)) size_port = byte;
    }
}
