#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# One tracer ends and the next begins while containers are being made: neither claims to have seen what it did not, both tell
# what they saw, and no container is told twice or with another's end.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"

# Held by a hook in the middle of `runc create`: its namespaces, cgroups and mounts are made; it has not pivoted.
hook='{path: "/bin/sh", args: ["sh", "-c", "echo >\"'$WORK'/reached\"; until [ -e \"'$WORK'/go\" ]; do sleep 0.05; done"]}'
JQ=".hooks = {createRuntime: [$hook]}" bundle "$WORK/held" sh -c 'sleep 0.3; exit 41'
id=held-$$
trace_start || skip_all "no trace"
first=$TRACE
rc run --bundle "$WORK/held" "$id" </dev/null >/dev/null 2>&1 &
container=$!
on_exit rc delete --force "$id"
on_exit touch "$WORK/go"
wait_for 15 test -e "$WORK/reached" || skip_all "runc does not run the hook"
sleep 0.2
trace_stop
is "$TRACE_CODE" 0 "the first tracer ends well in the middle of a start"
trace_start || skip_all "no trace"
second=$TRACE
touch "$WORK/go"
wait "$container"
is $? 41 "the container runs to its end"
sleep 0.3
trace_stop
is "$TRACE_CODE" 0 "the second tracer ends well"
judge "$first" "$id" <<'PYTHON'
c = t.one(args[0])
p.equal((c["state"], c["exit"], c["started_ns"], c["existed"]), ("created", None, None, False), "the first knows no more than that it was made")
p.contains(c.phases(), ["cgroup", "namespaces", "mounts", "hooks"], "and how far")
p.equal([ph for ph in c.phases() if ph in ("pivot", "exec", "run", "stop", "teardown")], [], "nothing of what came later")
p.equal([a["end_edge"] for a in c["actors"] if a["role"] in ("hook", "runtime") and a["end_ns"] is None], ["open"] * 3,
        "runc, its init and the hook are not said to have ended")
PYTHON
judge "$second" "$id" "$WORK/held" <<'PYTHON'
c = t.one(args[0])
p.equal((c["existed"], c["created_ns"], c["state"], c.exit.get("code")), (True, None, "exited", 41),
        "the second says that it was there before, and how it ended")
p.equal((c["runtime"], c["bundle"]), ("runc", args[1]), "by whom it is made")
p.contains(c.phases(), ["pivot", "harden", "exec", "run", "teardown"], "it saw the rest of the start")
p.equal([ph for ph in c.phases() if ph in ("request", "namespaces", "mounts", "cgroup", "hooks")], [], "and claims nothing of what was before")
run = [(ph["start_edge"], int(ph["duration_ns"] or 0)) for ph in c["phases"] if ph["phase"] == "run"]
p.check(len(run) == 1 and run[0][0] == "observed" and 250e6 < run[0][1] < 1500e6, "it ran for as long as its program did, not its init", run)
p.equal(c.disorder(), "", "times are in order")
PYTHON

# Starts without a pause, while one tracer after the other comes and goes.
for code in 61 62 63; do
	bundle "$WORK/b$code" sh -c "exit $code"
done
touch "$WORK/more"
# starts NAME: one after the other.
starts()
{
	local n=0

	while [ -e "$WORK/more" ]; do
		rc run --bundle "$WORK/b$((61 + n % 3))" "cut-$((61 + n % 3))-$1$n-$$" </dev/null >/dev/null 2>&1
		n=$((n + 1))
	done
}
starters=()
for name in a b c; do
	starts $name &
	starters+=($!)
done
on_exit wait "${starters[@]}"
on_exit rm -f "$WORK/more"
files=()
for pause in 0.3 0.1 0.5 0.2 0.4; do
	trace_start || skip_all "no trace"
	files+=("$TRACE")
	sleep $pause
	trace_stop
	is "$TRACE_CODE" 0 "a tracer that comes and goes ends well"
done
rm -f "$WORK/more"
wait "${starters[@]}"
for file in "${files[@]}"; do
	judge "$file" "$$" <<'PYTHON'
ours = [c for c in t.timelines if c.id.startswith("cut-") and c.id.endswith("-" + args[0])]
p.equal([c.id for c in ours if len(t.find(c.id)) > 1], [], "%d containers, none of them twice" % len(ours))
p.equal([(c.id, c.disorder()) for c in ours if c.disorder()], [], "times are in order")
p.equal([(c.id, c.exit.get("code")) for c in ours if c.exit.get("code") not in (None, int(c.id.split("-")[1]))], [], "no wrong end")
# One that has exited may have its teardown before it; one whose cgroups are gone has not.
whole = [c for c in ours if c["state"] == "exited" and not c["existed"] and not c["lost"] and not c["inferred_front"]]
missing = [(c.id, [ph for ph in c.missing_phases(tl.START_PHASES) if ph != "teardown" or all(g["removed"] for g in c["cgroups"])]) for c in whole]
p.equal([m for m in missing if m[1]], [], "none looks whole that is not")
p.equal([c.id for c in ours if not c["started_ns"] and not c["existed"] and "run" in c.phases()], [], "none runs that was not seen to start")
PYTHON
done

# A tracer that is stopped for a while in the middle of starts: each of them once, and with its own end, or what is missing is counted.
trace_start || skip_all "no trace"
kill -STOP "$TRACE_PID"
for n in 1 2 3 4 5 6 7 8; do
	rc run --bundle "$WORK/b$((61 + n % 3))" "cut-$((61 + n % 3))-stop$n-$$" </dev/null >/dev/null 2>&1
done
sleep 3
kill -CONT "$TRACE_PID"
rc run --bundle "$WORK/b62" "cut-62-cont-$$" </dev/null >/dev/null 2>&1
sleep 0.3
trace_stop
is "$TRACE_CODE" 0 "a tracer that was stopped for a while ends well"
judge "$TRACE" "$$" <<'PYTHON'
ours = [c for c in t.timelines if c.id.startswith("cut-") and c.id.endswith("-" + args[0])]
p.equal(len(ours), 9, "it tells of all that started meanwhile, each once")
p.equal([(c.id, c.exit.get("code")) for c in ours if c.exit.get("code") != int(c.id.split("-")[1]) and not t.lost()], [],
        "with their ends, unless something was lost")
p.equal([(c.id, c.disorder()) for c in ours if c.disorder()], [], "times are in order")
PYTHON

# A reader that has enough after the first line.
{
	timeout 60 "$CTRACE" trace --no-serve --json - 2>"$WORK/left.err"
	echo $? >"$WORK/left.code"
} | head -n 1 >"$WORK/left.json" &
wait_for 20 test -s "$WORK/left.json"
rc run --bundle "$WORK/b62" "left-$$" </dev/null >/dev/null 2>&1
check "a tracer whose reader has gone ends" wait_for 30 test -s "$WORK/left.code"
is "$(cat "$WORK/left.code") $(cat "$WORK/left.err")" "125 ctrace trace: cannot write the output: Broken pipe" "and says why"
done_testing
