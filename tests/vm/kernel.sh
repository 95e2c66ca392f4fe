#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kernel.sh SERIES: Debian's newest cloud kernel of a series (6.1) for VM_ARCH (amd64), ready to boot.
#
# Prints the directory that holds vmlinuz, initrd (guest/init with the modules that it needs),
# modules.erofs and version. It is kept below the cache directory; VM_REFRESH=1 looks for a newer one.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/vm/lib.sh
. "$here/lib.sh"

[ $# = 1 ] || vm_fail 'usage: kernel.sh SERIES'
series=$1
target=$VM_CACHE/kernels/$series$VM_SUFFIX

# find_package: the newest signed cloud image of the series.
find_package() {
	vm_apt apt-cache pkgnames "linux-image-$series." |
		grep -Ex "linux-image-${series//./\\.}\.[0-9]+(-[0-9]+|\+deb[0-9]+)-cloud-$VM_ARCH" | sort -V | tail -n 1
}

# unpack_packages KERNEL DIRECTORY VERSION: with the busybox that becomes its first program.
unpack_packages() {
	(cd "$2" && vm_apt apt-get download -qq "$1" busybox-static >&2) || vm_skip "$1 cannot be downloaded"
	for package in "$2"/*.deb; do
		dpkg-deb -x "$package" "$2/root"
	done
	rm "$2"/*.deb
	find "$2/root" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 xz -d
	depmod -b "$2/root" "$3"
}

# make_initrd ROOT VERSION OUTPUT: one static busybox, one script, the modules to reach the disks.
make_initrd() {
	local tree module file base

	tree=$(mktemp -d -p "$work")
	mkdir -p "$tree/bin" "$tree/modules"
	cp "$1/bin/busybox" "$tree/bin/busybox"
	install -m 755 "$here/guest/init" "$tree/init"
	for module in virtio_pci virtio_blk virtio_console erofs overlay; do
		modprobe -d "$1" -S "$2" --show-depends "$module" 2>/dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p' | while read -r file; do
			base=${file##*/}
			[ -e "$tree/modules/$base" ] && continue
			cp "$file" "$tree/modules/$base"
			echo "$base" >> "$tree/modules/order"
		done
	done
	(cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) > "$3"
}

vm_need cpio cpio
vm_need modprobe kmod
vm_need mkfs.erofs erofs-utils
vm_need xz xz-utils

if [ ! -e "$target/version" ] || [ -n "${VM_REFRESH:-}" ]; then
	vm_apt_sources bullseye bookworm
	package=$(find_package)
	[ -n "$package" ] || vm_skip "no cloud kernel $series in the archives that apt knows"
	vm_say "fetching $package"
	mkdir -p "$VM_CACHE/kernels"
	work=$(mktemp -d -p "$VM_CACHE/kernels")
	trap 'rm -rf "$work"' EXIT
	version=${package#linux-image-}
	unpack_packages "$package" "$work" "$version"
	mkdir "$work/out"
	mv "$work/root/boot/vmlinuz-$version" "$work/out/vmlinuz"
	mkfs.erofs -zlz4 "$work/out/modules.erofs" "$work/root/lib/modules" >/dev/null
	make_initrd "$work/root" "$version" "$work/out/initrd"
	cp "$here/guest/init" "$work/out/init"
	echo "$version" > "$work/out/version"
	chmod 755 "$work/out"
	rm -rf "$target"
	mv "$work/out" "$target"
fi
cmp -s "$here/guest/init" "$target/init" || {
	# Only the script changed: add it as a second archive; the kernel unpacks both, later files win.
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	install -m 755 "$here/guest/init" "$work/init"
	(cd "$work" && echo init | cpio -o -H newc --quiet | gzip -1) >> "$target/initrd"
	cp "$here/guest/init" "$target/init"
}
echo "$target"
