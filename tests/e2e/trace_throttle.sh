#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# alone
# timeout: 180
# What CPU limits do to containers, against what cpu.stat says just before each one's cgroup is removed.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"
cp "$CTRACE_OUTPUT/tests/stimulus" "$BUSYBOX_ROOT/bin/stimulus" || skip_all "stimulus is not built"
CPU=$(cgroup_mount cpu || cgroup_mount '')
[ -e "$CPU/cpu.cfs_quota_us" ] || grep -qw cpu "$CPU/cgroup.controllers" || skip_all "no CPU controller here"

# quota US PERIOD COMMAND...: a bundle $WORK/b whose container has so many microseconds of every period.
quota()
{
	local JQ=".linux.resources.cpu = {quota: $1, period: $2}"

	shift 2
	bundle "$WORK/b" "$@"
}

stat_file()
{
	find "$CPU" -maxdepth 4 -path "*$1/cpu.stat" 2>/dev/null | grep .
}

# keep_stat ID: what cpu.stat says, for as long as the cgroup is there, in $WORK/stat-ID.
keep_stat()
{
	local path text

	wait_for 20 stat_file "$1" || return
	path=$(stat_file "$1")
	while text=$(cat "$path" 2>/dev/null) && [ -n "$text" ]; do
		echo "$text" >"$WORK/stat-$1"
		sleep 0.05
	done
}

# run ID: the bundle, while its cpu.stat is kept.
run()
{
	local code

	keep_stat "$1" &
	keeper=$!
	on_exit stop_process "$keeper"
	rc run --bundle "$WORK/b" "$1" >/dev/null
	code=$?
	wait "$keeper"
	return "$code"
}

# One that began before the hooks were attached and is being throttled.
quota 10000 100000 stimulus burn=60000
rc run --detach --bundle "$WORK/b" "old-$$" </dev/null >/dev/null 2>&1
on_exit rc delete --force "old-$$"
wait_for 10 grep -qE 'nr_throttled ([5-9]|[0-9]{2})' "$(stat_file "old-$$")"
cp "$(stat_file "old-$$")" "$WORK/old-before"
trace_start || skip_all "no trace"
cp "$(stat_file "old-$$")" "$WORK/old-begun"

# The counters stand still while it sleeps at the end.
quota 10000 100000 stimulus burn=100 sleep=700
run "busy-$$"
is $? 0 "one that is throttled for a second"
quota 10000 100000 stimulus burn=15 sleep=2800 burn=15 sleep=300
run "calm-$$"
is $? 0 "one with a calm between"
# A hook's work in the container's cgroup, before its program: what runc itself needs there may fit into one period.
quota 1000 20000 true
jq '.hooks.startContainer = [{path: "/bin/stimulus", args: ["stimulus", "burn=5"]}]' "$WORK/b/config.json" >"$WORK/hooked" &&
	mv "$WORK/hooked" "$WORK/b/config.json"
rc run --bundle "$WORK/b" "start-$$"
is $? 0 "one whose limit holds back its runtime"
quota 50000 100000 true
rc run --bundle "$WORK/b" "short-$$"
is $? 0 "one that does nothing"
bundle "$WORK/b" true
rc run --bundle "$WORK/b" "free-$$"
is $? 0 "one without a limit"

cp "$(stat_file "old-$$")" "$WORK/old-after"
rc delete --force "old-$$"

if docker_start; then
	mkdir "$WORK/tools"
	cp "$CTRACE_OUTPUT/tests/stimulus" "$WORK/tools/"
	(wait_for 30 test -s "$WORK/cid" && keep_stat "$(cat "$WORK/cid")") &
	keeper=$!
	dock run --rm --cpus 0.2 --cidfile "$WORK/cid" -v "$WORK/tools:/tools" busybox /tools/stimulus burn=150 sleep=700
	is $? 0 "docker run --cpus 0.2"
	wait "$keeper"
	mv "$WORK/stat-$(cat "$WORK/cid")" "$WORK/stat-docker"
else
	skip_point "docker run --cpus 0.2" "$ENGINE_WHY"
fi
sleep 0.5
trace_stop

judge "$TRACE" $$ "$WORK" "$(cat "$WORK/cid" 2>/dev/null)" <<'JUDGE'
import os

suffix, work, docker_id = args
MS = 1000000
KEYS = ("periods", "throttled", "throttled_ns")


def stat(path):
    """What the kernel says: periods, throttled ones, nanoseconds."""
    with open(os.path.join(work, path), encoding="utf-8") as f:
        values = dict(line.split() for line in f)
    ns = int(values["throttled_time"]) if "throttled_time" in values else 1000 * int(values["throttled_usec"])
    return dict(zip(KEYS, (int(values["nr_periods"]), int(values["nr_throttled"]), ns)))


