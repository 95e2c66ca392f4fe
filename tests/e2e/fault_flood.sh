#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# alone
# timeout: 180
# A tracer that is stopped for seconds while containers start and one of them floods the rings: what did not fit is counted
# by kind and reason and marked at each container that it may concern, and what comes after is whole again.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve
need runc jq
stimulus=$CTRACE_OUTPUT/tests/stimulus
[ -x "$stimulus" ] || skip_all "the stimulus is not built"
busybox_image || skip_all "no busybox image"
cp "$stimulus" "$BUSYBOX_ROOT/bin/stimulus"
bundle "$WORK/flood" stimulus fork=600 exit=51
bundle "$WORK/short" sh -c 'exit 52'

# flood LABEL: what happens while nobody reads.
flood()
{
	rc run --bundle "$WORK/flood" "flood-$1-$$"
	is $? 51 "$1: a container that forks without end"
	for i in 1 2 3; do
		rc run --bundle "$WORK/short" "$1-$i-$$"
		is $? 52 "$1: a container beside it"
	done
}

record=$WORK/r.ctrace
"$CTRACE" record --always-armed --ring-size 128 "$record" 2>"$WORK/record.err" &
recorder=$!
on_exit stop_process "$recorder" INT
wait_for 20 test -s "$record"
sleep 0.5
kill -STOP "$recorder"
flood stopped
sleep 1
kill -CONT "$recorder"
sleep 1
for i in 1 2 3; do
	rc run --bundle "$WORK/short" "after-$i-$$"
	is $? 52 "a container when the tracer reads again"
done
sleep 0.5
kill -INT "$recorder"
check "the tracer ends" wait_for 30 process_gone "$recorder"
wait "$recorder"
is $? 0 "and well"
like "$(cat "$WORK/record.err")" 'some were lost' "it says that events were lost"
"$CTRACE" replay --json "$record" >"$WORK/r.json"
judge "$WORK/r.json" "$$" <<'PYTHON'
me = args[0]
reasons = {x["reason"] for x in t.summary["losses"]}
p.check("ring_full" in reasons, "what did not fit into the rings is counted", reasons)
p.equal(t.lost(), sum(x["count"] for x in t.summary["losses"]), "the sum is that of kinds and reasons")
ours = [c for c in t.timelines if c.id.endswith("-" + me)]
p.equal([(c.id, c.disorder()) for c in ours if c.disorder()], [], "times are in order")
codes = {c.id: c.exit.get("code") for c in ours if c["state"] == "exited"}
p.equal({i: code for i, code in codes.items() if code not in (None, 51 if i.startswith("flood") else 52)}, {}, "no wrong end")
p.equal([c.id for c in ours if c["state"] == "exited" and c.missing_phases(tl.START_PHASES) and not c["lost"]
         and not c["existed"]], [], "none that is not whole looks whole")
after = [t.one("after-%d-%s" % (i, me)) for i in (1, 2, 3)]
p.equal([(c["state"], c.exit.get("code"), c.missing_phases(tl.START_PHASES)) for c in after], [("exited", 52, [])] * 3,
        "what starts afterwards has all of it")
PYTHON
like "$("$CTRACE" show "$record" 2>&1)" '[0-9]+ .*lost|LOST' "show says it"

# The same to a server: its metrics count them.
serve_start --always-armed || { done_testing; exit; }
before=$(metrics | awk '/^ctrace_events_lost_total/ { n += $2 } END { print n + 0 }')
kill -STOP "$SERVE_PID"
for i in 1 2; do
	rc run --bundle "$WORK/flood" "served-$i-$$"
done
kill -CONT "$SERVE_PID"
check "a server that was stopped is alive" wait_for 10 metric ctrace_build_info
trace_start || skip_all "no trace"
rc run --bundle "$WORK/short" "served-after-$$"
sleep 1
trace_stop
judge "$TRACE" "served-after-$$" <<'PYTHON'
p.start(t.one(args[0]), "a server that was stopped serves again", code=52)
PYTHON
after=$(metrics | awk '/^ctrace_events_lost_total/ { n += $2 } END { print n + 0 }')
check "its counter of losses never falls ($before, then $after)" test "${after%.*}" -ge "${before%.*}"
serve_stop
is "$SERVE_CODE" 0 "it ends well"
done_testing
