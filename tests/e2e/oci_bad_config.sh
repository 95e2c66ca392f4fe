#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# config.json wrong in one field, for every field and in every way that tests/lib/bad_config.py knows: an error that
# names the field by its path; nothing runs and nothing is left.
. tests/lib/env.sh
. tests/lib/images.sh
need_root
busybox_image || skip_all "busybox (static) is not installed"

bundle=$WORK/bundle
mkdir -p "$bundle" "$WORK/marks"
"$CTRACE" oci spec --bundle "$bundle"
jq --arg root "$BUSYBOX_ROOT" --arg marks "$WORK/marks" '
	.process.terminal = false | .process.args = ["touch", "/marks/ran"] | .root.path = $root
	| .root.readonly = false
	| .mounts += [{destination: "/marks", type: "bind", source: $marks, options: ["bind"]}]' \
	"$bundle/config.json" >"$bundle/base.json"
/usr/bin/python3 "$LIB/bad_config.py" "$bundle" "$WORK/state" "$WORK/marks/ran" \
	"$CTRACE" oci --root "$WORK/state"
