#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# alone
# timeout: 120
# How long actors ran and how long they waited for a CPU, against what the kernel itself counts.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"
cp "$CTRACE_OUTPUT/tests/stimulus" "$BUSYBOX_ROOT/bin/stimulus" || skip_all "stimulus is not built"

# One that began before the hooks were attached, and ends with them.
bundle "$WORK/old" sleep 60
rc run --detach --bundle "$WORK/old" "old-$$" </dev/null >/dev/null 2>&1
on_exit rc delete --force "old-$$"
trace_start || skip_all "no trace"

JQ=".hooks = {prestart: [{path: \"$BUSYBOX_ROOT/bin/stimulus\", args: [\"stimulus\", \"burn=60\"]}]}" \
	bundle "$WORK/burn" stimulus burn=150 usage
burn=$(rc run --bundle "$WORK/burn" "burn-$$")
is $? 0 "one that uses 150 ms"
bundle "$WORK/sleep" stimulus sleep=300 usage
sleep=$(rc run --bundle "$WORK/sleep" "sleep-$$")
is $? 0 "one that sleeps 300 ms"

# Two on one CPU: either waits while the other runs.
JQ='.linux.resources.cpu = {cpus: "0"}' bundle "$WORK/one" stimulus burn=400 usage
rc run --bundle "$WORK/one" "left-$$" >"$WORK/left" &
left=$!
rc run --bundle "$WORK/one" "right-$$" >"$WORK/right"
is $? 0 "two on one CPU: one"
wait "$left"
is $? 0 "two on one CPU: the other"
rc delete --force "old-$$"
sleep 0.3
trace_stop

judge "$TRACE" $$ "$burn" "$sleep" "$(cat "$WORK/left")" "$(cat "$WORK/right")" <<'JUDGE'
suffix = args[0]
MS = 1000000


def usage(text):
    """What the program said of itself: CPU, queue."""
    return [int(x) for x in text.split()[-2:]]


def figures(actors):
    return [sum(int(a[key]) for a in actors) for key in ("on_cpu_ns", "run_queue_ns")]


def whole(c):
    """Init and the runtime's stage that it was before: one process to the kernel."""
    own = [a for a in c["actors"] if a["pid"] == c["pid"]]
    p.equal(sorted(a["role"] for a in own), ["init", "runtime"], c.id + ": a stage of the runtime, then init")
    return own if p.check(all(a["on_cpu_ns"] for a in own), c.id + ": both have figures", own) else []


def near(value, kernel, what, slack=5):
    p.check(kernel * 0.9 - slack * MS <= value <= kernel * 1.1 + slack * MS, what,
            "%.1f ms, the kernel says %.1f ms" % (value / MS, kernel / MS))


# 150 ms of burning: what a thread has used since the last tick, the kernel has not counted yet when it is asked.
for name, said, least, most in (("burn", args[1], 145, 190), ("sleep", args[2], 0, 30)):
    c = t.one(name + "-" + suffix)
    cpu, _ = usage(said)
    own = whole(c)
    if own:
        near(figures(own)[0], cpu, name + ": CPU time as the kernel counts it")
        mine = int(c.actors("init")[0]["on_cpu_ns"]) / MS
        p.check(least <= mine <= most, name + ": init's own part", mine)

c = t.one("burn-" + suffix)
hooks = c.actors("hook")
if p.equal(len(hooks), 1, "a hook"):
    mine = int(hooks[0]["on_cpu_ns"] or 0) / MS
    p.check(60 <= mine <= 90, "its CPU time", mine)

for name, said in (("left", args[3]), ("right", args[4])):
    c = t.one(name + "-" + suffix)
    cpu, queue = usage(said)
    own = whole(c)
    if own:
        near(figures(own)[0], cpu, name + ": CPU time")
        # The kernel's figure is the main thread's; a stage of runc has others that wait, too.
        near(figures(own)[1], queue, name + ": time in the queue", max(25, 0.3 * queue / MS))
        p.check(int(c.actors("init")[0]["run_queue_ns"]) > 80 * MS, name + ": it waited for the other",
                c.actors("init")[0]["run_queue_ns"])

c = t.one("old-" + suffix)
p.equal([a["on_cpu_ns"] for a in c.actors("init")], [None], "not known of one that began before")
JUDGE

like "$("$CTRACE" doctor 2>&1)" 'on demand +time on a CPU, in its queue, blocked +tp_btf/sched_switch' "doctor names the hook"
done_testing
