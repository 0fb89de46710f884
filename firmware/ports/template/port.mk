# Template for a new board. It compiles as it is:
#   make BOARD=template                    for a Cortex-M4, with a serial port that doesn't exist
#   make BOARD=template TEMPLATE=host      for this machine, with standard input and output as the line: it runs
TEMPLATE ?= cortex-m
ifeq ($(TEMPLATE),host)
OUT := $(BUILD)/boards/template-host
CROSS :=
PORT_SOURCES := $(PORT)/template.c $(PORT)/line-host.c
PORT_FLAGS := -D_POSIX_C_SOURCE=200809L
else
# Step 1. Processor: ports/cortex-m has start, clock, receive ring and seed for every Cortex-M. For another kind, set CROSS,
# PORT_FLAGS and PORT_LINK yourself (firmware/Makefile says what they are) and bring a start file along.
include ports/cortex-m/cortex-m.mk
PORT_SOURCES += $(PORT)/template.c $(PORT)/line.c
PORT_FLAGS += -mcpu=cortex-m4 -DCORTEX_IRQS=1 -DCORTEX_RING=2048
endif
# Step 2. Sizes. A sample and 5 bytes must fit the payload; the arena holds weights and state of what learns, and class statistics
# (`goodness inspect model.ffm` says how much). The window is 1 unless the line holds several whole requests back.
# BOARD_AHEAD: what the receive ring keeps of the requests behind the one that is worked on, less 1 and BOARD_RING_SPARE.
PORT_FLAGS += -DBOARD_PAYLOAD=800 -DBOARD_ARENA=32768 -DBOARD_SLOT_BYTES=32768 -DBOARD_AHEAD=2015
