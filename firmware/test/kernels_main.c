/* Runs the tests of kernels as a process: `kernels [seed]`. */
#include "kernels.h"
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **words) {
    static uint8_t memory[KERNELS_MEMORY];
    const uint32_t wrong = check_kernels(count > 1 ? (uint32_t)strtoul(words[1], NULL, 10) : 1, memory);
    printf("%lu cases differ\n", (unsigned long)wrong);
    return wrong != 0;
}
