# SPDX-License-Identifier: Apache-2.0
# The kernel matrix: other kernels under QEMU. Included by the Makefile.

.PHONY: test-kernels

VM_TOOLS := $(patsubst tests/vm/%.c,$(O)/tests/%,$(wildcard tests/vm/*.c))

$(O)/tests/%: tests/vm/%.c $(O)/libctrace.a
	$(call say,VMTOOL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(O)/libctrace.a $(TEST_LIBS)

-include $(VM_TOOLS:%=%.d)

# K=6.1,6.12 chooses kernels; a table of kernels and hooks goes to docs/kernels.md after a whole run.
test-kernels: build $(O)/bpf/ctrace.o $(O)/bpf/ctrace_direct.o $(VM_TOOLS)
	$(Q)tests/vm/run --output $(O) $(if $(K),--kernels '$(K)')
