# Arduino Mega 2560. Flash: firmware below MODEL_AT, the model from there on, 8 KB of bootloader on top.
include ports/avr/avr.mk
PORT_FLAGS := -mmcu=atmega2560 $(AVR_FLAGS) -DFF_MAX_LAYERS=4 -DBOARD_PAYLOAD=256 -DBOARD_TARGET='"mega"' \
  -DMODEL_AT=0x8000ul -DMODEL_ROM=0x100 -DMODEL_BYTES=0x7F00 -DSLOT_BYTES=2048 -DARENA_BYTES=5120 -DRING_BYTES=256
PORT_LINK := -Wl,--defsym=__TEXT_REGION_LENGTH__=0x8000
