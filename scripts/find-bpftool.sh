#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the path of a bpftool that runs. Ubuntu's /usr/sbin/bpftool is a wrapper that works only
# when the tools of the running kernel are installed; any version can link our objects.
for tool in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
	path=$(command -v "$tool") || continue
	if "$path" version >/dev/null 2>&1; then
		echo "$path"
		exit 0
	fi
done
echo "no bpftool that runs was found" >&2
exit 1
