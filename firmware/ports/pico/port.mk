# Raspberry Pi Pico (RP2040, Cortex-M0+ at 125 MHz, 264 KB of RAM, 2 MB of flash), without an SDK. It starts by itself, since the
# program runs in RAM; receive ring and memcpy() are those of ports/cortex-m.
CROSS := $(ARM)
PORT_SOURCES := ports/cortex-m/ring.c ports/cortex-m/memory.c $(addprefix $(PORT)/,start.c clocks.c uart.c flash.c pico.c) \
  $(OUT)/boot2-checked.S
PORT_DEPENDS := ports/cortex-m/cortex-m.h
# Arena: 784-120-120 learning in both layers takes 112 KB, its class statistics 32 KB.
PORT_FLAGS := -O2 -mcpu=cortex-m0plus -mthumb -ffreestanding -Iports/cortex-m -DBOARD_PAYLOAD=1024 -DBOARD_WINDOW=4 \
  -DCORTEX_RING=8192 -DBOARD_ARENA=204800 -DBOARD_SLOTS=0x101C0000u -DBOARD_SLOT_BYTES=131072u
PORT_LINK := -nostdlib -nostartfiles -Wl,-T,$(PORT)/pico.ld -lgcc

# The second boot stage with the checksum that the boot ROM looks at.
$(OUT)/boot2-checked.S: $(PORT)/boot2.S $(PORT)/checksum.mjs
	@mkdir -p $(@D)
	$(CROSS)gcc -c -o $(OUT)/boot2.o $<
	$(CROSS)objcopy -O binary -j .boot2 $(OUT)/boot2.o $(OUT)/boot2.bin
	node $(PORT)/checksum.mjs $(OUT)/boot2.bin $@
