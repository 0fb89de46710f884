/* What `make size` links: a device that infers, learns and serves a link, as a port would. Compiled, not run.
 */
#include "goodness.h"

ff_device size_device;
ff_link size_link;
volatile uint8_t size_port;

void size_entry(void);
void size_entry(void) {
    static uint32_t buffer[512];
    ff_device_start(&size_device);
    ff_link_start(&size_link, &size_device, (uint8_t *)buffer, 1024);
    for (;;) {
        uint8_t byte = size_port;
        ff_link_feed(&size_link, &byte, 1);
        ff_link_step(&size_link);
        if (ff_link_take(&size_link, &byte, 1)) size_port = byte;
    }
}
