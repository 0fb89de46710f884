# What port.mk of a Cortex-M port includes; PORT_FLAGS then adds the processor, CORTEX_IRQS and CORTEX_RING. Cortex-M0 also needs
# CORTEX_VTOR=0: its vector table can't be moved.
CROSS := $(ARM)
CORTEX_M := ports/cortex-m
CORTEX_VTOR ?= 1
PORT_SOURCES := $(addprefix $(CORTEX_M)/,vectors.S start.c memory.c clock.c ring.c seed.c)
PORT_DEPENDS := $(wildcard $(CORTEX_M)/*)
PORT_FLAGS := -O2 -mthumb -ffreestanding -DCORTEX_VTOR=$(CORTEX_VTOR) -I$(CORTEX_M)
PORT_LINK := -nostdlib -nostartfiles -L$(CORTEX_M) -T $(PORT)/$(BOARD).ld -lgcc
