#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# How containers die: exit codes, signals and who sent them, OOM kills with victim, survivor, cgroup, limit and use; and what
# pid 1 becomes before.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"
cp "$CTRACE_OUTPUT/tests/stimulus" "$BUSYBOX_ROOT/bin/stimulus" || skip_all "stimulus is not built"

limit='.linux.resources.memory = {limit: 33554432, swap: 33554432}'
killer=$$
trace_start || skip_all "no trace"

# pid 1 itself is the victim.
JQ=$limit bundle "$WORK/oom" stimulus eat=256
rc run --bundle "$WORK/oom" "oom-$$"
is $? 137 "runc: pid 1 is killed by the OOM killer"

# A child is the victim, pid 1 lives on and ends with its own code.
JQ=$limit bundle "$WORK/child" stimulus child-eat=256 exit=5
out=$(rc run --bundle "$WORK/child" "child-$$")
is $? 5 "runc: pid 1 survives its child's OOM kill"
like "$out" 'killed 9' "the child was killed"

# A signal from the host, whose sender is this shell.
bundle "$WORK/term" stimulus term-exit=33 sleep=60000
rc run --detach --bundle "$WORK/term" "term-$$" </dev/null >/dev/null 2>&1
on_exit rc delete --force "term-$$"
pid=$(rc state "term-$$" | jq .pid)
kill -TERM "$pid"
wait_for 10 process_gone "$pid"
bundle "$WORK/kill" sleep 60
rc run --detach --bundle "$WORK/kill" "kill-$$" </dev/null >/dev/null 2>&1
on_exit rc delete --force "kill-$$"
pid=$(rc state "kill-$$" | jq .pid)
kill -KILL "$pid"
wait_for 10 process_gone "$pid"
rc delete --force "term-$$"
rc delete --force "kill-$$"

# It kills itself by a fault.
bundle "$WORK/segv" stimulus segv
rc run --bundle "$WORK/segv" "segv-$$"
is $? 139 "runc: a segmentation fault"

# A limit of processes that its program runs into; runc's init needs some threads.
JQ='.linux.resources.pids = {limit: 16}' bundle "$WORK/pids" sh -c 'while :; do sleep 1 & done'
rc run --bundle "$WORK/pids" "pids-$$" 2>/dev/null
is $? 2 "runc: the shell cannot fork"

# An entrypoint script that makes way for the service.
bundle "$WORK/entry" sh -c 'sleep 0.02; exec stimulus exit=6'
rc run --bundle "$WORK/entry" "entry-$$"
is $? 6 "runc: the script's successor ends the container"
sleep 0.3
trace_stop

judge "$TRACE" $$ "$killer" <<'EOF'
suffix, killer = args[0], int(args[1])
c = t.one("oom-" + suffix)
p.equal((c.exit.get("code"), c.exit.get("signal"), c.exit.get("oom")), (137, 9, True), "OOM of pid 1: exit")
marks = c.marks("oom_kill")
if p.equal(len(marks), 1, "OOM of pid 1: one mark"):
    d = marks[0]["detail"]
    p.equal(d.get("victim_pid"), c["pid"], "the victim is init")
    p.equal(d.get("init_killed"), True, "and init did not survive")
    p.check("oom-" + suffix in str(d.get("limit_cgroup")), "the cgroup whose limit was hit", d)
    p.equal(str(d.get("limit_bytes")), "33554432", "its limit")
    use = int(d.get("usage_bytes") or 0)
    p.check(30 << 20 <= use <= 33554432, "its use at that moment", d)

c = t.one("child-" + suffix)
p.equal((c.exit.get("code"), c.exit.get("oom")), (5, False), "OOM of a child: init's own exit")
marks = c.marks("oom_kill")
if p.equal(len(marks), 1, "OOM of a child: one mark"):
    d = marks[0]["detail"]
    p.check(d.get("victim_pid") not in (None, c["pid"]), "the victim is not init", d)
    p.equal(d.get("init_killed"), False, "and init survived")
    p.check("child-" + suffix in str(d.get("limit_cgroup")), "the cgroup whose limit was hit", d)

c = t.one("term-" + suffix)
p.equal((c.exit.get("code"), c.exit.get("signal") or 0), (33, 0), "SIGTERM with a handler: init's own exit")
sent = [m for m in c.marks("signal") if m["detail"].get("signal") in ("SIGTERM", "TERM", 15)]
p.equal([m["detail"].get("sender_pid") for m in sent][:1], [killer], "SIGTERM has a mark with its sender")

c = t.one("kill-" + suffix)
p.equal((c.exit.get("code"), c.exit.get("signal"), c.exit.get("oom")), (137, 9, False), "SIGKILL: no OOM")
sender = c.exit.get("sender") or {}
p.equal((sender.get("pid"), sender.get("comm"), sender.get("container")), (killer, "bash", None),
        "the sender of a fatal signal: pid, name, and that it was the host")

c = t.one("segv-" + suffix)
p.equal((c.exit.get("code"), c.exit.get("signal")), (139, 11), "SIGSEGV")

c = t.one("pids-" + suffix)
refused = [m["detail"] for m in c.marks("fork_refused")]
p.equal([(d.get("count"), d.get("limit"), d.get("usage"), d.get("limit_of")) for d in refused], [("1", "16", "16", "container")],
        "a fork that the limit of processes refused")
p.equal(sum(len(other.marks("fork_refused")) for other in t.timelines), 1, "and no other container's")

c = t.one("entry-" + suffix)
later = [s for s in c.steps("exec") if s["phase"] == "run"]
p.equal([s["detail"].get("argv") for s in later], [["stimulus", "exit=6"]], "what pid 1 executed later is told")
p.equal([(c.actor_of(s) or {}).get("role") for s in later], ["init"], "as init's own step")
p.equal(t.lost(), 0, "no event was lost")
EOF

done_testing
