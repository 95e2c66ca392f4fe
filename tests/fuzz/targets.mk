# SPDX-License-Identifier: Apache-2.0
# Fuzz targets: clang's libFuzzer with ASan and UBSan. Included by the Makefile.
#
# A target is tests/fuzz/fuzz_NAME.c; the other .c files there are what targets share. All of ctrace is compiled once
# with the sanitizers into a library of its own, and each target links what it needs of it: so a target names no
# sources, and the compiler's own lists of headers say what is stale.
#
#   make fuzz                      every target for a minute
#   make fuzz F=tui                those whose name has "tui" in it
#   make fuzz SECONDS_EACH=600     longer; docs/fuzzing.md is then written again with `make fuzz-table`

SECONDS_EACH ?= 60
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_SHARED := $(filter-out $(FUZZ_SOURCES),$(wildcard tests/fuzz/*.c))
FUZZ_NAMES := $(FUZZ_SOURCES:tests/fuzz/%.c=%)
FUZZERS := $(foreach name,$(FUZZ_NAMES),$(if $(F),$(if $(findstring $(F),$(name)),$(O)/fuzz/$(name)),$(O)/fuzz/$(name)))
FUZZ_OBJECTS := $(patsubst %.c,$(O)/fuzz/objects/%.o,$(SOURCES) $(FUZZ_SHARED))
FUZZ_CFLAGS := -std=gnu11 -g -O1 -fno-strict-aliasing -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined $(WARNINGS)

.PHONY: fuzz fuzz-build fuzz-table

# Everything is stale once its compiler or a flag changes, and only then: it takes minutes.
FUZZ_COMMAND = $(CLANG) $(CPPFLAGS) -Itests -DFUZZ_STANDALONE $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link
$(O)/fuzz/flags: FORCE
	$(Q)mkdir -p $(@D); echo '$(FUZZ_COMMAND)' | cmp -s - $@ || echo '$(FUZZ_COMMAND)' > $@

$(O)/fuzz/objects/%.o: %.c $(O)/fuzz/flags | $(O)/version.h
	$(call say,FUZZ-CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_COMMAND) $(if $(WERROR),-Werror) -MMD -MP -c $< -o $@

$(O)/fuzz/objects/exporters/html.o: $(O)/html_hash.h
$(filter $(O)/fuzz/objects/userspace/capture/%,$(FUZZ_OBJECTS)): | $(O)/bpf/ctrace.skel.h $(O)/bpf/ctrace_direct.skel.h

$(O)/fuzz/libctrace.a: $(FUZZ_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

$(FUZZ_NAMES:%=$(O)/fuzz/%): $(O)/fuzz/%: $(O)/fuzz/objects/tests/fuzz/%.o $(O)/fuzz/libctrace.a
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -Wl,--as-needed -o $@ $^ $(filter-out -lcmocka,$(TEST_LIBS))

fuzz-build: $(FUZZERS)

# Every target runs, whatever became of the one before; what is found is kept in $(O)/fuzz.
fuzz: fuzz-build
	$(Q)tests/fuzz/run --output $(O) --seconds $(SECONDS_EACH) $(notdir $(FUZZERS))

# The table in docs/fuzzing.md, of what the last run of each target told.
fuzz-table:
	$(Q)tests/fuzz/table --output $(O) docs/fuzzing.md $(FUZZ_NAMES)

# The corpora as a unit test, without libFuzzer and with the compiler of the build.
FUZZ_TEST_OBJECTS := $(patsubst tests/fuzz/%.c,$(O)/tests/fuzz/%.o,$(FUZZ_SOURCES) $(FUZZ_SHARED))

$(O)/tests/fuzz/%.o: tests/fuzz/%.c Makefile tests/fuzz/targets.mk | $(O)/version.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) -MMD -MP -c $< -o $@

$(O)/tests/test_fuzz_corpus: tests/unit/test_fuzz_corpus.c $(FUZZ_TEST_OBJECTS) $(O)/libctrace.a
	$(call say,TEST,$@)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(FUZZ_TEST_OBJECTS) $(O)/libctrace.a $(TEST_LIBS)

-include $(FUZZ_OBJECTS:.o=.d) $(FUZZ_NAMES:%=$(O)/fuzz/objects/tests/fuzz/%.d) $(FUZZ_TEST_OBJECTS:.o=.d)
