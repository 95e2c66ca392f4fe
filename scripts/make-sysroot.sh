#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make-sysroot.sh ARCHITECTURE DIRECTORY: the headers and libraries that ctrace needs, of another Debian architecture,
# unpacked into DIRECTORY. Nothing of this machine is changed: no foreign architecture is added to its dpkg.
set -eu

architecture=$1
root=$2
command -v mmdebstrap >/dev/null || { echo "make-sysroot: mmdebstrap is not installed" >&2; exit 1; }
# shellcheck disable=SC1091 # the machine's own
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
packages=libc6-dev,linux-libc-dev,libgcc-12-dev,libbpf-dev,libelf-dev,zlib1g-dev,libdeflate-dev,libjson-c-dev,libseccomp-dev,libcap-dev
packages+=,libmnl-dev,libncurses-dev,libcurl4-openssl-dev,libarchive-dev,libmicrohttpd-dev,libssl-dev,libcmocka-dev,libvterm-dev,libsqlite3-dev

# It is as good as new while the same is asked for.
[ "$(cat "$root/packages" 2>/dev/null)" != "$packages" ] || exit 0
rm -rf "$root"
mkdir -p "$root"
trap 'rm -f "$root.tar"' EXIT
mmdebstrap --quiet --arch="$architecture" --variant=extract --include="$packages" "$release" "$root.tar" >&2
tar -xf "$root.tar" -C "$root" --exclude='./dev/*'
echo "$packages" >"$root/packages"
