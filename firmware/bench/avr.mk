# The core on an ATmega328P, and what counts its cycles: make bench-avr AVR_MODEL=folder, with avr-model.h in that folder, builds
# build/bench-avr/avr-cycles and build/bench-avr/KERNELS.elf. Flags are those of the Uno's firmware. `npm run bench:simd` calls this.
AVR_OUT := $(BUILD)/bench-avr
AVR_MODEL ?= $(AVR_OUT)
AVR_KERNELS_naive := -DFF_KERNELS=naive
AVR_KERNELS_shipped :=
.PHONY: bench-avr
bench-avr: $(AVR_OUT)/avr-cycles $(AVR_OUT)/naive.elf $(AVR_OUT)/shipped.elf
$(AVR_OUT)/avr-cycles: bench/avr-cycles.c
	@mkdir -p $(@D)
	$(CC) -std=gnu99 -O2 -Wall -Wextra -I/usr/include/simavr -o $@ $< -lsimavr -lelf
$(AVR_OUT)/%.elf: bench/avr-passes.c $(AVR_MODEL)/avr-model.h $(CORE) $(HEADERS) ports/avr/avr.mk bench/avr.mk
	@mkdir -p $(@D)
	$(MAKE) -s --no-print-directory BOARD=uno avr-passes AVR_ELF=$@ AVR_DEFINE="$(AVR_KERNELS_$*)" AVR_MODEL=$(AVR_MODEL)
# Called with BOARD=uno, for its flags.
.PHONY: avr-passes
avr-passes:
	avr-gcc -Wall -Wextra -Werror -Os -flto -ffunction-sections -fdata-sections -fno-tree-loop-distribute-patterns $(PORT_FLAGS) $(AVR_DEFINE) \
	  -Icore -I$(AVR_MODEL) -o $(AVR_ELF) bench/avr-passes.c $(CORE) -Wl,--gc-sections
