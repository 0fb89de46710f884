/* What gcc calls for structures and loops, copies by eight bytes: on a system with a C library, its own are
 * used. */
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int value, size_t count);
size_t strlen(const char *text);

__attribute__((used)) void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *t = to;
    const uint8_t *f = from;
    for (; count >= 8; count -= 8, t += 8, f += 8)
        *(word *)t = *(const word *)f;
    while (count--)
        *t++ = *f++;
    return to;
}

__attribute__((used)) void *memset(void *to, int value, size_t count) {
    uint8_t *t = to;
    const word eight = (uint8_t)value * 0x0101010101010101u;
    for (; count >= 8; count -= 8, t += 8)
        *(word *)t = eight;
    while (count--)
        *t++ = (uint8_t)value;
    return to;
}

__attribute__((used)) size_t strlen(const char *text) {
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}
