#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# What a caller leaves behind for ctrace: descriptors 0 to 2 closed, SIGCHLD ignored, nohup; and signals
# that nobody expects. The trace is whole, goes where it should, and the command's exit code is passed on.
. tests/lib/env.sh
. tests/lib/trace.sh
need_tracing
need_ctrace record replay

# from WHAT PYTHON [ARGUMENT...]: ctrace in what the Python code has set up; sets code.
from()
{
	local set_up=$1

	shift
	timeout 30 /usr/bin/python3 -c "import os, signal, sys
$set_up
os.execv(sys.argv[1], sys.argv[1:])" "$CTRACE" "$@" >"$WORK/from.out" 2>&1
	code=$?
}

# whole FILE WHAT: JSON in each line, the last a complete summary.
whole()
{
	is "$(jq -r 'select(.type == "summary").complete' "$1" 2>&1 | tail -n 1)" true "$2: whole, and nothing else in the file"
}
need jq

from 'os.closerange(0, 3)' trace --json "$WORK/closed.json" -- sh -c 'exit 9'
is "$code" 9 "descriptors 0 to 2 closed: the command's exit code"
whole "$WORK/closed.json" "descriptors 0 to 2 closed"
from 'os.closerange(0, 3)' record "$WORK/closed.ctrace" -- sh -c 'exit 9'
is "$code" 9 "record, with them closed: the command's exit code"
check "its recording can be read" "$CTRACE" replay "$WORK/closed.ctrace"

for command in "trace --json $WORK/chld.json" "record $WORK/chld.ctrace"; do
	# shellcheck disable=SC2086 # words of a command
	from 'signal.signal(signal.SIGCHLD, signal.SIG_IGN)' $command -- sh -c 'exit 9'
	is "$code" 9 "${command%% *}, SIGCHLD ignored: the command's end is noticed"
done

# begin FILE COMMAND...: in the background, with its output in FILE.err; returns once it traces.
begin()
{
	local file=$1

	shift
	"$@" >"$file.err" 2>&1 &
	PID=$!
	on_exit stop_process "$PID" KILL
	wait_for 20 test -s "$file"
}

for name in USR1 HUP; do
	begin "$WORK/$name.json" "$CTRACE" trace --no-serve --json "$WORK/$name.json"
	kill -"$name" "$PID"
	wait "$PID"
	is $? 0 "SIG$name ends a trace as SIGTERM does"
	whole "$WORK/$name.json" "SIG$name"
	like "$(cat "$WORK/$name.json.err")" "^ctrace trace: ended by SIG$name" "SIG$name: it is said"
done
begin "$WORK/usr1.ctrace" "$CTRACE" record --no-serve "$WORK/usr1.ctrace"
kill -USR1 "$PID"
wait "$PID"
is $? 0 "SIGUSR1 ends a recording"
check "which is complete" "$CTRACE" replay "$WORK/usr1.ctrace"

begin "$WORK/nohup.json" nohup "$CTRACE" trace --no-serve --json "$WORK/nohup.json"
kill -HUP "$PID"
sleep 0.3
check "nohup: SIGHUP ends nothing" kill -0 "$PID"
kill -TERM "$PID"
wait "$PID"
whole "$WORK/nohup.json" "nohup, then SIGTERM"

# shellcheck disable=SC2016 # for the shell that is traced
begin "$WORK/passed.json" "$CTRACE" trace --json "$WORK/passed.json" -- \
	sh -c 'trap "exit 44" USR1; touch "$0"; while :; do sleep 0.1; done' "$WORK/ready"
wait_for 20 test -e "$WORK/ready"
kill -USR1 "$PID"
wait "$PID"
is $? 44 "a command gets the signal, and its exit code is passed on"
whole "$WORK/passed.json" "a signal for the command"
done_testing
