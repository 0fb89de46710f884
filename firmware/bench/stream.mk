# Programs that `npm run bench:stream` runs. frame-cost-PROCESSOR: what a request of a stream costs, in QEMU, with the flags of the
# ports to that processor. thread-rate: the Linux port's pipeline over threads, on this machine.
FRAME_COST_cortex-m4 := -O2 -mcpu=cortex-m4
FRAME_COST_cortex-m0 := -Os -mcpu=cortex-m0
FRAME_COST_cortex-m0plus := -O2 -mcpu=cortex-m0plus
FRAME_COST_SOURCES := bench/frame_cost.c bench/counter.c bench/semihosting.c ports/board.c \
  $(addprefix ports/cortex-m/,vectors.S start.c memory.c ring.c)
define frame_cost_rule
.PHONY: frame-cost-$(1)
frame-cost-$(1): $$(BUILD)/bench/frame-cost-$(1).elf
$$(BUILD)/bench/frame-cost-$(1).elf: $$(FRAME_COST_SOURCES) $$(wildcard bench/*.h bench/stream.mk ports/board.h ports/cortex-m/*) $$(CORE) $$(HEADERS)
	@mkdir -p $$(@D)
	$$(ARM)gcc $$(WARN) -mthumb -masm-syntax-unified $$(FRAME_COST_$(1)) -flto -ffreestanding -ffunction-sections -fdata-sections \
	  -fno-tree-loop-distribute-patterns -DCORTEX_VTOR=0 -DCORTEX_IRQS=1 -DCORTEX_RING=4096 -DBOARD_PAYLOAD=1024 -DBOARD_BAUD=115200u \
	  -DCOUNTER_MEGAHERTZ=25u -Icore -Ibench -Iports -Iports/cortex-m -o $$@ $$(CORE) $$(FRAME_COST_SOURCES) -Wl,--gc-sections \
	  -nostdlib -nostartfiles -Lports/cortex-m -T ports/mps2-an386/mps2-an386.ld -lgcc
endef
$(foreach cpu,cortex-m4 cortex-m0 cortex-m0plus,$(eval $(call frame_cost_rule,$(cpu))))

.PHONY: thread-rate
thread-rate: $(BUILD)/bench/thread-rate
$(BUILD)/bench/thread-rate: bench/thread_rate.c ports/linux/threads.c ports/linux/threads.h $(CORE) $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(WARN) -O2 -pthread -Icore -Iports/linux -o $@ bench/thread_rate.c ports/linux/threads.c $(CORE)
