#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# A process document for exec --process wrong in one field, for every field of tests/lib/config_table.py: an error that names the field;
# nothing runs, and no limit changes.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/oci.sh
need_root
oci_bundle

export GOOD=good$$
mkdir -p "$WORK/bad" "$WORK/marks"
jq --arg marks "$WORK/marks" '.process.terminal = false | .process.args = ["sleep", "600"] | .root.readonly = false
	| .linux.cgroupsPath = "/ctrace/'$GOOD'" | .linux.resources.memory = {limit: 134217728} | .linux.resources.pids = {limit: 64}
	| .mounts += [{destination: "/marks", type: "bind", source: $marks, options: ["bind"]}]' "$BASE" >"$B/config.json"
on_exit oci delete --force "$GOOD"
oci run --detach --bundle "$B" "$GOOD" >/dev/null 2>"$WORK/error" || skip_all "no container: $(cat "$WORK/error")"
/usr/bin/python3 "$LIB/bad_config.py" exec "$WORK/bad" "$WORK/state" "$WORK/marks" "$BUSYBOX_ROOT" \
	"$CTRACE" oci --root "$WORK/state"
