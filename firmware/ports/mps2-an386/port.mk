# Arm MPS2 with the AN386 image: Cortex-M4 at 25 MHz, 4 MB of RAM for code and 4 MB for data. The reference of the Cortex-M
# ports: QEMU has all of it.
include ports/cortex-m/cortex-m.mk
PORT_SOURCES += $(PORT)/mps2.c
# The ring holds a window of requests beside the one that is worked on.
PORT_FLAGS += -mcpu=cortex-m4 -DCORTEX_IRQS=2 -DBOARD_PAYLOAD=4096 -DBOARD_WINDOW=4 -DCORTEX_RING=16640
