#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctrace record and ctrace doctor as a user meets them. Needs root; CTRACE is the program to test.
set -u
. tests/lib/programs.sh

CTRACE=${CTRACE:-.output/ctrace}
TRACE=$(dirname "$CTRACE")/ctrace-trace
dir=$(mktemp -d /tmp/ctrace-e2e-capture.XXXXXX)
trap 'rm -rf "$dir"' EXIT
count=0

report() # STATUS WHAT
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}

check() # WHAT COMMAND...
{
	local what=$1
	shift
	"$@" >"$dir/out" 2>"$dir/err"
	report $? "$what"
}

exits() # CODE COMMAND...
{
	local code=$1
	shift
	"$@"
	[ $? -eq "$code" ]
}

if [ "$(id -u)" -ne 0 ]; then
	echo "ok 1 - capture # SKIP needs root"
	echo "1..1"
	exit 0
fi

is_json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); sys.exit(not ('"$2"'))' "$1"; }
doctor_json() { "$CTRACE" doctor --json >"$dir/doctor.json" && is_json "$dir/doctor.json" 'd["usable"] and len(d["hooks"]) > 10 and len(d["unseen"]) > 2'; }
doctor_without_root() { exits 1 setpriv --reuid 65534 --regid 65534 --clear-groups "$1" doctor; }
starts_with_magic() { [ "$(head -c 6 "$1")" = ctrace ]; }
is_complete() { [ "$(tail -c 16 "$1" | od -An -tu4 -N4 | tr -d ' ')" = 3 ]; }
mode_is_0600() { [ "$(stat -c %a "$1")" = 600 ]; }

# Nobody may read the build directory of root: copy the program where the test user can.
chmod 755 "$dir"
cp "$TRACE" "$dir/ctrace-trace"

check "doctor finds the host usable" exits 0 "$CTRACE" doctor
grep -q 'tp_btf/sched_process_exec' "$dir/out"
report $? "doctor names the hooks that it chose"
grep -q 'What cannot be seen' "$dir/out"
report $? "doctor tells what cannot be seen"
check "doctor --json is JSON with hooks and unseen" doctor_json
check "doctor without privilege exits 1" doctor_without_root "$dir/ctrace-trace"
grep -q 'run ctrace as root of the host' "$dir/out"
report $? "and says what to do"

check "record passes the command's exit code on" exits 7 "$CTRACE" record "$dir/a" -- sh -c 'exit 7'
check "the recording is one" starts_with_magic "$dir/a"
check "the recording is complete" is_complete "$dir/a"
check "the recording is for its owner's eyes" mode_is_0600 "$dir/a"
check "a command killed by a signal gives 128 + n" exits 137 "$CTRACE" record "$dir/a" -- sh -c 'kill -9 $$'
check "a command that does not exist gives 127" exits 127 "$CTRACE" record "$dir/a" -- "$dir/nonexistent"
check "a command that cannot be executed gives 126" exits 126 "$CTRACE" record "$dir/a" -- "$dir/a"
check "a file that cannot be made gives 125" exits 125 "$CTRACE" record "$dir/no/such" -- true
grep -q "$dir/no/such" "$dir/err"
report $? "and is named in the error"
check "record - is refused" exits 125 "$CTRACE" record - -- true

"$CTRACE" record "$dir/b" 2>"$dir/err" &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
report $? "without a command, SIGTERM ends the recording with success"
check "and it is complete" is_complete "$dir/b"

"$CTRACE" record "$dir/c" 2>/dev/null &
first=$!
check "two tracers do not disturb each other" exits 0 "$CTRACE" record "$dir/d" -- true
mapfile -t programs < <(programs_of $first)
check "the one that goes on holds ${#programs[@]} programs" [ "${#programs[@]}" -gt 10 ]
kill -INT $first
wait $first
check "both recordings are complete" is_complete "$dir/c"
if ! command -v bpftool >/dev/null; then
	count=$((count + 1))
	echo "ok $count - nothing stays attached # SKIP bpftool is not installed"
else
	# The kernel frees them a moment after the last descriptor is closed.
	for _ in $(seq 500); do
		programs_gone "${programs[@]}" && break
		sleep 0.02
	done
	check "nothing stays attached" programs_gone "${programs[@]}"
fi

echo "1..$count"
