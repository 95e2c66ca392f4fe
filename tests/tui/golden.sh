#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# Screens of recordings, at fixed sizes and on poor terminals, as they must look. After a change that is wanted
# (or new recordings): UPDATE=1 bash tests/tui/golden.sh, and look at the difference.
. tests/lib/env.sh
. tests/lib/tui.sh
need tmux jq
[ -x "$CTRACE_OUTPUT/ctrace-top" ] || skip_all "ctrace-top is not built"

golden=$TOP/tests/tui/golden

# look NAME COLUMNSxROWS RECORDING "KEYS" [NAME=VALUE...]
look()
{
	local name=$1 size=$2 recording=$TOP/tests/replay/$3.ctrace keys=$4

	shift 4
	tui_start "$size" "$@" -- "$recording"
	tui_wait 'lost|quit' || diag "no screen"
	tui_settle
	# shellcheck disable=SC2086 # several keys
	[ -z "$keys" ] || tui_keys $keys
	tui_settle
	tui_screen >"$WORK/screen"
	tui_screen -e >"$WORK/colors"
	if [ -n "${UPDATE:-}" ]; then
		cp "$WORK/screen" "$golden/$name.txt"
	elif cmp -s "$WORK/screen" "$golden/$name.txt"; then
		ok "$name"
	else
		not_ok "$name"
		diag "$(diff "$golden/$name.txt" "$WORK/screen")"
	fi
}

look containers-80x24 80x24 runc-parallel ''
look containers-120x40 120x40 runc-parallel ''
look containers-40x10 40x10 runc-parallel ''
look timeline-80x24 80x24 docker-oom '2'
look timeline-120x40 120x40 docker-oom '2'
look timeline-40x10 40x10 docker-oom '2'
look timeline-steps-80x24 80x24 docker-oom '2 / pivot Enter Enter'
look timeline-zoom-80x24 80x24 docker-run '2 j j z'
look timeline-failed-80x24 80x24 runc-bad-mount '2 e'
look timeline-existing-80x24 80x24 runc-existing '2'
look timeline-compare-120x40 120x40 runc-parallel '2 d'
# The slowest phase of the slowest container, and what it was busy with: three keys, whoever was recorded.
# slowest RECORDING: "NAME PHASE DURATION" as the JSON timelines have it.
slowest()
{
	"$CTRACE" show --json "$TOP/tests/replay/$1.ctrace" | jq -rs 'map(select(.type == "timeline" and .started_ns != null)) |
		max_by((.started_ns | tonumber) - (.first_ns | tonumber)) | .name as $name | .id as $id |
		(.phases | map(select(.phase | IN("run", "stop", "teardown") | not)) | max_by(.duration_ns | tonumber)) |
		((.duration_ns | tonumber) / 1e6 | if . < 1000 then "\(round) ms" else "\(. / 100 | round / 10) s" end) as $time |
		"\($name // $id) \(.phase) \($time)"'
}

for recording in runc-parallel docker-run docker-parallel; do
	look "slowest-$recording-80x24" 80x24 "$recording" 'Enter j Enter'
	read -r name phase time <<<"$(slowest "$recording")"
	like "$(sed -n 3p "$WORK/screen")" "^$name " "$recording: Enter leads to the slowest container"
	like "$(sed '1,/^───/d' "$WORK/screen" | head -n 1)" "^ $phase: ~?$time from " "$recording: j, Enter to its slowest phase"
done
look events-80x24 80x24 docker-oom '3'
look limits-80x24 80x24 docker-oom '4'
look host-80x24 80x24 docker-oom '5'
look help-80x24 80x24 docker-oom '?'

look c-locale-80x24 80x24 docker-oom '2' LC_ALL=C
unlike "$(LC_ALL=C tr -d '\0-\177' <"$WORK/colors" | od -c)" '[0-9]{3} ' "LC_ALL=C: only ASCII"
look vt100-80x24 80x24 docker-oom '2' LC_ALL=C TERM=vt100
look no-color-80x24 80x24 docker-oom '2' NO_COLOR=1
unlike "$(sed 's/\x1b\[39m\|\x1b\[49m//g' "$WORK/colors")" "$(printf '\033')"'\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])' \
	"NO_COLOR=1: no colour"
like "$(cat "$WORK/colors")" "$(printf '\033')"'\[[0-9;]*[17]' "but the chosen row and the title stand out"
done_testing
