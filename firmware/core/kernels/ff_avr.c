#include "ff_kernels.h"

#if FF_KERNEL_SET == FF_KERNELS_avr
#include "ff_activate.h"
#include "ff_columns.h"
#include "ff_crc32.h"
#include "ff_math.h"

/*
 * What the compiler makes most words of, on a processor that works on single bytes. Arguments come in
 * r25:r24, r23:r22 and so on down, results leave in r25:r22 or r25:r24; r18 to r27, r30, r31 and r0 are free,
 * r1 is 0 when a function is entered and left.
 */
#define FF_NAKED __attribute__((naked, noinline))
#pragma GCC diagnostic ignored "-Wunused-parameter" /* the assembler names registers */

/* acc r25:24, w r23:22, x r21:20, n r19:18, m r17:16 */
FF_NAKED void ff_columns_s8(int32_t *acc, const int8_t *w, const uint8_t *x, uint16_t n, uint16_t m) {
    __asm__("push r28\n push r29\n push r15\n"
            "movw r28, r20\n" /* Y: x, X: w, Z: acc */
            "movw r26, r22\n"
            "1: subi r18, 1\n sbci r19, 0\n brcs 4f\n"
            "ld r20, Y+\n"
            "tst r20\n brne 2f\n"
            "add r26, r16\n adc r27, r17\n rjmp 1b\n"
            "2: movw r30, r24\n"
            "movw r22, r16\n"
            "3: ld r21, X+\n"
            "mulsu r21, r20\n"
            "mov r21, r1\n lsl r21\n sbc r21, r21\n" /* its sign */
            "ld r15, Z\n add r15, r0\n st Z+, r15\n"
            "ld r15, Z\n adc r15, r1\n st Z+, r15\n"
            "ld r15, Z\n adc r15, r21\n st Z+, r15\n"
            "ld r15, Z\n adc r15, r21\n st Z+, r15\n"
            "subi r22, 1\n sbci r23, 0\n brne 3b\n"
            "rjmp 1b\n"
            "4: clr r1\n"
            "pop r15\n pop r29\n pop r28\n ret");
}

/* acc r25:24, y r23:22, width r21:20, shift r18, most r17:16. An activity comes about in r25:22, the goodness
 * in r15:12. */
FF_NAKED uint32_t ff_activate_rows(const int32_t *acc, uint16_t *y, unsigned width, uint8_t shift,
                                   uint16_t most) {
    __asm__("push r12\n push r13\n push r14\n push r15\n"
            "movw r26, r24\n movw r30, r22\n"
            "clr r12\n clr r13\n movw r14, r12\n"
            "1: subi r20, 1\n sbci r21, 0\n brcs 6f\n"
            "ld r22, X+\n ld r23, X+\n ld r24, X+\n ld r25, X+\n"
            "tst r25\n brpl 2f\n"
            "clr r22\n clr r23\n rjmp 5f\n"
            "2: mov r19, r18\n" /* the carry is clear; behind this it is the bit that was shifted out last */
            "3: dec r19\n brmi 4f\n"
            "lsr r25\n ror r24\n ror r23\n ror r22\n rjmp 3b\n"
            "4: adc r22, r1\n adc r23, r1\n adc r24, r1\n adc r25, r1\n"
            "cp r16, r22\n cpc r17, r23\n cpc r1, r24\n cpc r1, r25\n brcc 5f\n"
            "movw r22, r16\n"
            "5: st Z+, r22\n st Z+, r23\n"
            "clr r25\n"
            "mul r22, r22\n add r12, r0\n adc r13, r1\n adc r14, r25\n adc r15, r25\n"
            "mul r23, r23\n add r14, r0\n adc r15, r1\n"
            "mul r22, r23\n lsl r0\n rol r1\n rol r25\n"
            "add r13, r0\n adc r14, r1\n adc r15, r25\n"
            "clr r1\n rjmp 1b\n"
            "6: movw r22, r12\n movw r24, r14\n"
            "pop r15\n pop r14\n pop r13\n pop r12\n ret");
}

/* v r25:22. The part of it that was looked at lies in r20:18, four times the root of that in r21:r27:r26. */
FF_NAKED uint16_t ff_isqrt(uint32_t v) {
    __asm__("clr r18\n clr r19\n clr r20\n clr r21\n movw r26, r18\n"
            "ldi r30, 16\n"
            "1: rcall 3f\n rcall 3f\n"
            "ori r26, 1\n"
            "cp r18, r26\n cpc r19, r27\n cpc r20, r21\n brcs 2f\n"
            "sub r18, r26\n sbc r19, r27\n sbc r20, r21\n"
            "subi r26, -2\n"
            "2: dec r26\n lsl r26\n rol r27\n rol r21\n"
            "dec r30\n brne 1b\n"
            "movw r24, r26\n"
            "lsr r21\n ror r25\n ror r24\n lsr r21\n ror r25\n ror r24\n ret\n"
            "3: lsl r22\n rol r23\n rol r24\n rol r25\n rol r18\n rol r19\n rol r20\n ret");
}

/* r r25:22; left by 13 is left by 8 and by 5, right by 17 is right by 16 and by 1 */
FF_NAKED uint32_t ff_xorshift32(uint32_t r) {
    __asm__("clr r18\n mov r19, r22\n mov r20, r23\n mov r21, r24\n"
            "ldi r30, 5\n rcall 1f\n"
            "movw r18, r24\n lsr r19\n ror r18\n eor r22, r18\n eor r23, r19\n"
            "movw r18, r22\n movw r20, r24\n ldi r30, 5\n"
            "1: lsl r18\n rol r19\n rol r20\n rol r21\n dec r30\n brne 1b\n"
            "eor r22, r18\n eor r23, r19\n eor r24, r20\n eor r25, r21\n ret");
}

/* v r25:22, dither r21:18, shift r16: (v and 32 zeros behind it >> shift, plus the dither) >> 32 */
FF_NAKED int32_t ff_dithered(int32_t v, uint32_t dither, uint8_t shift) {
    __asm__("clr r26\n clr r27\n movw r30, r26\n"
            "mov r0, r16\n"
            "1: asr r25\n ror r24\n ror r23\n ror r22\n ror r31\n ror r30\n ror r27\n ror r26\n"
            "dec r0\n brne 1b\n"
            "add r26, r18\n adc r27, r19\n adc r30, r20\n adc r31, r21\n"
            "adc r22, r1\n adc r23, r1\n adc r24, r1\n adc r25, r1\n ret");
}

#if FF_SMALL
/* crc r25:22, p r21:20, n r19:18 */
FF_NAKED uint32_t ff_crc32(uint32_t crc, const uint8_t *p, ff_size n) {
    __asm__("movw r30, r20\n rcall 4f\n"
            "1: subi r18, 1\n sbci r19, 0\n brcs 4f\n"
            "ld r20, Z+\n eor r22, r20\n"
            "ldi r21, 8\n"
            "2: lsr r25\n ror r24\n ror r23\n ror r22\n brcc 3f\n"
            "ldi r20, 0x20\n eor r22, r20\n ldi r20, 0x83\n eor r23, r20\n"
            "ldi r20, 0xB8\n eor r24, r20\n ldi r20, 0xED\n eor r25, r20\n"
            "3: dec r21\n brne 2b\n"
            "rjmp 1b\n"
            "4: com r22\n com r23\n com r24\n com r25\n ret");
}
#endif

#else
typedef int ff_avr_is_another_kernel_set; /* no translation unit may be empty */
#endif