def totals(c, what):
    known = p.check(c["throttling"], what + ": is known")
    return {key: int(c["throttling"][key]) for key in KEYS} if known else dict.fromkeys(KEYS, 0)


def marks(c):
    return [{key: int(value) for key, value in m["detail"].items()} | {"at_ns": int(m["at_ns"])}
            for m in c.marks("throttle")]


def total_of(some, key):
    return sum(m[key] for m in some)


def like_the_kernel(c, path, what):
    """The sums of the container, and of its marks, are the kernel's."""
    mine, kernel = totals(c, what), stat(path)
    p.equal((mine["throttled"], mine["throttled_ns"]), (kernel["throttled"], kernel["throttled_ns"]),
            what + ": throttled as the kernel says")
    # The timer of the periods runs on for a while, and its end begins one more.
    p.check(kernel["periods"] <= mine["periods"] <= kernel["periods"] + 3, what + ": of as many periods",
            "%d, the kernel says %d" % (mine["periods"], kernel["periods"]))
    p.equal((total_of(marks(c), "throttled"), total_of(marks(c), "throttled_ns")),
            (mine["throttled"], mine["throttled_ns"]), what + ": the marks add up to it")
    p.equal(c["lost"], 0, what + ": nothing was lost")


busy = t.one("busy-" + suffix)
like_the_kernel(busy, "stat-busy-" + suffix, "busy")
p.check(totals(busy, "busy")["throttled"] >= 3, "busy: in several of its periods", busy["throttling"])
run = [m for m in marks(busy) if m["until_ns"] > int(busy["started_ns"])]
p.check(run and max(m["until_ns"] for m in run) <= int(busy.exit["at_ns"]) + 20 * MS, "busy: while it ran", run)

calm = t.one("calm-" + suffix)
like_the_kernel(calm, "stat-calm-" + suffix, "calm")
begun = [m["at_ns"] - int(calm["started_ns"]) for m in marks(calm)]
p.check(any(at > 500 * MS for at in begun), "calm: what comes after it is a mark of its own", begun)

start = t.one("start-" + suffix)
before = [m for m in marks(start) if m["at_ns"] < int(start["started_ns"])]
p.check(total_of(before, "throttled") >= 2, "start: the runtime was throttled", marks(start))
p.check(before and before[0]["until_ns"] - before[0]["at_ns"] >= 40 * MS, "start: for periods on end", marks(start))

# runc removes its cgroup a few milliseconds after the limit was set: known, or counted as not.
short = t.one("short-" + suffix)["throttling"]
unread = sum(loss["count"] for loss in t.summary["losses"] if loss["reason"] == "unwatched")
p.check(bool(short) or unread, "short: is known, or counted as unwatched", t.summary["losses"])
p.check(not short or int(short["throttled"]) <= int(short["periods"]), "short: no more than there were periods", short)
p.equal(t.one("free-" + suffix)["throttling"], None, "free: nothing to tell")
p.equal(marks(t.one("free-" + suffix)), [], "free: no marks")

old = t.one("old-" + suffix)
mine, first, begun, last = totals(old, "old"), stat("old-before"), stat("old-begun"), stat("old-after")
p.check(last["throttled"] <= mine["throttled"] <= last["throttled"] + 3, "old: its total is the cgroup's",
        "%s, the kernel said %s" % (mine, last))
seen = total_of(marks(old), "throttled")
p.check(last["throttled"] - begun["throttled"] - 3 <= seen <= mine["throttled"] - first["throttled"],
        "old: its marks are what was seen", "%d, from %s or %s to %s" % (seen, first, begun, last))
p.equal(len(marks(old)), 1, "old: one mark, as it never ended")

if os.path.exists(os.path.join(work, "stat-docker")):
    c = t.one(docker_id)
    like_the_kernel(c, "stat-docker", "docker")
    p.check(totals(c, "docker")["throttled"] >= 1, "docker: in some of its periods", c["throttling"])
JUDGE

like "$(cat "$WORK/trace.out")" 'throttled [0-9]+ of [0-9]+ periods, [0-9.]+ .?s, by its limit of 0\.1 CPUs' "the picture tells it"
quota 10000 100000 stimulus burn=50 sleep=150
"$CTRACE" record "$WORK/recording" -- runc --root "$WORK/runc" run --bundle "$WORK/b" "rec-$$" >"$WORK/record.out" 2>&1
like "$("$CTRACE" show "$WORK/recording" "rec-$$" | head -n 6)" 'throttled [0-9]+ of [0-9]+ periods' "a recording holds it"
like "$("$CTRACE" doctor 2>&1)" 'CPU throttling.*cpu\.stat' "doctor names it"
done_testing
