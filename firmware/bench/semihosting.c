#include "semihosting.h"

enum { SYS_OPEN = 1, SYS_WRITE0 = 4, SYS_READ = 6, SYS_FLEN = 0x0C, SYS_EXIT_EXTENDED = 0x20 };
#define STOPPED 0x20026u /* ADP_Stopped_ApplicationExit */

/* Parameters are as wide as the processor's addresses. */
static uintptr_t call(uintptr_t operation, const void *parameters) {
#ifdef __aarch64__
    register uintptr_t r0 __asm("x0") = operation;
    register const void *r1 __asm("x1") = parameters;
    __asm volatile("hlt 0xF000" : "+r"(r0) : "r"(r1) : "memory");
#else
    register uintptr_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = parameters;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
#endif
    return r0;
}

static uintptr_t length(const char *text) {
    uintptr_t n = 0;
    while (text[n])
        n++;
    return n;
}

void host_exit(int status) {
    const uintptr_t block[2] = {STOPPED, (uintptr_t)status};
    for (;;)
        call(SYS_EXIT_EXTENDED, block);
}

void host_fail(const char *why) {
    call(SYS_WRITE0, why);
    call(SYS_WRITE0, "\n");
    host_exit(1);
}

uint32_t host_read(const char *name, void *to, uint32_t room) {
    const uintptr_t open[3] = {(uintptr_t)name, 1 /* rb */, length(name)};
    const uintptr_t handle = call(SYS_OPEN, open);
    if (handle == UINTPTR_MAX) host_fail(name);
    const uintptr_t bytes = call(SYS_FLEN, &handle);
    if (bytes > room) host_fail(name);
    const uintptr_t read[3] = {handle, (uintptr_t)to, bytes};
    if (call(SYS_READ, read) != 0) host_fail(name);
    return (uint32_t)bytes;
}

void host_number(const char *name, uint64_t value) {
    char digits[24];
    char *p = digits + sizeof digits;
    *--p = 0;
    do
        *--p = (char)('0' + value % 10);
    while (value /= 10);
    call(SYS_WRITE0, "{\"name\": \"");
    call(SYS_WRITE0, name);
    call(SYS_WRITE0, "\", \"value\": ");
    call(SYS_WRITE0, p);
    call(SYS_WRITE0, "}\n");
}
