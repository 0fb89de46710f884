# Programs that count instructions in QEMU: make bench-kernels-PROCESSOR builds build/bench-kernels/PROCESSOR-KERNELS.elf with the
# kernels `naive` and `shipped`, and measures against CMSIS-NN beside `shipped` where CMSIS_NN names the folder of its sources.
# `npm run bench:kernels` calls this.
COUNTED_PROCESSORS := cortex-m4 cortex-m0
COUNTED_FLAGS_cortex-m4 := -O2
COUNTED_FLAGS_cortex-m0 := -Os
COUNTED_SET_naive := -DFF_KERNELS=naive
COUNTED_OUT := $(BUILD)/bench-kernels
COUNTED_SOURCES := bench/kernels.c bench/counter.c bench/semihosting.c ports/cortex-m/vectors.S ports/cortex-m/start.c ports/cortex-m/memory.c
PEER_SOURCES := bench/peer.c $(CMSIS_NN)/Source/FullyConnectedFunctions/arm_fully_connected_s8.c \
  $(CMSIS_NN)/Source/NNSupportFunctions/arm_nn_vec_mat_mult_t_s8.c

define counted_rules
.PHONY: bench-kernels-$(1)
bench-kernels-$(1): $$(foreach kernels,naive shipped,$$(COUNTED_OUT)/$(1)-$$(kernels).elf)
# Always made anew: with or without the peer, whose sources are not ours to watch.
$$(COUNTED_OUT)/$(1)-%.elf: always
	@rm -rf $$(COUNTED_OUT)/$(1)-$$* && mkdir -p $$(COUNTED_OUT)/$(1)-$$*
	$$(if $$(CMSIS_NN),cd $$(COUNTED_OUT)/$(1)-$$* && for file in $$(abspath $$(PEER_SOURCES)); do \
	  $(ARM)gcc -std=c11 -mthumb -mcpu=$(1) -O3 -ffunction-sections -DPEER=1 -I$$(abspath bench) -I$$(CMSIS_NN)/Include -c $$$$file || exit 1; done)
	$(ARM)gcc $$(WARN) -mthumb -mcpu=$(1) $$(COUNTED_FLAGS_$(1)) $$(COUNTED_SET_$$*) -ffreestanding -ffunction-sections -fdata-sections \
	  -fno-tree-loop-distribute-patterns -DCORTEX_IRQS=1 -DCORTEX_VTOR=0 -DCOUNTER_MEGAHERTZ=25u $$(if $$(CMSIS_NN),-DPEER=1) \
	  -Icore -Ibench -Iports/cortex-m -o $$@ $$(COUNTED_SOURCES) $$(CORE) $$(if $$(CMSIS_NN),$$(COUNTED_OUT)/$(1)-$$*/*.o) \
	  -nostdlib -nostartfiles -Lports/cortex-m -T bench/bench.ld -Wl,--gc-sections --specs=nano.specs -lc_nano -lgcc
endef
$(foreach processor,$(COUNTED_PROCESSORS),$(eval $(call counted_rules,$(processor))))
