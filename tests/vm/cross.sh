#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cross.sh [-n] OUTPUT_DIRECTORY [TARGET...]: ctrace, built for VM_ARCH's guests, or TARGETs of its Makefile.
#
# Prints the directory. Its libraries are Debian's, unpacked below the cache directory (scripts/make-sysroot.sh); -n: the TARGETs
# need none.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/vm/lib.sh
. "$here/lib.sh"

libraries=yes
[ "${1:-}" = -n ] && libraries='' && shift
[ $# -ge 1 ] || vm_fail 'usage: cross.sh [-n] OUTPUT_DIRECTORY [TARGET...]'
[ "$VM_ARCH" = arm64 ] || vm_fail "the build for $VM_ARCH is not known"
output=$(realpath -m "$1")
shift
[ $# -gt 0 ] || set -- build "$output/bpf/ctrace.o" "$output/bpf/ctrace_direct.o" "$output/tests/vm_programs"
cd "$here/../.."

variables=(ARCH="$VM_ARCH" CROSS_COMPILE=aarch64-linux-gnu- O="$output" WERROR=1)
vm_need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
if [ -n "$libraries" ]; then
	vm_need mmdebstrap mmdebstrap
	variables+=(SYSROOT="$VM_CACHE/sysroot-$VM_ARCH")
	scripts/make-sysroot.sh "$VM_ARCH" "$VM_CACHE/sysroot-$VM_ARCH" >&2 || vm_skip "the libraries to build for $VM_ARCH with cannot be fetched"
fi
unset MAKEFLAGS MFLAGS MAKELEVEL # what the make that led here was told is not for this one
make --no-print-directory -j2 "${variables[@]}" BPFTOOL="$(scripts/find-bpftool.sh)" "$@" >&2
echo "$output"
