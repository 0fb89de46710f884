# Arduino Uno and others with an ATmega328P at 16 MHz. Flash: firmware below MODEL_AT, the model from there on, 2 KB of bootloader on top.
CROSS := avr-
PORT_SOURCES := ports/avr/avr.c
PORT_FLAGS := -mmcu=atmega328p -DF_CPU=16000000UL -mcall-prologues -mrelax -mstrict-X -fshort-enums -fno-inline-small-functions -fno-inline-functions-called-once -fno-split-wide-types \
  -DFF_ROM_FAR -DFF_RECORDS -DFF_SMALL -DFF_STEP_BYTES=32 -DFF_MAX_LAYERS=2 -DBOARD_PAYLOAD=64 -DBOARD_TARGET='"uno"' \
  -DMODEL_ROM=0x4800 -DMODEL_BYTES=0x3000 -DSLOT_BYTES=512 -DARENA_BYTES=1000 -DRING_BYTES=64
PORT_LINK := -Wl,--defsym=__TEXT_REGION_LENGTH__=0x4800
