# Programs that count instructions in QEMU: make bench-vectors-PROCESSOR builds build/bench-vectors/PROCESSOR-KERNELS.elf, where the
# kernels are `naive` (scalar code), `auto` (the naive kernels, and what vectors the compiler makes of them) and `shipped`.
# `npm run bench:simd` calls this.
VECTOR_OUT := $(BUILD)/bench-vectors
VECTOR_PROCESSORS := arm64 arm64-dot cortex-m55
VECTOR_SOURCES := bench/vectors.c bench/passes.c bench/counter.c bench/semihosting.c
VECTOR_FLAGS_naive := -O2 -fno-tree-vectorize -DFF_KERNELS=naive
VECTOR_FLAGS_auto := -O3 -DFF_KERNELS=naive
VECTOR_FLAGS_shipped := -O2

VECTOR_CC_arm64 := aarch64-linux-gnu-gcc -static -nostdlib -Wl,--build-id=none -Wl,--no-warn-rwx-segments
VECTOR_LINK_arm64 := bench/virt.S $(VECTOR_OUT)/memory-arm64.o -T bench/virt.ld
VECTOR_CC_arm64-dot := $(VECTOR_CC_arm64) -mcpu=cortex-a76
VECTOR_LINK_arm64-dot := $(VECTOR_LINK_arm64)
VECTOR_CC_cortex-m55 := $(ARM)gcc -mthumb -mcpu=cortex-m55 -mfloat-abi=hard -ffreestanding -fno-tree-loop-distribute-patterns \
  -Iports/cortex-m -DCORTEX_IRQS=1 -DCORTEX_VTOR=1 -DCOUNTER_MEGAHERTZ=32u
VECTOR_LINK_cortex-m55 := $(addprefix ports/cortex-m/,vectors.S start.c memory.c) ports/mps3-an547/mps3.c -nostdlib -nostartfiles \
  -Lports/cortex-m -T ports/mps3-an547/mps3-an547.ld -lgcc

$(VECTOR_OUT)/memory-arm64.o: bench/memory.c
	@mkdir -p $(@D)
	aarch64-linux-gnu-gcc -O2 -fno-tree-loop-distribute-patterns -c -o $@ $<

define vector_rules
.PHONY: bench-vectors-$(1)
bench-vectors-$(1): $$(foreach kernels,naive auto shipped,$$(VECTOR_OUT)/$(1)-$$(kernels).elf)
$$(VECTOR_OUT)/$(1)-%.elf: $$(VECTOR_SOURCES) $$(CORE) $$(HEADERS) $$(wildcard bench/*) $$(wildcard ports/cortex-m/*) Makefile \
  $$(filter %.o,$$(VECTOR_LINK_$(1)))
	@mkdir -p $$(@D)
	$$(VECTOR_CC_$(1)) $$(WARN) $$(VECTOR_FLAGS_$$*) -ffunction-sections -fdata-sections -Wl,--gc-sections -Icore -Ibench \
	  -o $$@ $$(VECTOR_SOURCES) $$(CORE) $$(VECTOR_LINK_$(1))
endef
$(foreach processor,$(VECTOR_PROCESSORS),$(eval $(call vector_rules,$(processor))))
