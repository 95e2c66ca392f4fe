# SPDX-License-Identifier: Apache-2.0
# ctrace. `make help` lists the targets.

# The version is written down once, in the package's changelog; a build from a repository adds its commit.
RELEASE := $(shell awk -F '[()]' '{ print $$2; exit }' debian/changelog)
COMMIT := $(shell git describe --always --dirty --exclude='*' 2>/dev/null)
VERSION := $(RELEASE)$(if $(COMMIT),+g$(COMMIT))
ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
MACHINE := $(patsubst arm64,aarch64,$(patsubst x86,x86_64,$(ARCH)))
MAKEFLAGS += -r

# To build for another machine: ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- SYSROOT=where its libraries are.
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
CLANG ?= clang
BPFTOOL ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
PKG_CONFIG ?= pkg-config

# Output goes to O; SAN=1 and DEBUG=1 builds have their own, so that they never mix.
ifdef SAN
O ?= .output/san
else ifdef DEBUG
O ?= .output/debug
else ifdef CROSS_COMPILE
O ?= .output/$(ARCH)
else
O ?= .output
endif

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes \
	    -Wno-missing-field-initializers -Wformat=2 -Wno-format-nonliteral
CPPFLAGS += -D_GNU_SOURCE -I. -Iuserspace -I$(O)
CFLAGS ?= -O2 -g
# No path of the machine that builds gets into a program: the same source gives the same bytes.
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=.
CFLAGS += -std=gnu11 -fno-strict-aliasing $(WARNINGS) $(if $(WERROR),-Werror) $(REPRODUCIBLE) \
	  $(if $(SYSROOT),--sysroot=$(SYSROOT))
# Control flow is checked by the processor where it can: CET, or pointer authentication and branch targets.
HARDEN_x86 := -fcf-protection -fstack-clash-protection
HARDEN_arm64 := -mbranch-protection=standard $(if $(findstring clang,$(CC)),,-fstack-clash-protection)
HARDEN := -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 $(HARDEN_$(ARCH))
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
# The sanitizers' own code hides from gcc which lengths were checked: it then warns of what cannot be.
ifdef SAN
HARDEN := -fPIE
CFLAGS += -Wno-format-truncation -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
endif
ifdef DEBUG
HARDEN := -fPIE
CFLAGS += -O0
endif
ifdef COVERAGE
HARDEN := -fPIE
CFLAGS += -O1 --coverage -fprofile-update=atomic
REPRODUCIBLE :=
LDFLAGS += -Wl,--wrap=_exit
endif
CFLAGS += $(HARDEN)

BPF_CFLAGS := -g -O2 -target bpf -mcpu=v2 -D__TARGET_ARCH_$(ARCH) -Wall -Wextra -Wno-unused-parameter \
	      -I. -Ibpf $(if $(SYSROOT),-isystem $(SYSROOT)/usr/include) -I$(firstword $(wildcard $(SYSROOT)/usr/include/$(MACHINE)-linux-gnu /usr/$(MACHINE)-linux-gnu/include)) \
	      $(if $(WERROR),-Werror) $(REPRODUCIBLE)

# What each program links; --as-needed drops what it does not use.
ctrace_LIBS := -ljson-c -lseccomp -lcap -lmnl -lcrypto
ctrace-trace_LIBS := -lbpf -lelf -lz -ldeflate -ljson-c -lmnl
ctrace-image_LIBS := -lcurl -larchive -lcrypto -ljson-c -lseccomp -lcap -lmnl
ctrace-serve_LIBS := -lmicrohttpd -lcurl -lbpf -lelf -lz -ldeflate -ljson-c -lmnl -lcrypto -lcap
ctrace-top_LIBS := -lvterm -lncursesw -ltinfo -lbpf -lelf -lz -ldeflate -ljson-c -lmnl
TEST_LIBS := -lcmocka -lsqlite3 -lbpf -lelf -lz -ldeflate -ljson-c -lseccomp -lcap -lmnl -lcurl -larchive -lcrypto -lmicrohttpd -lvterm -lncursesw -ltinfo

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

