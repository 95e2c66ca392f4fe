# SPDX-License-Identifier: Apache-2.0
"""What a guest's files must show. Every function yields lines of TAP without numbers."""

import json
import os
import subprocess

CLONE_INTO_CGROUP = 0x200000000
CLONE_NEW_ANY = 0x7E020080
CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000

# Programs without which a kernel cannot be called supported: everything else rests on them.
NEEDED = ("ct_task_newtask", "ct_sched_process_exec", "ct_sched_process_exit", "ct_cgroup_mkdir",
          "ct_cgroup_rmdir", "ct_cgroup_attach", "ct_sys_enter", "ct_sys_exit")

NEEDED_HOOKS = ("tp_btf/task_newtask", "tp_btf/sched_process_exec", "tp_btf/sched_process_exit",
                "tp_btf/task_rename", "tp_btf/signal_generate", "tp_btf/mark_victim", "tp_btf/cgroup_mkdir",
                "tp_btf/cgroup_rmdir", "tp_btf/cgroup_attach_task", "tp_btf/sys_enter", "tp_btf/sys_exit",
                "tp_btf/sched_switch", "iter/task")


def point(good, text, why=""):
    if good:
        return "ok - " + text
    return "not ok - %s%s" % (text, " (%s)" % why if why else "")


def read_programs(path):
    """Rows of vm_programs: name, section, state, error, instructions, verified, reason."""
    with open(path, encoding="utf-8", errors="replace") as f:
        return [line.rstrip("\n").split("\t") for line in f if line.count("\t") >= 6]


def judge_programs(path, blind):
    """blind: libbpf 1.1, left to itself, has programs read user memory by a helper that this kernel refuses; ctrace
    prevents it, and doctor's hooks are judged instead (judge_hooks)."""
    rows = read_programs(path)
    for name, section, state, error, _, _, reason in rows:
        if state.startswith("refused"):
            yield "# %s (%s): %s, %s: %s" % (name, section, state, error, reason)
    taken = {row[0] for row in rows if not row[2].startswith("refused")}
    for name in NEEDED:
        if blind and name not in taken:
            yield "ok - %s loads # SKIP lockdown=confidentiality: judged by what doctor attaches" % name
            continue
        yield point(name in taken, "%s loads and attaches" % name)


def judge_hooks(path):
    """What doctor --json says of the hooks: without these a locked-down kernel cannot be called supported."""
    with open(path, encoding="utf-8") as f:
        facts = json.load(f)
    states = {hook["hook"]: hook["state"] for hook in facts.get("hooks", [])}
    yield point(facts.get("lockdown") == "confidentiality", "the kernel is locked down")
    for hook in NEEDED_HOOKS:
        yield point(states.get(hook) in ("attached", "armable", "fallback"), "%s is had" % hook,
                    "it is %s" % states.get(hook))


class Recording:
    """The events and timelines of a recording, as ctrace replay tells them."""

    def __init__(self, trace, path):
        done = subprocess.run([trace, "replay", "--json", "--events", path], capture_output=True,
                              text=True, errors="replace", check=False)
        self.status, self.complaint = done.returncode, done.stderr.strip()
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.header = next((line for line in lines if line["type"] == "header"), {})
        self.of_events = [line for line in lines if line["type"] == "event"]
        self.timelines = [line for line in lines if line["type"] == "timeline"]
        self.summary = next((line for line in lines if line["type"] == "summary"), None)

    def events(self, kind, **fields):
        """Events of a kind whose own fields or data have these values."""
        return [e for e in self.of_events if e["event"] == kind
                and all(e["data"].get(k, e.get(k)) == v for k, v in fields.items())]

    def calls(self, op):
        """(enter, result) of each call; an exit pairs with the last enter of its thread."""
        waiting, pairs = {}, []
        for e in self.of_events:
            if e["event"] == "syscall_enter":
                waiting[e["tid"]] = e
            elif e["event"] == "syscall_exit" and e["tid"] in waiting:
                enter = waiting.pop(e["tid"])
                if enter["data"]["op"] == op and e["data"]["op"] == op:
                    pairs.append((enter, int(e["data"]["result"])))
        return pairs


