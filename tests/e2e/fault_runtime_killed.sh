#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# runc killed at every moment of a start: each timeline tells what became of it, and the tables keep nothing.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq bpftool
busybox_image || skip_all "no busybox image"
bundle "$WORK/b" sh -c 'exit 41'

# Whatever is left of them, inits that wait included.
remove_all()
{
	rc list -q | xargs -r -n 1 runc --root "$WORK/runc" delete --force
	find /sys/fs/cgroup -depth -type d -name "killed-?-$$" -exec rmdir {} \;
}

trace_start || skip_all "no trace"
on_exit remove_all
codes=()
for ((n = 0; n < 8; n++)); do
	verb=run
	[ $((n % 2)) = 0 ] || verb=create
	setsid runc --root "$WORK/runc" $verb --bundle "$WORK/b" "killed-$n-$$" </dev/null >/dev/null 2>&1 &
	starter=$!
	sleep "0.$(printf %03d $((n * 25)))"
	kill -KILL "$starter" 2>/dev/null
	wait "$starter" 2>/dev/null
	codes+=("$verb:$?")
done
sleep 0.5
trace_forgets "a runtime that was killed leaves nothing in the tables"
# The same id again.
rm -rf "$WORK/runc/killed-2-$$"
rc run --bundle "$WORK/b" "killed-2-$$" </dev/null
is $? 41 "the id of one that was killed is used again"
sleep 0.5
trace_stop
is "$TRACE_CODE" 0 "the tracer ends well"
judge "$TRACE" "$$" "${codes[@]}" <<'PYTHON'
import os
ours = [c for c in t.timelines if c.id.startswith("killed-") and c.id.endswith("-" + args[0])]
p.equal([(c.id, c["pid"]) for c in ours if c["state"] == "created" and not os.path.exists("/proc/%s" % c["pid"])], [],
        "%d timelines: none waits for its start that has no init" % len(ours))
p.equal([(c.id, c["state"]) for c in ours if c["state"] not in ("created", "exited")], [], "and none goes on")
p.equal([(c.id, c.exit) for c in ours if c.exit and not c["started_ns"]], [], "what never ran has no exit code")
p.equal([(c.id, c.exit.get("code")) for c in ours if c["started_ns"] and c.exit.get("code") not in (41, 137)], [], "what ran has its own")
p.equal([c.id for c in ours if c.disorder()], [], "times are in order")
told = dict(zip(("killed-%d-%s" % (n, args[0]) for n in range(8)), (a.split(":") for a in args[1:])))
p.equal([i for i, (verb, code) in told.items() if verb == "run" and code == "41" and t.find(i)[0].exit.get("code") != 41], [],
        "who was not killed in time ended as it says")
again = t.find("killed-2-" + args[0])
p.equal(([c["generation"] for c in again], again[-1].exit.get("code"), again[-1].missing_phases(tl.START_PHASES)), ([0, 1], 41, []),
        "the id's second use is a whole timeline of its own")
p.equal(t.lost(), 0, "no event was lost")
PYTHON
done_testing
