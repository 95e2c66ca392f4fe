#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# Many runc containers, 8 at a time: every one present, with its id, its exit code, all its phases; nothing
# lost, no ghost. 80 of them; FULL=1 runs 1,000.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq

count=80
[ -z "${FULL-}" ] || count=1000
prefix=many-$$
trace_start || skip_all "no trace"
start=$(date +%s%N)
runc_storm "$count" "$prefix" >"$WORK/failed"
diag "$count starts in $((($(date +%s%N) - start) / 1000000)) ms"
is "$(cat "$WORK/failed")" "" "every runc run ends with 0"
trace_stop

judge "$TRACE" "$prefix" "$count" "$WORK" "${LEAKS-}" <<'EOF'
prefix, count, work, shared = args[0], int(args[1]), args[2], args[3] == "warn"
wanted = {"%s-%d" % (prefix, i) for i in range(count)}
have = {c.id: c for c in t.timelines}
missing = sorted(wanted - set(have))
p.equal(missing[:10], [], "every container is present (%d)" % count)
p.equal(len([c for c in t.timelines if c.id in wanted]), count, "each of them once")
ours = [have[i] for i in wanted & set(have)]
p.equal([(c.id, c.exit.get("code")) for c in ours if c.exit.get("code") != 0][:10], [], "right exit codes")
p.equal([(c.id, c.missing_phases(tl.START_PHASES)) for c in ours if c.missing_phases(tl.START_PHASES)][:10], [],
        "all phases")
p.equal([(c.id, c.disorder()) for c in ours if c.disorder()][:10], [], "times are in order")
p.equal([(c.id, c["state"]) for c in ours if c["state"] != "exited"][:10], [], "every one ended")
p.equal([(c.id, len(c.actors("init"))) for c in ours if len(c.actors("init")) != 1][:10], [], "one init each")
pids = [(c["pid"], c["started_ns"]) for c in ours]
p.equal(len(set(pids)), len(pids), "no init is shared")
ghosts = [c.id for c in t.timelines if c.id not in wanted and not c["existed"]
          and (not shared or work in str(c["bundle"]))]
p.equal(ghosts[:10], [], "no container that nobody made")
p.equal(t.lost(), 0, "no event was lost")
inferred = sum(c.data.get("inferred_front", 0) for c in ours)
p.equal(inferred, 0, "no step was missed by arming")
EOF

done_testing