def namespace_flags(rec):
    """All CLONE_NEW* bits that the start asked for, by clone or by unshare."""
    flags = 0
    for e in rec.events("fork"):
        flags |= int(e["data"]["clone_flags"])
    for enter, result in rec.calls("unshare"):
        flags |= int(enter["data"]["args"][0]) if result == 0 else 0
    return flags & CLONE_NEW_ANY


def judge_cgroup_entry(rec, runtime, cgroup, ids):
    """How the container came into its cgroup. crun on v2 creates it there: no attach, no write. ctrace's
    own runtime does so too where it can."""
    into = [e for e in rec.events("fork") if int(e["data"]["clone_flags"]) & CLONE_INTO_CGROUP
            and e["data"]["child_cgroup_id"] in ids]
    attached = [e for e in rec.events("cgroup_attach") if e["data"]["id"] in ids]
    if runtime == "crun" and cgroup == "v2":
        yield point(into, "clone3(CLONE_INTO_CGROUP) is seen, and the child's cgroup with it")
        return
    yield point(attached or into and runtime == "ctrace", "the task that enters the cgroup is seen")


def judge_calls(rec):
    """Since 6.12 Debian's kernels have kprobe.multi, those for arm64 not before 6.14: then the calls have hooks of their own. The
    scheduler's hooks need 5.14."""
    hooks = {hook["hook"]: hook["state"] for hook in rec.header["hooks"]}
    release = tuple(int(part) for part in rec.header["kernel"].split("-")[0].split(".")[:2])
    own = hooks.get("kprobe.multi/syscalls") == "attached"
    enters, exits = rec.events("syscall_enter"), rec.events("syscall_exit")
    if release >= ((6, 14) if rec.header["machine"] == "aarch64" else (6, 12)):
        yield point(own, "the system calls have hooks of their own", str(hooks.get("kprobe.multi/syscalls")))
    yield point(enters and all(("fentry" in e["flags"]) == own for e in enters),
                "calls are seen by the hooks that doctor named")
    if release >= (5, 14):
        yield point([e for e in exits if "on_cpu_ns" in e["data"]], "calls tell how long they were on a CPU")


def judge_good(rec, name, runtime, cgroup):
    path = "/ctrace-" + name
    made = [e for e in rec.events("cgroup_mkdir") if e["data"]["path"].endswith(path)]
    ids = {e["data"]["id"] for e in made}
    limit = "memory.max" if cgroup == "v2" else "memory.limit_in_bytes"
    writes = [e for e in rec.events("cgroup_write", file=limit)
              if e["data"]["value"].strip() == "67108864" and e["data"]["path"].endswith(path)]
    mounts = rec.calls("mount") + rec.calls("fsmount") + rec.calls("move_mount")
    flags = namespace_flags(rec)

    yield point([e for e in rec.events("exec", role="runtime") if os.path.basename(e["data"]["argv"][0]) == runtime],
                "the runtime's exec is seen with its arguments")
    yield point(rec.events("fork", role="runtime"), "the runtime's forks are seen")
    yield point(flags & CLONE_NEWNS and flags & CLONE_NEWPID, "the new namespaces are seen",
                "flags %#x" % flags)
    yield point(made, "cgroup mkdir is seen with its path")
    yield point(writes, "the write of %s is seen with its value" % limit,
                "%d writes seen" % len(rec.events("cgroup_write")))
    yield from judge_cgroup_entry(rec, runtime, cgroup, ids)
    yield point(sum(result >= 0 for _, result in mounts) >= 5, "the mounts are seen",
                "%d seen" % len(mounts))
    yield point([1 for enter, result in rec.calls("mount") if enter["data"].get("c") == "proc" and result == 0]
                or rec.calls("fsmount"), "the mount of proc is seen with its type and result")
    yield point([1 for _, result in rec.calls("pivot_root") if result == 0], "pivot_root is seen")
    yield point([e for e in rec.of_events if e["event"] == "exec" and e["ns_pid"] == 1
                 and e["data"]["filename"] == "/bin/sh"], "the exec of the container's program is seen")
    yield point([e for e in rec.events("exit") if e["ns_pid"] == 1 and e["data"]["exit_code"] == 7 << 8],
                "the exit of the container is seen with its code")
    yield point([e for e in rec.events("cgroup_rmdir") if e["data"]["id"] in ids], "cgroup rmdir is seen")
    yield from judge_calls(rec)
    yield from judge_timeline(rec, name)


