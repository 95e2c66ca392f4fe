#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make-deb.sh DIRECTORY: builds the Debian package of this tree into DIRECTORY. dpkg-buildpackage writes beside its
# source, so a copy of it is built.
set -eu

output=$1
here=$(cd "$(dirname "$0")/.." && pwd)
for tool in dpkg-buildpackage dh; do
	command -v "$tool" >/dev/null || { echo "make-deb: $tool is not installed (packages dpkg-dev, debhelper)" >&2; exit 1; }
done

rm -rf "$output"
mkdir -p "$output/source"
tar -C "$here" --exclude=.git --exclude=.output --exclude=__pycache__ -cf - . | tar -C "$output/source" -xf -
cd "$output/source"
dpkg-buildpackage -us -uc -b
rm -rf "$output/source"
ls -l "$output"/*.deb
