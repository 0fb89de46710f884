#include "ff_status.h"

ff_status ff_fail(ff_fault *f, ff_status code, uint32_t expected, uint32_t got) {
    f->expected = expected;
    f->got = got;
    return code;
}
