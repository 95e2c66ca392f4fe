#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# A disk that is full while a recording or JSON is written: an error that names it, no hang, and what was written before
# can be read.
. tests/lib/env.sh
. tests/lib/trace.sh
need_tracing
need_ctrace record replay top
disk=$WORK/disk
mkdir -p "$disk"
mount -t tmpfs -o size=256k none "$disk" || skip_all "no tmpfs can be mounted"
on_exit umount "$disk"

# Fills what is left but for KIB.
leave()
{
	rm -rf "${disk:?}"/*
	head -c $(((256 - $1) * 1024)) /dev/zero >"$disk/fill"
}

# A command whose events fill more than that: cgroups with long names, as little alike as can be.
on_exit remove_cgroup "/full-$$"
busy="root=$(cgroup_mount memory || cgroup_mount '')/full-$$"'
mkdir -p $root
od -An -v -tx1 -w60 -N 24000 /dev/urandom | tr -d " " | while read -r name; do
	mkdir $root/$name && rmdir $root/$name
done; exit 7'

# full WHAT FILE COMMAND...: it ends with 125 and says that there is no space, and for which FILE.
full()
{
	local what=$1 file=$2 out code

	shift 2
	out=$(timeout 60 "$@" 2>&1)
	code=$?
	out_of_full=$out
	is "$code" 125 "$what: exit code 125"
	like "$out" 'No space left on device' "$what: the reason"
	[ -z "$file" ] || like "$out" "$file" "$what: the file is named"
}

leave 0
full "record, no room at all" "$disk/r" "$CTRACE" record "$disk/r" -- sh -c 'exit 7'
full "trace --record, no room at all" "$disk/r" "$CTRACE" trace --record "$disk/r" -- sh -c 'exit 7'
full "trace --json, no room at all" "$disk/j" "$CTRACE" trace --json "$disk/j" -- sh -c 'exit 7'

leave 24
full "record, room for its beginning" "$disk/r" "$CTRACE" record --always-armed "$disk/r" -- sh -c "$busy"
out=$("$CTRACE" replay --json "$disk/r" 2>&1 >"$WORK/part.json")
is $? 1 "the recording of a full disk is an error to replay" || diag "$out"
like "$out" "$disk/r.*(incomplete|truncated|end|damaged)" "which says that its end is missing"
like "$(head -n 1 "$WORK/part.json")" '"type":"header"' "what it holds is printed"
like "$(tail -n 1 "$WORK/part.json")" '"complete":false' "and not called complete"

# Beside other output it is the recording alone that ends; how much of it is missing is told at the end.
leave 24
full "trace --record, room for its beginning" "$disk/r.*the trace goes on" \
	"$CTRACE" trace --always-armed --record "$disk/r" --json "$WORK/beside.json" -- sh -c "$busy"
like "$out_of_full" "$disk/r lacks the last [0-9]+ events" "and how much of it is missing"
like "$(tail -n 1 "$WORK/beside.json")" '"complete":true' "the JSON beside it is whole"

leave 16
full "trace --json, room for its beginning" "$disk/j" \
	"$CTRACE" trace --events --json "$disk/j" -- sh -c "$busy"
is "$(head -n -1 "$disk/j" | /usr/bin/python3 -c 'import json, sys
for line in sys.stdin: json.loads(line)' 2>&1)" "" "every whole line that was written is JSON"

# The caller's limit of a file's size is no other: SIGXFSZ would end it without a word. (Set when it runs: it needs some itself.)
rm -rf "${disk:?}"/*
# shellcheck disable=SC2016 # for the shell that is traced
timeout 60 "$CTRACE" record --always-armed "$disk/r" -- sh -c "echo \$\$ >$WORK/pid; prlimit --pid \$PPID --fsize=24576; $busy" >"$WORK/out" 2>&1
is $? 125 "record, a limit of 24 KiB for a file: exit code 125" || diag "$(cat "$WORK/out")"
like "$(cat "$WORK/out")" "$disk/r.*File too large" "which names the file and the reason"
stop_process "$(cat "$WORK/pid")" KILL
"$CTRACE" replay --json "$disk/r" >"$WORK/part.json" 2>/dev/null
like "$(head -n 1 "$WORK/part.json")" '"type":"header"' "what it holds is printed"

# Output that nobody can take: the same by /dev/full.
for command in "replay --json $TOP/tests/replay/crun-start.ctrace" "show $TOP/tests/replay/crun-start.ctrace" \
	"show --html $TOP/tests/replay/crun-start.ctrace" "top --json $TOP/tests/replay/crun-start.ctrace" \
	"top --batch $TOP/tests/replay/crun-start.ctrace" "doctor" "doctor --json" "explain $TOP/tests/replay/crun-start.ctrace" \
	"--version" "--help"; do
	# shellcheck disable=SC2086 # words of a command
	timeout 30 "$CTRACE" $command >/dev/full 2>"$WORK/err"
	code=$?
	[ "$code" != 0 ] && [ "$code" -lt 126 ] && ok "${command%% /*} to a full device is an error" ||
		{ not_ok "${command%% /*} to a full device is an error"; diag "exit code $code: $(cat "$WORK/err")"; }
done

# A run whose picture cannot be kept still runs its container.
leave 0
"$CTRACE" run --json "$disk/j" --network none --rootfs /nonexistent true >/dev/null 2>"$WORK/err"
check "run with a full disk ends" test $? -ge 125
done_testing
