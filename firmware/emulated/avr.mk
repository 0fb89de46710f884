# Emulated Arduino boards: the program that runs them in simavr, and their real bootloaders. Optiboot is compiled from the sources of
# Debian's arduino-core-avr, since the .hex in that package is damaged (it reaches beyond the end of flash); the others are copied from there.
ARDUINO_AVR ?= /usr/share/arduino/hardware/arduino/avr
BOOTLOADERS := $(ARDUINO_AVR)/bootloaders
EMULATED := $(BUILD)/emulated

.PHONY: avr-board bootloaders
avr-board: $(EMULATED)/avr-board
$(EMULATED)/avr-board: emulated/avr-board.c
	@mkdir -p $(@D)
	$(CC) -std=gnu99 -O2 -Wall -Wextra -I/usr/include/simavr -o $@ $< -lsimavr -lelf -lutil

bootloaders: $(EMULATED)/optiboot.hex $(EMULATED)/atmegaboot.hex $(EMULATED)/stk500v2.hex
$(EMULATED)/optiboot.hex: $(BOOTLOADERS)/optiboot/optiboot.c
	@mkdir -p $(@D)
	cd $(BOOTLOADERS)/optiboot && avr-gcc -mmcu=atmega328p -w -Os -fno-inline-small-functions -fno-split-wide-types -mrelax -fno-move-loop-invariants \
	  -fno-tree-scev-cprop -DF_CPU=16000000L -DLED_START_FLASHES=3 -DBAUD_RATE=115200 -Wl,--section-start=.text=0x7e00 \
	  -Wl,--section-start=.version=0x7ffe -Wl,--relax -Wl,--gc-sections -nostartfiles -nostdlib -o $(abspath $(EMULATED))/optiboot.elf optiboot.c
	avr-objcopy -j .text -j .data -j .version --set-section-flags .version=alloc,load -O ihex $(EMULATED)/optiboot.elf $@
$(EMULATED)/atmegaboot.hex: $(BOOTLOADERS)/atmega/ATmegaBOOT_168_atmega328.hex
	@mkdir -p $(@D)
	cp $< $@
$(EMULATED)/stk500v2.hex: $(BOOTLOADERS)/stk500v2/stk500boot_v2_mega2560.hex
	@mkdir -p $(@D)
	cp $< $@

# The kernels of AVR against the naive ones, as a program for an ATmega328P.
$(BUILD)/kernels/avr.hex: test/kernels_avr.c test/naive_kernels.c test/naive_math.c test/naive_kernels.h $(CORE) $(HEADERS) emulated/avr.mk
	@mkdir -p $(@D)
	avr-gcc -std=gnu99 -Os -Wall -Wextra -Werror -mmcu=atmega328p -DFF_SMALL -Icore -Itest -o $(@:.hex=.elf) \
	  test/kernels_avr.c test/naive_kernels.c test/naive_math.c core/ff_bytes.c $(wildcard core/kernels/*.c)
	avr-objcopy -O ihex $(@:.hex=.elf) $@
