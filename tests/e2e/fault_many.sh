#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# Very many: containers in a recording (200; FULL=1: 10,000) and processes that are there when ctrace comes (500; FULL=1:
# 100,000, as far as pid_max allows). Each is accounted for, and memory has a bound.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need_ctrace record replay
need runc jq
stimulus=$CTRACE_OUTPUT/tests/stimulus
multiply=$CTRACE_OUTPUT/tests/multiply
[ -x "$stimulus" ] || skip_all "the stimulus is not built"
busybox_image || skip_all "no busybox image"
containers=200 processes=500 most_kib=120000
[ -z "${FULL-}" ] || containers=10000 processes=100000

# One real start, as often as wanted: only the last words about each are asked for, so that time is the replay's.
if [ -x "$multiply" ]; then
	bundle "$WORK/b" sh -c 'exit 81'
	"$CTRACE" record "$WORK/one.ctrace" -- runc --root "$WORK/runc" run --bundle "$WORK/b" copy-000000 2>/dev/null
	check "a recording of $containers containers is made" "$multiply" "$WORK/one.ctrace" "$containers" "$WORK/many.ctrace"
	"$CTRACE" replay --json "$WORK/many.ctrace" >"$WORK/many.pipe" 2>"$WORK/err" &
	replay=$!
	peak=0
	while ! process_gone "$replay"; do
		rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$replay/status" 2>/dev/null)
		[ "${rss:-0}" -le "$peak" ] || peak=$rss
		sleep 0.1
	done
	wait "$replay"
	is $? 0 "they are replayed"
	grep '"state":"exited"' "$WORK/many.pipe" | jq -r '"\(.id) \(.exit.code) \(.lost)"' | grep '^copy-' | sort -u >"$WORK/ends"
	is "$(cut -d' ' -f1 "$WORK/ends" | sort -u | wc -l)" "$containers" "each of them ended"
	is "$(cut -d' ' -f2- "$WORK/ends" | sort -u)" "81 0" "with its exit code, and nothing lost"
	is "$(tail -n 1 "$WORK/many.pipe" | jq -c '[.lost, .skipped, .forgotten]')" '[0,0,0]' "the summary says so"
	check "memory had a bound: $peak KiB of at most $most_kib" test "$peak" -le "$most_kib"
	rm -f "$WORK/many.pipe" "$WORK/many.ctrace"
else
	skip_point "$containers containers" "multiply is not built: make test builds it"
fi

# A crowd of processes, in a container, from before.
room=$(($(cat /proc/sys/kernel/pid_max) - $(find /proc -maxdepth 1 -name '[0-9]*' | wc -l) - 6000))
[ "$processes" -le "$room" ] || processes=$room
free_kib=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
[ $((processes * 120)) -le "$free_kib" ] || processes=$((free_kib / 120))
cp "$stimulus" "$BUSYBOX_ROOT/bin/stimulus"
bundle "$WORK/crowd" stimulus crowd="$processes"
on_exit rc delete --force "crowd-$$"
rc run --detach --bundle "$WORK/crowd" "crowd-$$" </dev/null >"$WORK/crowd.out" 2>&1
check "a container of $processes processes is there" wait_for 300 grep -q '^crowd' "$WORK/crowd.out"
begin=$(date +%s%N)
trace_start || skip_all "no trace"
diag "the tracer was ready after $((($(date +%s%N) - begin) / 1000000)) ms"
bundle "$WORK/b" sh -c 'exit 82'
rc run --bundle "$WORK/b" "beside-$$"
is $? 82 "a container beside the crowd"
peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$TRACE_PID/status")
rc kill "crowd-$$" KILL
sleep 2
trace_stop
is "$TRACE_CODE" 0 "the tracer ends well"
check "its memory had a bound: $peak KiB, at most $((60000 + processes * 2))" test "$peak" -le $((60000 + processes * 2))
judge "$TRACE" "crowd-$$" "beside-$$" "$processes" <<'PYTHON'
crowd, beside, processes = t.one(args[0]), t.one(args[1]), int(args[2])
p.equal((crowd["existed"], crowd["state"]), (True, "exited"), "the crowd's container was there before, and ended")
p.equal(crowd.exit.get("signal"), 9, "by SIGKILL")
p.equal((beside["state"], beside.exit.get("code")), ("exited", 82), "the one beside it has its own end")
p.check(t.summary["events_by_kind"].get("exit", 0) + t.lost() >= processes, "every exit was seen, or is counted as lost",
        t.summary)
p.check(not t.lost() or beside["lost"] or not beside.missing_phases(tl.START_PHASES), "and what may lack something says so")
PYTHON
done_testing
