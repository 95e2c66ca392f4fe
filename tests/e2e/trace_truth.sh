#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# The timeline is true: what ctrace tells of a runc start agrees with `strace -f -ttt` of a like one:
# steps, order, arguments, values, errors.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc strace jq

JQ='.linux.resources.memory = {limit: 67108864, reservation: 33554432}
	| .linux.resources.cpu = {shares: 512, quota: 50000, period: 100000}
	| .linux.resources.pids = {limit: 50}' bundle "$WORK/b" sh -c 'exit 6'

# Both ids are equally long, and go into the paths that both traces show.
traced=truth-t-$$
straced=truth-s-$$

# strace first, alone: it stops every call, and must not slow what ctrace times.
strace -f -ttt -y -s 4096 -o "$WORK/strace" \
	-e trace=mount,umount2,pivot_root,unshare,setns,sethostname,chroot,capset,prctl,seccomp,write,execve \
	runc --root "$WORK/runc" run --bundle "$WORK/b" "$straced"
is $? 6 "runc under strace runs the bundle"

trace_start
rc run --bundle "$WORK/b" "$traced"
is $? 6 "runc under ctrace runs the bundle"
trace_stop

judge "$TRACE" "$WORK/strace" "$traced" "$straced" "$WORK" <<'EOF'
import re
import strace

strace_file, traced, straced, work = args
c = t.one(traced)
calls = [x for x in strace.read(strace_file) if x.result is not None]


def same(text):
    """Names that differ between the two runs by their nature."""
    if text is None:
        return None
    text = text.replace(straced, "ID").replace(traced, "ID")
    return re.sub(r"/runc\.[A-Za-z0-9]+", "/runc.XXXXXX", text)


def outcome(call):
    return call.error or 0


def step_outcome(step):
    return step.get("error") or 0


def mount_flags(step):
    return sorted(step["detail"].get("flags", []))


# Mounts: every one, in order.
want = []
for x in calls:
    if x.name == "mount":
        flags = x.flags(3)
        # The kernel ignores the type of these, and runc passes a pointer to nothing.
        quiet = {"MS_BIND", "MS_REMOUNT", "MS_SLAVE", "MS_PRIVATE", "MS_SHARED", "MS_MOVE"} & set(flags)
        want.append((same(x.string(0)), None if quiet else x.string(2), flags, outcome(x)))
got = []
for s in c.steps("mount"):
    d = s["detail"]
    quiet = {"MS_BIND", "MS_REMOUNT", "MS_SLAVE", "MS_PRIVATE", "MS_SHARED", "MS_MOVE"} & set(mount_flags(s))
    got.append((same(d.get("source") or ""), None if quiet else d.get("fstype"), mount_flags(s), step_outcome(s)))
p.equal([w[:1] + w[2:] for w in got], [w[:1] + w[2:] for w in want],
        "mounts: sources, flags, errors and order (%d)" % len(want))
p.equal([w[1] for w in got], [w[1] for w in want], "mounts: filesystem types")

want = [same(x.string(4)) for x in calls if x.name == "mount" and x.string(4)]
got = [same(s["detail"].get("data")) for s in c.steps("mount") if s["detail"].get("data")]
p.equal(got, want, "mounts: data")

# Targets that strace shows by name; the others are descriptors, which ctrace resolves.
want = [x for x in calls if x.name == "mount"]
pairs = list(zip(want, c.steps("mount")))
wrong = [(x.string(1), s["detail"].get("target")) for x, s in pairs
         if x.string(1).startswith("/") and not x.string(1).startswith("/proc/self/fd/")
         and same(x.string(1)) != same(s["detail"].get("target"))]
p.equal(wrong, [], "mounts: targets that have a name")
unresolved = [s["detail"].get("target") for x, s in pairs if x.string(1).startswith("/proc/self/fd/")
              and "/proc/self/fd/" in (s["detail"].get("target") or "/proc/self/fd/")]
p.equal(unresolved, [], "mounts: targets behind a descriptor are resolved")
targets = [s["detail"].get("target") or "" for x, s in pairs if x.string(1).startswith("/proc/self/fd/")]
expected = ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys"]
p.equal([x for x, y in zip(expected, targets) if not y.endswith(x)], [], "mounts: and in the right order")

