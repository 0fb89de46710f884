# The serial bootloader of boards whose chip has none of its own, and its tests on this machine.
#   make boot            build/boot/microbit/boot.elf, .hex and .bin
#   make boot-powercut   cuts the power at and within every flash operation of uploads and copies
#   make boot-fuzz       malformed lines, packets and images, under sanitizers

BOOT_LOGIC := $(addprefix boot/,cbor.c console.c image.c server.c sha256.c slots.c)
BOOT_HEADERS := $(wildcard boot/*.h boot/microbit/*.h)
BOOT_OUT := $(BUILD)/boot/microbit
BOOT_FLAGS := $(WARN) -Os -flto -mcpu=cortex-m0 -mthumb -masm-syntax-unified -ffreestanding -ffunction-sections -fno-tree-loop-distribute-patterns

.PHONY: boot boot-powercut boot-fuzz
boot: $(BOOT_OUT)/boot.elf $(BOOT_OUT)/boot.hex $(BOOT_OUT)/boot.bin
	@$(ARM)size $<
$(BOOT_OUT)/boot.elf: $(BOOT_LOGIC) boot/microbit/main.c boot/microbit/start.c boot/microbit/boot.ld $(BOOT_HEADERS) boot/boot.mk
	@mkdir -p $(@D)
	$(ARM)gcc $(BOOT_FLAGS) -o $@ boot/microbit/start.c boot/microbit/main.c $(BOOT_LOGIC) -nostdlib -nostartfiles \
	  -Wl,--gc-sections -Wl,-Map=$(BOOT_OUT)/boot.map -T boot/microbit/boot.ld -lgcc
$(BOOT_OUT)/boot.hex: $(BOOT_OUT)/boot.elf
	$(ARM)objcopy -O ihex $< $@
$(BOOT_OUT)/boot.bin: $(BOOT_OUT)/boot.elf
	$(ARM)objcopy -O binary $< $@

boot-powercut boot-fuzz: boot-%: $(BUILD)/firmware-test/boot-%
	@$<
$(BUILD)/firmware-test/boot-%: boot/test/%.c boot/test/rig.c boot/test/rig.h $(BOOT_LOGIC) $(BOOT_HEADERS)
	@mkdir -p $(@D)
	@$(CC) -std=c99 -Wall -Wextra -Wpedantic -Werror -g -O2 $(SANITIZE) -Iboot -o $@ $< boot/test/rig.c $(BOOT_LOGIC)
