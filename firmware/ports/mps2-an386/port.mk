# Arm MPS2 with the AN386 image: Cortex-M4 at 25 MHz, 4 MB of RAM for code and 4 MB for data. The reference of the Cortex-M
# ports: QEMU has all of it.
include ports/cortex-m/cortex-m.mk
PORT_SOURCES += $(CORTEX_M)/mps.c
PORT_FLAGS += -mcpu=cortex-m4 -DMPS_TARGET=\"$(BOARD)\" -DMPS_MEGAHERTZ=25u
PORT_FLAGS += -DMPS_UART=0x40004000u -DMPS_UART_MEGAHERTZ=25u -DMPS_UART_IRQ=0u -DCORTEX_IRQS=2
# The ring holds a window of requests beside the one that is worked on.
PORT_FLAGS += -DBOARD_PAYLOAD=4096 -DBOARD_WINDOW=4 -DCORTEX_RING=16640
