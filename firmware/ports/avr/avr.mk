# What Arduino boards with an ATmega have in common. GNU C knows __flash: tables of the core stay out of the RAM, which saves over 300 bytes of it.
# The flags make the smallest firmware of those that were tried, each by itself and together.
CROSS := avr-
PORT_SOURCES := ports/avr/avr.c
PORT_DEPENDS := ports/avr/avr.mk
AVR_FLAGS := -std=gnu99 -DF_CPU=16000000UL -mcall-prologues -mrelax -mstrict-X -fshort-enums -fno-inline-small-functions -fno-inline-functions-called-once \
  -fno-split-wide-types -fno-ipa-sra -fno-jump-tables -DFF_ROM_FAR -DFF_RECORDS -DFF_TRUST_IMAGE=1 -DFF_SMALL -DFF_STEP_BYTES=32
