#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# Tracers that are killed in the middle of a start, begun in the middle of one, and many at once; a server that is killed and
# takes its place again. Nothing stays in the kernel, and who comes late says so.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
. tests/lib/programs.sh
need_tracing
need_ctrace serve record replay
need runc jq bpftool
busybox_image || skip_all "no busybox image"
bundle "$WORK/b" sh -c 'sleep 0.3; exit 41'

# Killed between create and start; the next one comes in between.
trace_start || skip_all "no trace"
first=$TRACE_PID first_json=$TRACE
id=mid-$$
on_exit rc delete --force "$id"
rc create --bundle "$WORK/b" "$id" </dev/null >/dev/null 2>&1
is $? 0 "a container is created"
sleep 0.3
mapfile -t programs < <(programs_of "$first")
check "it holds ${#programs[@]} programs" test "${#programs[@]}" -gt 10
check "which are in the kernel" bpftool prog show id "${programs[0]}"
kill -KILL "$first"
wait "$first" 2>/dev/null
check "nothing that it had loaded stays" wait_for 10 programs_gone "${programs[@]}"
is "$(head -n -1 "$first_json" | /usr/bin/python3 -c 'import json, sys
for line in sys.stdin: json.loads(line)' 2>&1)" "" "what it had written is JSON, line by line"
trace_start || skip_all "no trace"
pid=$(rc state "$id" | jq .pid)
rc start "$id"
wait_for 10 process_gone "$pid"
rc delete --force "$id"
sleep 0.3
trace_stop
judge "$TRACE" "$id" "$pid" <<'PYTHON'
c, pid = t.one(args[0]), int(args[1])
p.equal((c["existed"], c["pid"], c["state"]), (True, pid, "exited"), "the next tracer knows the container, and sees its end")
p.equal(c.exit.get("code"), 41, "with its exit code")
p.equal(c.disorder(), "", "times are in order")
made = {"mounts", "pivot", "namespaces"}
p.equal([ph["phase"] for ph in c["phases"] if ph["phase"] in made and ph["start_edge"] == "observed"], [],
        "it does not claim to have seen how it was made")
PYTHON

# Four tracers at once, of every sort.
serve_start || skip_all "no server"
files=()
for i in 1 2; do
	trace_start --no-serve || skip_all "no trace"
	pids[i]=$TRACE_PID files+=("$TRACE")
done
"$CTRACE" record --no-serve "$WORK/r.ctrace" 2>/dev/null &
recorder=$!
on_exit stop_process "$recorder" INT
wait_for 10 test -s "$WORK/r.ctrace"
trace_start || skip_all "no trace"
files+=("$TRACE")
rc run --bundle "$WORK/b" "all-$$"
is $? 41 "a container before four tracers"
sleep 1
for pid in "${pids[@]}" "$TRACE_PID" "$recorder"; do
	stop_process "$pid" INT
done
"$CTRACE" replay --json "$WORK/r.ctrace" >"$WORK/r.json"
for file in "${files[@]}" "$WORK/r.json"; do
	judge "$file" "all-$$" <<'PYTHON'
c = t.one(args[0])
p.equal((c["state"], c.exit.get("code"), c["lost"], c.missing_phases(tl.START_PHASES)), ("exited", 41, 0, []),
        "each of them has all of it")
PYTHON
done

# The server is killed: its socket and its lock are left, its readers end, its successor takes over.
trace_start || skip_all "no trace"
kill -KILL "$SERVE_PID"
wait "$SERVE_PID" 2>/dev/null
check "a reader ends with its server" wait_for 15 process_gone "$TRACE_PID"
wait "$TRACE_PID"
is $? 125 "with an error"
like "$(cat "$WORK/trace.err")" 'has ended' "that says why"
check "its socket lies there still" test -S "$CTRACE_RUN/trace.sock"
trace_start || skip_all "no trace"
like "$(metrics 2>&1 | tail -n 1)" 'refused' "a tracer without a server loads its own programs"
rc run --bundle "$WORK/b" "alone-$$"
sleep 0.3
trace_stop
judge "$TRACE" "alone-$$" <<'PYTHON'
p.start(t.one(args[0]), "beside a dead server's socket", code=41)
PYTHON
serve_start || { done_testing; exit; }
trace_start || skip_all "no trace"
rc run --bundle "$WORK/b" "again-$$"
sleep 1
trace_stop
judge "$TRACE" "again-$$" <<'PYTHON'
p.start(t.one(args[0]), "from the new server", code=41)
PYTHON
serve_stop
done_testing
