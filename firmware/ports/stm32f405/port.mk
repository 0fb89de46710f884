# STM32F405 (Feather STM32F405 Express, Netduino Plus 2): Cortex-M4 at 168 MHz, 1 MB of flash, 128 KB of RAM. The 64 KB of core
# coupled memory beside them are not used: QEMU's machine does not have them.
include ports/cortex-m/cortex-m.mk
PORT_SOURCES += $(addprefix $(PORT)/,stm32f405.c clocks.c lines.c flash.c)
# Arena: 784-120-120 learning in both layers takes 113 KB.
PORT_FLAGS += -mcpu=cortex-m4 -DCORTEX_IRQS=40 -DBOARD_PAYLOAD=1024 -DCORTEX_RING=1280 -DBOARD_ARENA=119808