want = [(x.flags(1), outcome(x)) for x in calls if x.name == "umount2"]
got = [(mount_flags(s), step_outcome(s)) for s in c.steps("umount")]
p.equal(got, want, "umounts")

# Namespaces.
want = [(x.flags(0), outcome(x)) for x in calls if x.name == "unshare"]
got = [(sorted(s["detail"]["flags"]), step_outcome(s)) for s in c.steps("unshare")]
p.equal(got, want, "unshare: flags")

for name, kind in (("pivot_root", "pivot_root"), ("sethostname", "sethostname"), ("capset", "capset")):
    p.equal([step_outcome(s) for s in c.steps(kind)], [outcome(x) for x in calls if x.name == name], kind)
want = [outcome(x) for x in calls if x.name == "prctl" and x.args[0] == "PR_SET_NO_NEW_PRIVS"]
p.equal([step_outcome(s) for s in c.steps("no_new_privs")], want, "no_new_privs")

# Cgroup writes: file, value, result, order. The pid that goes into cgroup.procs is its own each time.
want = []
for x in calls:
    path = x.path_of_fd(0) if x.name == "write" else None
    if path and path.startswith("/sys/fs/cgroup/"):
        name = path.rsplit("/", 1)[1]
        value = (x.string(1) or "").rstrip("\n")
        want.append((name, "PID" if name == "cgroup.procs" else value, outcome(x)))
got = []
for s in c.steps("cgroup_write"):
    name = s["detail"]["file"].rsplit("/", 1)[-1]
    value = (s["detail"].get("value") or "").rstrip("\n")
    got.append((name, "PID" if name == "cgroup.procs" else value, step_outcome(s)))
p.equal(got, want, "cgroup writes: files, values, results, order (%d)" % len(want))

# The order of everything that the container's first process does to itself.
init = [x for x in calls if x.name == "pivot_root"][0].pid
kinds = {"mount": "mount", "umount2": "umount", "pivot_root": "pivot_root", "sethostname": "sethostname",
         "capset": "capset"}
want = [kinds[x.name] for x in calls if x.pid == init and x.name in kinds]
got = [s["kind"] for s in c["steps"] if s["kind"] in kinds.values() and s.get("tid") == c["pid"]]
p.equal(got, want, "the order of init's own steps")

# Times: each call lasts as long as the kernel took, never more than the whole start.
slow = [s["kind"] for s in c["steps"] if s["start_ns"] and s["end_ns"]
        and s["kind"] != "run" and int(s["end_ns"]) - int(s["start_ns"]) > 5 * 10**9]
p.equal(slow, [], "no step lasts longer than the start")
p.start(c, "runc", code=6)
p.equal(t.lost(), 0, "no event was lost")
p.equal(c["runtime"], "runc", "the runtime's name")
EOF

# A start that fails: the failing call, its errno, and the clean-up are there.
JQ='.process.args = ["/no/such/program"]' bundle "$WORK/fails" true
trace_start
rc run --bundle "$WORK/fails" "fails-$$" >"$WORK/runc.err" 2>&1
code=$?
trace_stop
[ "$code" != 0 ] || not_ok "runc refuses a program that is not there"
JQ='.mounts += [{destination: "/x", type: "nosuchfs", source: "none"}]
	| .root.readonly = false' bundle "$WORK/badmount" true
first=$TRACE
trace_start
rc run --bundle "$WORK/badmount" "badmount-$$" >"$WORK/runc.err" 2>&1
code=$?
trace_stop
[ "$code" != 0 ] || not_ok "runc refuses an unknown filesystem"

judge "$TRACE" "badmount-$$" <<'EOF'
c = t.one(args[0])
failed = [s for s in c.steps("mount") if s["detail"].get("fstype") == "nosuchfs"]
p.equal([s.get("error") for s in failed][:1], ["ENODEV"], "a mount that fails carries its errno")
p.equal([s["result"] for s in failed][:1], [-19], "and its result")
p.check(c["state"] == "exited", "the start that failed is over", c["state"])
p.check("run" not in c.phases(), "and never ran", c.phases())
EOF
judge "$first" "fails-$$" <<'EOF'
c = t.one(args[0])
p.check(c["state"] == "exited", "a start without its program is over", c["state"])
p.check("run" not in c.phases(), "and never ran", c.phases())
EOF

done_testing
