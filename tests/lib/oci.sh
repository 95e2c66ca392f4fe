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
