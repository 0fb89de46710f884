# The Linux port for Raspberry Pi: linked statically, so that it runs on any of its systems, and under qemu-aarch64-static and
# qemu-arm-static here.
#   make linux-arm64 [PI_FLAGS=-mcpu=cortex-a76]              64-bit systems, from the Pi 3 on
#   make linux-armhf                                          32-bit systems, from the Pi 2 on (ARMv7, NEON)
# PI_FLAGS come last; the default takes what every such Pi has. A Pi 5 has dot products beside: its -mcpu is the one above. Not one
# byte depends on it.
.PHONY: linux-arm64 linux-armhf
linux-arm64: $(BUILD)/linux-arm64/goodness-device
linux-armhf: $(BUILD)/linux-armhf/goodness-device
$(BUILD)/linux-arm64/goodness-device: CROSS_CC := aarch64-linux-gnu-gcc
$(BUILD)/linux-armhf/goodness-device: CROSS_CC := arm-linux-gnueabihf-gcc -march=armv7-a+simd
$(BUILD)/linux-arm64/goodness-device $(BUILD)/linux-armhf/goodness-device: $(LINUX) $(wildcard ports/linux/*.h) $(CORE) $(HEADERS)
	@mkdir -p $(@D)
	$(CROSS_CC) $(WARN) -O2 -static $(PI_FLAGS) -pthread -Icore -o $@ $(LINUX) $(CORE)
