#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# userland.sh OUTPUT_DIRECTORY: the root image of VM_ARCH's guests, made of Debian packages.
#
# Prints the path of an erofs image with runc, crun, systemd, the tools that the checks use, and every
# library that the programs in OUTPUT_DIRECTORY, which are this machine's, link. It is kept below the cache directory and made
# again when it lacks one of these packages or VM_REFRESH=1. Packages of another architecture are unpacked, and no more: their
# scripts cannot be run here.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/vm/lib.sh
. "$here/lib.sh"

[ $# = 1 ] || vm_fail 'usage: userland.sh OUTPUT_DIRECTORY'
output=$1

# The release of this machine, so that what was built here finds the libraries that it was linked to.
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$release" ] || vm_fail '/etc/os-release names no release'

# linked_packages: who owns the libraries that the programs load. Some of a library's spellings belong to no package; all are asked
# for at once, since each question makes dpkg-query read its whole database.
linked_packages() {
	ldd "$output"/ctrace "$output"/ctrace-* "$output"/tests/vm_programs 2>/dev/null |
		awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u | while read -r library; do
		printf '%s\n' "$library" "$(readlink -f "$library")" "${library#/usr}" "/usr$library"
	done | xargs -d '\n' -r dpkg-query -S 2>/dev/null | cut -d: -f1 | sort -u || true
}

tools=(runc crun busybox-static kmod procps iproute2 jq nftables strace util-linux systemd bpftool)
variant=minbase
if [ "$VM_ARCH" != "$(dpkg --print-architecture)" ]; then
	variant=extract
	tools+=(base-files base-passwd bash coreutils dash findutils gawk grep hostname libc-bin mount sed tar) # nothing comes by itself
fi
packages=$({ printf '%s\n' "${tools[@]}"; linked_packages; } | sort -u | paste -sd,)
image=$VM_CACHE/userland/$release$VM_SUFFIX.erofs

# has_packages: the image that there is has them all. Trees that link different libraries take turns with one cache.
has_packages() {
	[ -e "$image" ] || return 1
	[ -z "$(comm -23 <(tr , '\n' <<< "$packages" | sort) <(tr , '\n' < "$image.packages" | sort))" ]
}

# complete_root DIRECTORY: what the packages' scripts would have made, as far as something here needs it.
complete_root() {
	[ $variant = extract ] || return 0
	cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
	cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
	ln -sf gawk "$1/usr/bin/awk"
	mkdir -p "$1/run" "$1/proc" "$1/sys" "$1/dev" "$1/tmp"
}

vm_need mmdebstrap mmdebstrap
vm_need mkfs.erofs erofs-utils
if [ -n "${VM_REFRESH:-}" ] || ! has_packages; then
	vm_say "making a userland of $release with $packages"
	mkdir -p "$VM_CACHE/userland"
	work=$(mktemp -d -p "$VM_CACHE/userland")
	trap 'rm -rf "$work"' EXIT
	[ -n "$(vm_archives)" ] || vm_skip 'apt knows no Debian archive to take a userland from'
	mirrors=()
	while read -r kind uri; do
		[ "$kind" = security ] && mirrors+=("deb $uri $release-security main") ||
			mirrors+=("deb $uri $release main")
	done < <(vm_archives)
	# shellcheck disable=SC2016 # $1 is for the hook's shell
	timeout --foreground 400 mmdebstrap --quiet --arch="$VM_ARCH" --variant=$variant --include="$packages" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
		"$release" "$work/root.tar" "${mirrors[@]}" >&2 ||
		vm_skip 'the packages of a userland cannot be fetched'
	mkdir "$work/root"
	tar -xf "$work/root.tar" -C "$work/root" --exclude='./dev/*'
	complete_root "$work/root"
	mkfs.erofs -zlz4 "$work/root.erofs" "$work/root" >/dev/null
	mv "$work/root.erofs" "$image"
	echo "$packages" > "$image.packages"
fi
echo "$image"
