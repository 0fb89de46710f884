# Arm MPS3 with the AN547 image (Corstone-300): Cortex-M55 with vectors (Helium) at 32 MHz. All of it runs in the secure state that
# the processor starts in, so addresses are the secure ones.
include ports/cortex-m/cortex-m.mk
PORT_SOURCES += $(CORTEX_M)/mps.c $(PORT)/mps3.c
PORT_FLAGS += -mcpu=cortex-m55 -mfloat-abi=hard -DMPS_TARGET=\"$(BOARD)\" -DMPS_MEGAHERTZ=32u
PORT_FLAGS += -DMPS_UART=0x59303000u -DMPS_UART_MEGAHERTZ=25u -DMPS_UART_IRQ=33u -DCORTEX_IRQS=34
# The ring holds a window of requests beside the one that is worked on.
PORT_FLAGS += -DBOARD_PAYLOAD=4096 -DBOARD_WINDOW=4 -DCORTEX_RING=16640
