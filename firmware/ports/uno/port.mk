# Arduino Uno and others with an ATmega328P at 16 MHz. Flash: firmware below MODEL_ROM, the model from there on, 2 KB of bootloader on top.
include ports/avr/avr.mk
PORT_FLAGS := -mmcu=atmega328p $(AVR_FLAGS) -DFF_MAX_LAYERS=2 -DBOARD_PAYLOAD=64 -DBOARD_TARGET='"uno"' \
  -DMODEL_ROM=0x4800 -DMODEL_BYTES=0x3000 -DSLOT_BYTES=512 -DARENA_BYTES=1000 -DRING_BYTES=64
PORT_LINK := -Wl,--defsym=__TEXT_REGION_LENGTH__=0x4800