def judge_timeline(rec, name):
    last = [t for t in rec.timelines if name in t["id"]][-1:]
    yield point(last, "the timeline knows the container by its id",
                "it knows " + ", ".join(sorted({t["id"] for t in rec.timelines})))
    if last:
        code = (last[0].get("exit") or {}).get("code")
        yield point(last[0]["state"] == "exited" and code == 7, "its timeline ends with the exit code",
                    "state %s, code %s" % (last[0]["state"], code))


def judge_bad(rec):
    failed = [enter for enter, result in rec.calls("mount") + rec.calls("fsopen") if result == -19]
    names = {field for enter in failed for field in (enter["data"].get("a"), enter["data"].get("c"))}
    yield point("ctrace-nosuchfs" in names, "the mount that fails is seen with ENODEV",
                "%d calls failed with it" % len(failed))


def judge_program32(rec):
    yield point([e for e in rec.events("exec") if e["data"]["filename"] == "/run/program32/runc"], "the program's exec is seen")
    mistaken = [e["data"] for e in rec.events("syscall_enter", op="unshare")]
    yield point(not mistaken, "its call is not taken for the one that has this number in 64-bit programs", json.dumps(mistaken)[:300])


def judge_sendfile(rec):
    writes = [e for e in rec.events("cgroup_write", file="pids.max") if e["data"]["value"].strip() == "77"]
    yield point(writes, "a cgroup write by sendfile is seen")
    yield point([e for e in writes if "fentry" in e["flags"]], "it is seen by the hook on cgroup_file_write")