PROGRAMS := ctrace ctrace-trace ctrace-image ctrace-serve ctrace-top
SOURCES := $(filter-out userspace/main.c,$(sort $(wildcard userspace/*/*.c userspace/*/*/*.c exporters/*.c tui/*.c))) \
	   $(if $(COVERAGE),tests/lib/coverage_exit.c)
OBJECTS := $(SOURCES:%.c=$(O)/%.o)
BPF_SOURCES := $(sort $(wildcard bpf/*.bpf.c))
BPF_OBJECTS := $(BPF_SOURCES:%.c=$(O)/%.o)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(O)/tests/%,$(wildcard tests/unit/test_*.c))
TEST_TOOLS := $(patsubst tests/tools/%.c,$(O)/tests/%,$(wildcard tests/tools/*.c))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all build run test unit unit-programs tools bench deps test-deps clean help install FORCE

all: build
build: $(PROGRAMS:%=$(O)/%) $(O)/ctrace-oci

# The name under which engines call the OCI runtime.
$(O)/ctrace-oci: $(O)/ctrace
	$(Q)ln -sf ctrace $@

help:
	@echo 'make            build ctrace into $(O)/'
	@echo 'make run        install what is missing, build, run ctrace run --memory 256m ubuntu'
	@echo 'make test       install what is missing, build, run all the tests (T=PATTERN chooses)'
	@echo 'make bench      measure what the README states'
	@echo 'make test-kernels  boot other kernels under QEMU and trace there (K=6.1,6.12 chooses)'
	@echo 'make bpf-cost   measure what each BPF program costs, and keep it in docs/bpf-cost.tsv'
	@echo 'make soak       an hour of mixed starts with every view attached (SOAK_SECONDS=3600)'
	@echo 'make unit       only the unit tests'
	@echo 'make fuzz       fuzz what reads foreign bytes (SECONDS_EACH=60, F=PATTERN chooses)'
	@echo 'make check-static  clang-tidy, cppcheck and gcc -fanalyzer; analyze: more of it, for minutes'
	@echo 'make install    install below $$DESTDIR$$PREFIX (/usr/local); uninstall: remove it again'
	@echo 'make deb        build the Debian package into $(O)/deb'
	@echo 'make coverage   build with --coverage, run tests, write docs/coverage.md'
	@echo 'Options: V=1 verbose, SAN=1 sanitizers, DEBUG=1, WERROR=1, CC=clang'

$(O)/version.h: FORCE
	$(Q)mkdir -p $(@D); echo '#define CTRACE_VERSION "$(VERSION)"' | cmp -s - $@ || \
		echo '#define CTRACE_VERSION "$(VERSION)"' > $@

$(O)/%.o: %.c Makefile | $(O)/version.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# One main.c for all programs: which commands are its own is decided by PROGRAM.
$(O)/main-ctrace.o: PROGRAM := 1
$(O)/main-ctrace-trace.o: PROGRAM := 2
$(O)/main-ctrace-image.o: PROGRAM := 3
$(O)/main-ctrace-serve.o: PROGRAM := 4
$(O)/main-ctrace-top.o: PROGRAM := 5
$(O)/main-%.o: userspace/main.c userspace/cmd/commands.def Makefile | $(O)/version.h
	$(call say,CC,$< ($*))
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -DPROGRAM=$(PROGRAM) -MMD -MP -c $< -o $@

$(O)/userspace/cmd/command.o: $(O)/version.h
$(O)/exporters/json_schema.o: exporters/schema.json

# The HTML page lets only its own style and program run: it names them by their hashes.
HTML_STYLE := exporters/html/page.css
HTML_SCRIPT := exporters/html/model.js exporters/html/waterfall.js exporters/html/page.js
csp_hash = $$(cat $(1) | sha256sum | cut -c1-64 | tr a-f A-F | basenc --base16 -d | base64)
$(O)/html_hash.h: $(HTML_STYLE) $(HTML_SCRIPT) Makefile
	$(call say,HASH,$@)
	$(Q)mkdir -p $(@D); printf '#define HTML_STYLE_HASH "%s"\n#define HTML_SCRIPT_HASH "%s"\n' \
		"$(call csp_hash,$(HTML_STYLE))" "$(call csp_hash,$(HTML_SCRIPT))" > $@
$(O)/exporters/html.o: $(O)/html_hash.h

$(O)/libctrace.a: $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@; $(AR) rcsD $@ $^

$(PROGRAMS:%=$(O)/%): $(O)/%: $(O)/main-%.o $(O)/libctrace.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $($*_LIBS)

# The kernel side: objects per family of hooks, linked into one, with a skeleton for user space.
$(O)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

# The same without helpers that read the kernel's memory (bpf/read.h). One translation unit, since libbpf 1.1 cannot
# link several that call a kernel function.
$(O)/bpf/direct/ctrace.bpf.o: $(BPF_SOURCES) Makefile
	$(call say,BPF,bpf/*.bpf.c (direct))
	$(Q)mkdir -p $(@D)
	$(Q)printf '#include "%s"\n' $(BPF_SOURCES) | $(CLANG) $(BPF_CFLAGS) -DCTRACE_DIRECT_READS -MMD -MP -MF $(@:.o=.d) \
		-MT $@ -x c -c - -o $@

$(O)/bpf/ctrace_direct.o: $(O)/bpf/direct/ctrace.bpf.o
$(O)/bpf/ctrace.o: $(BPF_OBJECTS)
$(O)/bpf/ctrace.o $(O)/bpf/ctrace_direct.o:
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(O)/bpf/%.skel.h: $(O)/bpf/%.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# Only capture/ includes the skeleton.
ifneq ($(BPF_SOURCES),)
$(filter $(O)/userspace/capture/%,$(OBJECTS)): | $(O)/bpf/ctrace.skel.h $(O)/bpf/ctrace_direct.skel.h
endif

$(O)/tests/%: tests/unit/%.c $(O)/libctrace.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(O)/libctrace.a $(TEST_LIBS)

# Small static programs that tests run inside containers.
$(O)/tests/%: tests/tools/%.c
	$(call say,TOOL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O2 -std=gnu11 $(WARNINGS) -static -o $@ $<

unit-programs: $(UNIT_TESTS)

unit: build tools $(UNIT_TESTS)
	$(Q)tests/run $(UNIT_TESTS)

tools: $(TEST_TOOLS)

clean:
	rm -rf .output

-include Makefile.targets
-include tests/static/targets.mk
-include tests/coverage.mk
-include tests/vm/targets.mk
-include tests/fuzz/targets.mk
-include $(OBJECTS:.o=.d) $(PROGRAMS:%=$(O)/main-%.d) $(BPF_OBJECTS:.o=.d) $(O)/bpf/direct/ctrace.bpf.d $(UNIT_TESTS:%=%.d)
