# SPDX-License-Identifier: Apache-2.0
# Static analysis of the C code. Included by the Makefile.
#
# One stamp for each file and tool, which depends on the file's object: an object is made again when its source or a
# header changes, and so is what was found in them. `make check-static` is what tests/static/analysis.sh runs; `make
# analyze` also runs the two analysers that follow every path on every file, which takes minutes.

.PHONY: check-static analyze

CLANG_TIDY ?= clang-tidy
CPPCHECK ?= cppcheck
ANALYZED := $(SOURCES) userspace/main.c
# Where descriptors, memory and other people's input are handled.
ANALYZED_ALWAYS := $(filter userspace/util/% userspace/cgroup/% userspace/engine/image/% userspace/runtime/%,$(SOURCES))
# What includes a skeleton has megabytes of numbers in it, with which cppcheck takes minutes.
WITH_SKELETON := $(addprefix userspace/capture/,hooks_load.c hooks_halves.c hooks_direct.c hooks.c capture.c)
ANALYSIS_FLAGS = $(CPPFLAGS) -std=gnu11 -fno-strict-aliasing $(WARNINGS) -DPROGRAM=1

# What gcc -fanalyzer is not asked for: it does not see that an out-parameter is set when 0 is returned, nor that
# xmalloc never returns NULL, and takes what was handed to a structure for lost.
NOT_ANALYZED := -Wno-analyzer-use-of-uninitialized-value -Wno-analyzer-null-dereference -Wno-analyzer-null-argument \
		-Wno-analyzer-malloc-leak

# Asks for C11's Annex K (snprintf_s), which no libc here has.
NOT_SCANNED := -clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling

$(O)/static/%.tidy: %.c $(O)/%.o .clang-tidy
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG_TIDY) --quiet $< -- $(ANALYSIS_FLAGS) >$@.log 2>&1 || { cat $@.log; exit 1; }
	$(Q)touch $@

$(O)/static/%.cppcheck: %.c $(O)/%.o tests/static/cppcheck.txt
	$(call say,CPPCHECK,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPPCHECK) --quiet --error-exitcode=1 --enable=warning,performance --library=posix,gnu --max-configs=1 \
		--inline-suppr --suppressions-list=tests/static/cppcheck.txt -D__x86_64__ -D__linux__ -DPROGRAM=1 \
		-I. -Iuserspace -I$(O) $<
	$(Q)touch $@

$(O)/static/%.fanalyzer: %.c $(O)/%.o
	$(call say,ANALYZE,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ANALYSIS_FLAGS) -O2 -Werror -fanalyzer $(NOT_ANALYZED) -S -o /dev/null $<
	$(Q)touch $@

$(O)/static/%.clang-analyzer: %.c $(O)/%.o
	$(call say,SCAN,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG_TIDY) --quiet --config='{}' --checks='-*,clang-analyzer-*,$(NOT_SCANNED)' $< -- $(ANALYSIS_FLAGS)
	$(Q)touch $@

# The program's main has five objects; one will do.
$(O)/userspace/main.o: $(O)/main-ctrace.o
	$(Q)mkdir -p $(@D) && touch $@

check-static: $(ANALYZED:%.c=$(O)/static/%.tidy) $(patsubst %.c,$(O)/static/%.cppcheck,$(filter-out $(WITH_SKELETON),$(ANALYZED))) \
	$(ANALYZED_ALWAYS:%.c=$(O)/static/%.fanalyzer)
analyze: check-static $(ANALYZED:%.c=$(O)/static/%.fanalyzer) $(ANALYZED:%.c=$(O)/static/%.clang-analyzer)