def judge_oom(rec):
    made = {e["data"]["id"] for e in rec.events("cgroup_mkdir")
            if e["data"]["path"].endswith("/ctrace-runc-oom")}
    victims = rec.events("oom_victim")
    yield point(victims, "the OOM kill is seen")
    yield point([e for e in victims if e["data"]["limit_id"] in made],
                "the cgroup whose limit was hit is named", json.dumps([e["data"] for e in victims])[:400])
    limits = [level["limit_pages"] for e in victims for level in e["data"]["chain"] if level["id"] in made]
    yield point(limits and all(int(limit) == 67108864 // 4096 for limit in limits),
                "its limit is told in pages", str(limits))


def judge_pids(rec):
    last = [t for t in rec.timelines if "runc-pids" in t["id"]][-1:]
    marks = [m["detail"] for t in last for m in t["marks"] if m["kind"] == "fork_refused"]
    told = [(m["count"], m.get("limit"), m.get("limit_of")) for m in marks]
    yield point(told == [("1", "16", "container")], "the fork that the limit of processes refused is told", json.dumps(marks)[:300])


def judge_throttle(rec, path):
    """Totals and marks of the container, against what cpu.stat said before its cgroup was removed: its last reading was made
    up to 0.1 s before that, and later on a busy machine. So is ours: where all is so slow that it is throttled to its end, that
    is a period or two of a hundred."""
    def as_kernel(told, kernel_says):
        return kernel_says * 0.95 <= told <= kernel_says * 1.1

    with open(os.path.join(os.path.dirname(path), "throttle.stat"), encoding="utf-8") as f:
        kernel = dict(line.split() for line in f)
    last = [t for t in rec.timelines if "runc-throttle" in t["id"]][-1:]
    mine = last[0]["throttling"] if last else None
    marks = [m["detail"] for m in last[0]["marks"] if m["kind"] == "throttle"] if last else []
    yield point(int(kernel["nr_throttled"]) >= 5, "the limit throttles it", str(kernel))
    yield point(mine and as_kernel(int(mine["throttled"]), int(kernel["nr_throttled"])), "as often as the kernel says",
                "%s, the kernel says %s" % (mine, kernel["nr_throttled"]))
    ns = int(kernel.get("throttled_time", 0)) or 1000 * int(kernel.get("throttled_usec", 0))
    yield point(mine and as_kernel(int(mine["throttled_ns"]), ns), "for as long as the kernel says",
                "%s, the kernel says %d" % (mine, ns))
    yield point(mine and sum(int(m["throttled"]) for m in marks) == int(mine["throttled"]), "the marks add up to it",
                json.dumps(marks)[:300])


def span_ns(container):
    return int(container["last_ns"]) - int(container["first_ns"])


def is_in_order(container):
    """No step, phase or life ends before it begins."""
    return all(int(s["start_ns"]) <= int(s["end_ns"]) for s in container["steps"] + container["phases"]) and span_ns(container) >= 0


def last_of(rec, name):
    return [t for t in rec.timelines if t["id"] == name][-1:]


def judge_clock(rec):
    """Times are of the boot clock: hours that the wall clock was set by are in none of them."""
    spans = []
    for name in ("runc-clock-forth", "runc-clock-back", "runc-clock-restless"):
        last = last_of(rec, name)
        yield point(last and last[0]["state"] == "exited" and last[0]["exit"].get("code") == 7, "%s ends with its exit code" % name)
        spans += last
    yield point(len(spans) == 3 and all(is_in_order(t) for t in spans), "nothing ends before it begins")
    yield point(all(span_ns(t) < 120e9 for t in spans), "an hour that the wall clock was set by is no part of a container's",
                str([span_ns(t) for t in spans]))
    begins = [int(t["first_ns"]) for t in spans]
    yield point(begins == sorted(begins), "they are in the order in which they began", str(begins))


def judge_suspend(rec, path):
    """The time that the machine slept is part of what ran meanwhile, and of nothing else."""
    with open(os.path.join(os.path.dirname(path), "slept"), encoding="utf-8") as f:
        slept = int(f.read()) * 10**9
    meanwhile, after = last_of(rec, "runc-suspend"), last_of(rec, "runc-suspend-after")
    ends = [t["state"] == "exited" and t["exit"].get("code") == 7 and is_in_order(t) for t in meanwhile + after]
    yield point(ends == [True, True], "both containers end with their exit code, in order", str(ends))
    if len(ends) == 2:
        ran = int(meanwhile[0]["exit"]["at_ns"]) - int(meanwhile[0]["started_ns"])
        yield point(slept - 2e9 <= ran <= slept + 60e9, "who ran meanwhile ran as long as the machine slept",
                    "%d of %d ns" % (ran, slept))
        yield point(int(after[0]["first_ns"]) >= int(meanwhile[0]["exit"]["at_ns"]) - 60e9, "what comes afterwards is later")


def judge_recording(trace, path, cgroup):
    """RUNTIME.ctrace, RUNTIME-bad.ctrace or RUNTIME-KIND.ctrace, in a guest with this cgroup version."""
    name = os.path.basename(path)[:-len(".ctrace")]
    runtime, _, kind = name.partition("-")
    rec = Recording(trace, path)
    # an emulated processor may be held for longer than events are waited for: that one came late says nothing of the hooks
    lost = [loss for loss in (rec.summary or {}).get("losses", []) if loss["reason"] != "late"]
    checks = [point(rec.status == 0 and rec.summary, "the recording can be replayed here", rec.complaint),
              point(not lost, "nothing was lost", json.dumps(lost))]
    if name == "sendfile":
        checks += judge_sendfile(rec)
    elif name == "program32":
        checks += judge_program32(rec)
    elif kind == "bad":
        checks += judge_bad(rec)
    elif kind == "oom":
        checks += judge_oom(rec)
    elif kind == "pids":
        checks += judge_pids(rec)
    elif kind == "clock":
        checks += judge_clock(rec)
    elif kind == "suspend":
        checks += judge_suspend(rec, path)
    elif kind == "throttle":
        checks += judge_throttle(rec, path)
    else:
        checks += judge_good(rec, name, runtime, cgroup)
    for line in checks:
        yield line.replace(" - ", " - %s: " % name, 1)
