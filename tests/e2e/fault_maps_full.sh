#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# The kernel side's tables of processes and of calls in progress are full: what could not be followed is counted under its
# name and marked, containers that were followed are told as they were.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"

bundle "$WORK/many" sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 2 & done; exit 31'
bundle "$WORK/few" sh -c 'exit 32'

# The kernel adds one for each CPU. Others on this machine may take places, too; nothing here depends on how many.
export CTRACE_MAP_ENTRIES=1
trace_start --always-armed || skip_all "no trace"
rc run --bundle "$WORK/many" "many-$$"
is $? 31 "a container of more processes than the table has places"
for i in 1 2 3; do
	rc run --bundle "$WORK/few" "few-$i-$$"
	is $? 32 "a container beside it"
done
sleep 0.3
trace_stop
unset CTRACE_MAP_ENTRIES
is "$TRACE_CODE" 0 "the tracer ends well"

judge "$TRACE" "$WORK" "many-$$" <<'PYTHON'
work, many = args
losses = {x["reason"]: x["count"] for x in t.summary["losses"]}
p.check(losses.get("role_full", 0) > 0, "processes that found no place are counted", losses)
p.check(t.lost() >= losses.get("role_full", 0), "and in the sum")
ours = [c for c in t.timelines if work in str(c["bundle"]) or c.id == many or c.id.startswith("few-")]
p.equal([(c.id, c.disorder()) for c in ours if c.disorder()], [], "times are in order")
p.equal([c.id for c in ours if c["state"] == "exited" and c.exit.get("code") not in (31, 32, None)], [], "no wrong end")
whole = lambda c: c["state"] == "exited" and not c.missing_phases(tl.START_PHASES)
p.equal([c.id for c in ours if not whole(c) and not c["lost"]], [], "what is not whole says that something was lost")
PYTHON
like "$(cat "$WORK/trace.out" "$WORK/trace.err")" 'LOST [0-9]+' "the text says so, too"

trace_start || skip_all "no trace"
rc run --bundle "$WORK/few" "after-$$"
is $? 32 "a container, with tables as they are"
sleep 0.3
trace_stop
judge "$TRACE" "after-$$" <<'PYTHON'
c = t.one(args[0])
p.start(c, "afterwards", code=32)
PYTHON
done_testing
