#include "ff_object.h"

ff_status ff_object_check(ff_rom object, ff_size bytes, uint32_t magic, uint16_t header, ff_fault *fault) {
    uint32_t buffer[4];
    if (bytes < header) return ff_fail(fault, FF_TRUNCATED, header, bytes);
    const uint8_t *head = ff_rom_view(object, buffer, sizeof buffer);
    uint32_t v = ff_at32(head);
    if (v != magic) return ff_fail32(fault, FF_MAGIC, magic, v);
    const uint16_t version = ff_at16(head + 4), length = ff_at16(head + 6);
    if (version != 2) return ff_fail(fault, FF_VERSION, 2, version);
    v = ff_at32(head + 8);
    if (v != bytes) return ff_fail32(fault, FF_TRUNCATED, v, bytes);
    v = ff_at32(head + 12);
    const uint32_t crc = ff_rom_crc32(0, object + 16, (ff_size)(bytes - 16));
    if (v != crc) return ff_fail32(fault, FF_CRC, v, crc);
    if (length != header) return ff_fail(fault, FF_FIELD, 6, length);
    if (bytes % 4) return ff_fail(fault, FF_FIELD, 8, bytes);
    return FF_OK;
}

ff_status ff_check_ranges(const uint8_t *p, const FF_TABLE ff_range *ranges, uint8_t count, ff_size base,
                          ff_fault *fault) {
    for (; count--; ranges++) {
        const uint8_t at = ranges->at & 0x7F;
        const uint16_t v = ranges->at != at ? ff_at16(p + at) : p[at];
        if (v < ranges->least || v > ranges->most) return ff_fail(fault, FF_FIELD, (ff_size)(base + at), v);
    }
    return FF_OK;
}
