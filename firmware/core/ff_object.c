#include "ff_object.h"
#include "ff_bytes.h"
#include "ff_crc32.h"

ff_status ff_object_check(const uint8_t *object, uint32_t bytes, uint32_t magic, uint16_t header,
                          ff_fault *fault) {
    if (bytes < header) return ff_fail(fault, FF_TRUNCATED, header, bytes);
    uint32_t v = ff_get32(object);
    if (v != magic) return ff_fail(fault, FF_MAGIC, magic, v);
    v = ff_get16(object + 4);
    if (v != 1) return ff_fail(fault, FF_VERSION, 1, v);
    v = ff_get32(object + 8);
    if (v != bytes) return ff_fail(fault, FF_TRUNCATED, v, bytes);
    v = ff_get32(object + 12);
    uint32_t crc = ff_crc32(0, object + 16, bytes - 16);
    if (v != crc) return ff_fail(fault, FF_CRC, v, crc);
    v = ff_get16(object + 6);
    if (v != header) return ff_fail(fault, FF_FIELD, 6, v);
    if (bytes % 4) return ff_fail(fault, FF_FIELD, 8, bytes);
    return FF_OK;
}

ff_status ff_check_ranges(const uint8_t *p, const ff_range *ranges, uint8_t count, uint32_t base,
                          ff_fault *fault) {
    for (; count--; ranges++) {
        uint16_t v = ranges->width == 2 ? ff_get16(p + ranges->at) : p[ranges->at];
        if (v < ranges->least || v > ranges->most) return ff_fail(fault, FF_FIELD, base + ranges->at, v);
    }
    return FF_OK;
}
