/* What gcc may call for structures and loops; a C library's own would bring more along. Bytes one by one:
 * nothing that takes time comes here. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *a, const void *b, size_t count);

__attribute__((used)) void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *t = to;
    const uint8_t *f = from;
    while (count--)
        *t++ = *f++;
    return to;
}

__attribute__((used)) void *memmove(void *to, const void *from, size_t count) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t <= (uintptr_t)f) return memcpy(to, from, count);
    while (count--)
        t[count] = f[count];
    return to;
}

__attribute__((used)) void *memset(void *to, int value, size_t count) {
    uint8_t *t = to;
    while (count--)
        *t++ = (uint8_t)value;
    return to;
}

__attribute__((used)) int memcmp(const void *a, const void *b, size_t count) {
    const uint8_t *x = a, *y = b;
    for (; count--; x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}
