#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# boot.sh KERNEL_DIRECTORY ROOT_IMAGE SHARE_IMAGE RESULTS_DIRECTORY [PARAMETER...]
#
# Boots one guest of VM_ARCH under QEMU and waits for its end, at most VM_TIMEOUT seconds (600). What the guest
# says goes to stdout, its console to RESULTS_DIRECTORY/console, the files that it leaves behind to
# RESULTS_DIRECTORY. PARAMETERs are added to the kernel's command line. Exits with the guest's status,
# 124 when it gave none. No acceleration is asked for: a build machine seldom has it.
#
# One thread emulates both processors. With a thread for each, QEMU now and then goes on executing its translation of an int3 that
# the other processor has replaced meanwhile: hooks are attached by patching code (arch/x86/kernel/alternative.c, text_poke_bp),
# and the guest hangs with one processor in exc_int3, interrupts off, at an address that holds the new instruction, and the
# other one waiting for it. Page tables of five levels cost a seventh of all time, and nothing here is about them.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/vm/lib.sh
. "$here/lib.sh"

[ $# -ge 4 ] || vm_fail 'usage: boot.sh KERNEL_DIRECTORY ROOT_IMAGE SHARE_IMAGE RESULTS_DIRECTORY [PARAMETER...]'
kernel=$1 root=$2 share=$3 results=$4
shift 4

read -r emulator package < <(vm_emulator)
vm_need "$emulator" "$package"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$results"
truncate -s 64M "$work/results"

disks=()
add_disk() { # NAME FILE OPTIONS
	disks+=(-drive "if=none,id=$1,file=$2,format=raw$3" -device "virtio-blk-pci,drive=$1,serial=$1")
}
add_disk root "$root" ,readonly=on
add_disk modules "$kernel/modules.erofs" ,readonly=on
add_disk share "$share" ,readonly=on
add_disk results "$work/results" ''

# The console, and two lines more: what the guest says, and its status. A board of arm64 has one serial line; the pointers that
# its kernel signs, an emulator should not sign by the architecture's own algorithm, which takes half of all time.
case $VM_ARCH in
arm64)
	machine=(-M virt -cpu 'max,pauth-impdef=on')
	lines=(-serial "file:$results/console" -device virtio-serial-pci
		-chardev 'stdio,id=said' -device 'virtconsole,chardev=said'
		-chardev "file,id=status,path=$work/status" -device 'virtconsole,chardev=status')
	console=ttyAMA0
	;;
*)
	machine=(-M q35 -cpu 'max,la57=off')
	lines=(-serial "file:$results/console" -serial stdio -serial "file:$work/status")
	console=ttyS0
	;;
esac

status=0
timeout -k 5 "${VM_TIMEOUT:-600}" "$emulator" \
	"${machine[@]}" -accel tcg,thread=single -smp 2 -m "${VM_MEMORY:-768M}" \
	-nodefaults -no-user-config -display none -no-reboot -monitor none \
	-kernel "$kernel/vmlinuz" -initrd "$kernel/initrd" "${lines[@]}" "${disks[@]}" \
	-append "console=$console panic=-1 quiet apparmor=0 $*" < /dev/null &
qemu=$!
trap 'kill $qemu 2>/dev/null; wait $qemu; exit 143' TERM INT # timeout hands it on
wait $qemu || status=$?
[ $status = 124 ] && vm_say "the guest was stopped after ${VM_TIMEOUT:-600} s"
tar -xf "$work/results" -C "$results" --no-same-owner 2>/dev/null || true
code=$(tr -cd 0-9 < "$work/status" 2>/dev/null | head -c 3 || true)
exit "${code:-124}"
