/*
 * Counts the instructions of the core's passes in an emulator: `npm run bench:simd` builds this for each
 * processor and set of kernels, runs it where it finds its files, and reads the lines that it writes:
 * instructions for all samples.
 */
#include "counter.h"
#include "passes.h"
#include "semihosting.h"

static void count(const char *name, void (*pass)(void)) {
    const uint64_t from = counter_now();
    pass();
    host_number(name, counter_now() - from);
}

static void open_image(const char *name) {
    if (passes_open(host_read(name, passes_image, sizeof passes_image)) != 0)
        host_fail("the image is refused");
}

int main(void) {
    host_read("test.bin", &passes_test, sizeof passes_test);
    host_read("stream.bin", &passes_stream, sizeof passes_stream);
    counter_start();
    open_image("image.ffm");
    passes_infer_start();
    passes_product_start();
    count("product", passes_product);
    passes_product_mix();
    count("dense", passes_dense);
    passes_product_mix();
    count("infer", passes_infer);
    passes_results_mix();
    passes_learn_start();
    count("learn", passes_learn);
    passes_results_mix();
    open_image("nibbles.ffm");
    passes_infer_start();
    passes_product_start();
    count("product, 4 bits", passes_product);
    passes_product_mix();
    count("infer, 4 bits", passes_infer);
    passes_results_mix();
    host_number("hash", passes_hash());
    host_exit(0);
}
