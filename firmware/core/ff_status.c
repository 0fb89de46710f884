#include "ff_status.h"

ff_status ff_fail(ff_fault *f, ff_status code, ff_size expected, ff_size got) {
    f->expected = expected;
    f->got = got;
    return code;
}

#if FF_SMALL
ff_status ff_fail32(ff_fault *f, ff_status code, uint32_t expected, uint32_t got) {
    f->expected = expected;
    f->got = got;
    return code;
}
#endif
