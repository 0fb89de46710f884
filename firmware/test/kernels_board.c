/* Runs the tests of kernels on a board in an emulator. */
#include "kernels.h"
#include "semihosting.h"

static uint8_t memory[KERNELS_MEMORY];

int main(void) {
    for (uint32_t seed = 1; seed <= 3; seed++)
        host_number("cases differ", check_kernels(seed, memory));
    host_exit(0);
}
