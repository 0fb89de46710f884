# BBC micro:bit v1: nRF51822, Cortex-M0 at 16 MHz, 256 KB flash, 16 KB RAM. The image is linked for slot 0 of the bootloader in
# firmware/boot, behind a header of 256 bytes that the host puts in front of it (wrapImage).
CORTEX_VTOR := 0
include ports/cortex-m/cortex-m.mk
# Answers are shorter than requests, so that the next request has room while the board works on one. Clock and seed are a timer and the noise source of the chip; the receive ring is one that can say that it is full.
PORT_SOURCES := $(addprefix $(CORTEX_M)/,vectors.S start.c memory.c) $(PORT)/microbit.c
PORT_DEPENDS += boot/layout.h boot/microbit/nrf51.h
PORT_FLAGS += -Os -mcpu=cortex-m0 -DCORTEX_IRQS=3 -DBOARD_PAYLOAD=800 -DBOARD_ANSWER=256 -DBOARD_ARENA=12288 -DFF_MAX_LAYERS=4 -DFF_STAGES=0 -DFF_KERNELS=naive -Iboot -Iboot/microbit
