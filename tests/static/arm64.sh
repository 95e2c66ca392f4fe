#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# ctrace for arm64: the BPF objects, and the stub that is written in assembly. With FULL=1 also all the programs, which
# are linked to Debian's arm64 libraries, and the unit and replay tests under qemu's user emulation. The kernel matrix
# traces an arm64 kernel (tests/vm/run --guests arm64).
# timeout: 2400
. tests/lib/env.sh
[ "$(uname -m)" = x86_64 ] || skip_all "this is for machines that are no arm64"
need clang aarch64-linux-gnu-gcc make
cd "$TOP" || exit 1
# The kernel matrix installs the compiler alone: its sysroot has the rest.
echo '#include <stdint.h>' | aarch64-linux-gnu-gcc -E -x c -o /dev/null - 2>/dev/null ||
	skip_all "the cross compiler has no C library's headers: install libc6-dev-arm64-cross"

output=${ARM64_OUTPUT:-$WORK/arm64} # a name of your own: it is kept
sysroot=$CACHE/sysroot-arm64
cross()
{
	VM_ARCH=arm64 VM_CACHE=$CACHE tests/vm/cross.sh "$@"
}

check "the BPF objects compile for arm64" cross -n "$output" "$output/bpf/ctrace.o" "$output/bpf/ctrace_direct.o"
# The C library's headers of the cross compiler are enough for this file.
check "the stub's assembly is accepted" aarch64-linux-gnu-gcc -D_GNU_SOURCE -I. -Iuserspace -std=gnu11 -O2 -Wall -Werror \
	-mbranch-protection=standard -c userspace/runtime/stub.c -o "$WORK/stub.o"
like "$(aarch64-linux-gnu-readelf --wide --symbols "$WORK/stub.o")" "runtime_stub_end" "and is in the object"
unlike "$(aarch64-linux-gnu-readelf --wide --relocs "$WORK/stub.o")" "GOT.*rodata" "its ends are not looked up in the GOT"

if [ -z "${FULL-}" ]; then
	skip_point "the programs for arm64" "it builds the tree anew: run it with FULL=1"
	done_testing
	exit
fi
cross "$output" build >"$WORK/build.log" 2>&1
case $? in
0) ok "the programs build for arm64" ;;
77)
	skip_point "the programs for arm64" "$(tail -n 1 "$WORK/build.log")"
	done_testing
	exit
	;;
*) not_ok "the programs build for arm64"; diag "$(tail -n 20 "$WORK/build.log")" ;;
esac
for program in ctrace ctrace-trace ctrace-image ctrace-serve ctrace-top; do
	like "$(readelf --file-header "$output/$program")" "Machine: *AArch64" "$program is for arm64"
	like "$(readelf --wide --dynamic "$output/$program")" "BIND_NOW" "and hardened"
done

if ! have qemu-aarch64-static; then
	skip_point "running them" "qemu-aarch64-static is not installed"
	done_testing
	exit
fi
emulated()
{
	qemu-aarch64-static -L "$sysroot" "$@"
}
like "$(emulated "$output/ctrace" --version)" "^ctrace [0-9]" "ctrace for arm64 runs under emulation"
for recording in tests/replay/*.ctrace; do
	check "replay of $(basename "$recording") says the same as here" cmp \
		<(emulated "$output/ctrace-trace" replay --json "$recording" 2>&1) <("$CTRACE" replay --json "$recording" 2>&1)
done
# Those that ask nothing of the kernel: qemu knows no openat2, which test_spec's files are read with.
for name in timeline waterfall recording exports filter identify otlp json reference manifest; do
	check "unit test $name builds" cross "$output" "$output/tests/test_$name" &&
		check "and passes" emulated "$output/tests/test_$name"
done
done_testing
