# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the guests' checks share. Sourced, never run.

ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; }
skip() { echo "ok - $1 # SKIP $2"; }
note() { sed 's/^/# /'; }

# What all bundles have in common, once: runc and jq take an emulated processor seconds.
make_template() {
	(cd /run && runc spec)
	jq '.process.terminal = false | .process.args = ["/bin/sh", "-c", "echo hello; exit 7"]
		| .linux.cgroupsPath = "/CGROUP"
		| .linux.resources.memory = {limit: 67108864} | .linux.resources.pids = {limit: 32}' \
		/run/config.json > /run/template.json
}

make_bundle() { # DIRECTORY CGROUP
	mkdir -p "$1/rootfs/bin"
	cp /bin/busybox "$1/rootfs/bin/busybox"
	ln -s busybox "$1/rootfs/bin/sh"
	[ -s /run/template.json ] || make_template
	sed "s#\"/CGROUP\"#\"/$2\"#" /run/template.json > "$1/config.json"
}
