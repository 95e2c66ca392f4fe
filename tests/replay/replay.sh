#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# Each recording beside this script replays to the JSON beside it, byte for byte. make recordings makes them.
. tests/lib/env.sh
. tests/lib/trace.sh
need_ctrace replay

found=
for recording in tests/replay/*.ctrace; do
	[ -f "$recording" ] || continue
	found=1
	golden=${recording%.ctrace}.json
	"$CTRACE" replay --json "$recording" >"$WORK/now.json" 2>"$WORK/err"
	if cmp -s "$WORK/now.json" "$golden"; then
		ok "$(basename "$recording")"
	else
		not_ok "$(basename "$recording")"
		diag "$(cat "$WORK/err")"
		diag "$(diff <(jq -S . "$golden") <(jq -S . "$WORK/now.json") | head -n 40)"
	fi
done
[ -n "$found" ] || skip_all "there are no recordings; make recordings makes them"

done_testing
