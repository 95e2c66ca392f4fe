# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # BASE is for those who source it
# ctrace as an OCI runtime, called directly. Needs env.sh and images.sh.

# oci_bundle: a bundle in B whose root is busybox's, and its config.json without one: BASE.
oci_bundle()
{
	busybox_image || skip_all "busybox (static) is not installed"
	B=$WORK/bundle
	BASE=$WORK/base.json
	mkdir -p "$B"
	cp -a "$BUSYBOX_ROOT" "$B/rootfs"
	"$CTRACE" oci spec --bundle "$B"
	mv "$B/config.json" "$BASE"
}

oci()
{
	timeout -s KILL 30 "$CTRACE" oci --root "$WORK/state" "$@" </dev/null
}

# oci_try_documents exec|update: bad_config.py's wrong documents for that verb, at a running container with limits.
oci_try_documents()
{
	export GOOD=good$$
	mkdir -p "$WORK/bad" "$WORK/marks"
	jq --arg marks "$WORK/marks" '.process.terminal = false | .process.args = ["sleep", "600"] | .root.readonly = false
		| .linux.cgroupsPath = "/ctrace/'$GOOD'" | .linux.resources.memory = {limit: 134217728} | .linux.resources.pids = {limit: 64}
		| .mounts += [{destination: "/marks", type: "bind", source: $marks, options: ["bind"]}]' "$BASE" >"$B/config.json"
	on_exit oci delete --force "$GOOD"
	oci run --detach --bundle "$B" "$GOOD" >/dev/null 2>"$WORK/error" || skip_all "no container: $(cat "$WORK/error")"
	/usr/bin/python3 "$LIB/bad_config.py" "$1" "$WORK/bad" "$WORK/state" "$WORK/marks" "$BUSYBOX_ROOT" \
		"$CTRACE" oci --root "$WORK/state"
}
