#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds a timeline against `strace -f -ttt -y` of a like run.

Usage: truth.py [--concurrent] [--same A=B]... TIMELINE STRACE

Both are put into the same words, one per call: kind, arguments, value, errno. Per kind the two lists must be the
same, in order; with --concurrent (an engine's processes work side by side) the same but for the order, and in
order within the process that becomes the container's first. Prints a line per kind, and each difference. Names that
differ by their nature (pids, descriptors, random parts of paths) are replaced in both; --same A=B makes A of the
timeline and B of strace one.
"""

import argparse
import collections
import difflib
import json
import re
import signal

import strace

TYPELESS = {"MS_BIND", "MS_REMOUNT", "MS_SLAVE", "MS_PRIVATE", "MS_SHARED", "MS_MOVE"}
# How strace 6.1 shows the field MOUNT_ATTR__ATIME, all bits set.
ATIME = "MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x40"
# Flags of clone that say nothing of isolation, and that ctrace leaves to the kernel's own record.
CLONE_QUIET = {"CLONE_CHILD_CLEARTID", "CLONE_CHILD_SETTID", "CLONE_PARENT_SETTID", "SIGCHLD"}


class Words:
    """What differs between two runs by its nature, replaced."""

    def __init__(self, same):
        self.same = same

    def clean(self, text):
        if text is None:
            return ""
        for i, (a, b) in enumerate(self.same):
            for name in sorted((a, b), key=len, reverse=True):
                text = text.replace(name, "<%d>" % i)
        text = re.sub(r"/proc/(self|thread-self|\d+)/", "/proc/self/", text)
        text = re.sub(r"/proc/self/(task/\d+/)?fd/\d+", "/proc/self/fd/N", text)
        text = re.sub(r"/fd/\d+", "/fd/N", text)
        text = re.sub(r"[0-9a-f]{64}(-init)?", r"<hash>\1", text)
        text = re.sub(r"overlay2/l/[A-Z0-9]{26}", "overlay2/l/<link>", text)
        text = re.sub(r"/netns/[0-9a-f]{12}", "/netns/<id>", text)
        text = re.sub(r"(runc|runc-process|moby|ctrace|containerd-mount)[.-]?[A-Za-z]*\d{4,}", r"\1<random>", text)
        text = re.sub(r"/(c?run[c]?)\.[A-Za-z0-9]{6}", r"/\1.<random>", text)
        text = re.sub(r"\b[0-9a-f]{12}\b", "<id>", text)
        return text


def flags_of(text):
    text = re.sub(r"/\*.*?\*/", "", text).strip()
    return [] if text in ("0", "") else sorted(f.strip() for f in text.split("|"))


def mount_word(words, source, fstype, flags, data, target, outcome):
    quiet = TYPELESS & set(flags)
    # A descriptor's path is resolved by ctrace and not by strace.
    return (words.clean(source), "" if quiet else fstype or "", " ".join(sorted(flags)),
            words.clean(data), words.clean(target), outcome)


# strace's side: name of the call -> (kind, word), or None for what is not compared.

def of_mount(x, w):
    target = x.string(1) or ""
    if "/fd/" in target or target == ".":
        target = ""
    return "mount", mount_word(w, x.string(0), x.string(2), x.flags(3), x.string(4), target, x.error or 0)


def of_umount(x, w):
    target = x.string(0) or ""
    return "umount", ("" if "/fd/" in target or target == "." else w.clean(target), " ".join(x.flags(1)), x.error or 0)


def of_new_mount(x, w):
    n, e = x.name, x.error or 0
    if n == "fsopen":
        return "mount:fsopen", (x.string(0), e)
    if n == "fsconfig":
        # Where strace names no string, the value is a number or nothing.
        return "mount:fsconfig", (x.args[1], x.string(2) or "", w.clean(x.string(3)), e)
    if n == "fsmount":
        return "mount:fsmount", (" ".join(flags_of(x.args[2])), e)
    if n == "mount_setattr":
        found = {k: flags_of(v.replace(ATIME, "MOUNT_ATTR__ATIME")) for k, v in re.findall(r"(\w+)=([\w|]+)", x.args[3])}
        return "mount:mount_setattr", (" ".join(found.get("attr_set", [])), " ".join(found.get("attr_clr", [])),
                                       " ".join(found.get("propagation", [])), e)
    return "mount:" + n, (e,)


def of_clone(x, w):
    found = re.search(r"flags=([\w|]+)", " ".join(x.args))
    flags = set(flags_of(found.group(1))) if found else set()
    if "CLONE_THREAD" in flags or not flags - CLONE_QUIET:
        return None
    return "clone", (" ".join(sorted(flags - CLONE_QUIET)), x.error or 0)


def of_setns(x, w):
    return "setns", (" ".join(flags_of(x.args[1])), x.error or 0)


def of_prctl(x, w):
    if x.args[0] == "PR_SET_NO_NEW_PRIVS":
        return "no_new_privs", (x.error or 0,)
    if x.args[0] == "PR_SET_SECCOMP" and not x.error:
        return "seccomp", ("prctl", "filter")
    return None


def of_seccomp(x, w):
    if x.args[0] != "SECCOMP_SET_MODE_FILTER" or x.error or x.args[2] == "NULL":
        return None
    return "seccomp", ("seccomp", "filter")


def of_capset(x, w):
    sets = re.findall(r"(effective|permitted|inheritable)=([^,}]+)", " ".join(x.args[1:]))
    masks = [re.findall(r"1<<(CAP_\w+)", text) for _, text in sets]
    return "capset", tuple(" ".join(sorted(m)) for m in masks) + (x.error or 0,)


def written(name, value):
    """What goes into a cgroup file, where that is the same each time."""
    if name in ("cgroup.procs", "tasks") and value != "0":
        return "PID"
    return re.sub(r"\d+", "FD", value) if name == "cgroup.event_control" else value


def of_write(x, w):
    path = x.path_of_fd(0)
    if not path or not path.startswith("/sys/fs/cgroup/"):
        return None
    name = path.rsplit("/", 1)[1]
    value = (x.string(1) or "").rstrip("\n")
    return "cgroup_write", (name, written(name, value), x.error or 0)


def of_kill(x, w):
    names = [a for a in x.args if a.startswith("SIG")]
    # Go's runtime interrupts its own threads.
    return ("signal", (names[0], x.error or 0)) if names and names[0] != "SIGURG" else None


def of_exec(x, w):
    if x.error:
        return None
    return "exec", (w.clean(re.sub(r'^\["|"\]$', "", x.args[1 if x.name == "execve" else 2])
                            .replace('", "', " ").replace('\\"', '"')),)


def of_mkdir(x, w):
    # A bundle's root has such a directory, too.
    if x.error or not re.search(r'(^|\d<|\s)"?/sys/fs/cgroup/', " ".join(x.args[:2])):
        return None
    rmdir = x.name == "rmdir" or "AT_REMOVEDIR" in x.args[-1]
    if x.name == "unlinkat" and not rmdir:
        return None
    return "cgroup_rmdir" if rmdir else "cgroup_mkdir", ()


def of_mknod(x, w):
    numbers = re.findall(r"makedev\((\w+), (\w+)\)", " ".join(x.args))
    path = x.string(0 if x.name == "mknod" else 1) or ""
    if "S_IFREG" in " ".join(x.args):
        return None
    return "mknod", (path.rsplit("/", 1)[-1],) + tuple(int(v, 0) for v in (numbers[0] if numbers else ())) + (
        x.error or 0,)


def of_id(x, w):
    kind = {"setresuid": "setuid", "setresgid": "setgid"}.get(x.name, x.name)
    return kind, (int(x.args[0]), x.error or 0)


STRACE = {
    "mount": of_mount, "umount2": of_umount, "clone": of_clone, "clone3": of_clone, "setns": of_setns,
    "unshare": lambda x, w: ("unshare", (" ".join(x.flags(0)), x.error or 0)),
    "pivot_root": lambda x, w: ("pivot_root", (w.clean(x.string(0)), w.clean(x.string(1)), x.error or 0)),
    "chroot": lambda x, w: ("chroot", (w.clean(x.string(0)), x.error or 0)),
    "sethostname": lambda x, w: ("sethostname", (w.clean(x.string(0)), x.error or 0)),
    "setgroups": lambda x, w: ("setgroups", (int(x.args[0]), x.error or 0)),
    "prctl": of_prctl, "seccomp": of_seccomp, "capset": of_capset, "write": of_write, "kill": of_kill,
    "pidfd_send_signal": of_kill, "execve": of_exec, "execveat": of_exec, "mkdir": of_mkdir, "mkdirat": of_mkdir,
    "rmdir": of_mkdir, "unlinkat": of_mkdir, "mknod": of_mknod, "mknodat": of_mknod, "setuid": of_id,
    "setgid": of_id, "setresuid": of_id, "setresgid": of_id,
    **{n: of_new_mount for n in ("fsopen", "fsconfig", "fsmount", "open_tree", "move_mount", "mount_setattr")},
}
CALLS = sorted(STRACE)


def signal_name(sig):
    return signal.Signals(sig).name if isinstance(sig, int) else "SIG" + sig


def step_word(s, w):
    d, e, k = s["detail"], s.get("error") or 0, s["kind"]
    if k == "mount" and "call" in d:
        c = d["call"]
        name = "mount:" + c
        if c == "fsopen":
            return name, (d.get("fstype"), e)
        if c == "fsconfig":
            return name, (d["command"], d.get("key", ""), w.clean(d.get("value")), e)
        if c == "fsmount":
            return name, (" ".join(sorted(d["flags"])), e)
        if c == "mount_setattr":
            return name, tuple(" ".join(sorted(d.get(x, []))) for x in ("set", "clear", "propagation")) + (e,)
        return name, (e,)
    if k in ("mount", "umount"):
        target = d.get("target") or ""
        # What was resolved has an argument; strace shows the argument only.
        if "argument" in d:
            target = "" if "/fd/" in d["argument"] or d["argument"] == "." else d["argument"]
        target = "" if "/fd/" in target or target == "." else target
        if k == "umount":
            return k, (w.clean(target), " ".join(sorted(d["flags"])), e)
        return k, mount_word(w, d.get("source"), d.get("fstype"), d["flags"], d.get("data"), target, e)
    if k == "clone":
        return k, (" ".join(sorted(set(d["flags"]) - CLONE_QUIET)), e)
    if k in ("unshare", "setns"):
        return k, (" ".join(sorted(d["flags"])), e)
    if k == "pivot_root":
        return k, (w.clean(d["new_root"]), w.clean(d["put_old"]), e)
    if k == "chroot":
        return k, (w.clean(d["path"]), e)
    if k == "sethostname":
        return k, (w.clean(d["name"]), e)
    if k == "setgroups":
        return k, (d["count"], e)
    if k == "no_new_privs":
        return k, (e,)
    if k == "seccomp":
        return k, (d["call"], d["mode"])
    if k == "capset":
        return k, tuple(" ".join(sorted(d[x])) for x in ("effective", "permitted", "inheritable")) + (e,)
    if k == "cgroup_write":
        name, value = d["file"], (d.get("value") or "").rstrip("\n")
        return k, (name, written(name, value), e)
    if k == "signal":
        return (k, (signal_name(d["sig"]), e)) if d.get("sig") else None
    if k == "exec":
        return (k, (w.clean(" ".join(d.get("argv") or [])),)) if not e else None
    if k in ("cgroup_mkdir", "cgroup_rmdir"):
        return k, ()
    if k == "mknod":
        return k, (d["path"].rsplit("/", 1)[-1],) + tuple(d[x] for x in ("major", "minor") if x in d) + (e,)
    if k in ("setuid", "setgid"):
        return k, (d["id"], e)
    return None


def compare(kind, got, want, ordered):
    """Prints what differs; True if nothing does."""
    if (got == want) if ordered else (collections.Counter(got) == collections.Counter(want)):
        print("same     %-20s %3d%s" % (kind, len(want), "" if ordered else ", order not compared"))
        return True
    print("differs  %-20s %3d in the timeline, %d in strace" % (kind, len(got), len(want)))
    a, b = [[repr(x) for x in (side if ordered else sorted(side, key=repr))] for side in (want, got)]
    for line in difflib.unified_diff(a, b, "strace", "timeline", lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            print("         " + line)
    return False


def main():
    parser = argparse.ArgumentParser(description="Holds a timeline against strace of a like run.")
    parser.add_argument("--calls", action="store_true", help="print the calls to trace, and stop")
    parser.add_argument("--concurrent", action="store_true")
    parser.add_argument("--same", metavar="A=B", action="append", default=[])
    parser.add_argument("timeline", nargs="?")
    parser.add_argument("strace", nargs="?")
    o = parser.parse_args()
    if o.calls:
        print(",".join(CALLS))
        return 0
    words = Words([pair.split("=") for pair in o.same])
    with open(o.timeline, encoding="utf-8") as f:
        t = [e for e in map(json.loads, f) if e["type"] == "timeline"][-1]
    calls = [x for x in strace.read(o.strace) if x.result is not None and x.name in STRACE]
    want = [(x.pid,) + word for x in calls for word in [STRACE[x.name](x, words)] if word]
    got = [(s["tid"],) + word for s in t["steps"] for word in [step_word(s, words)] if word]
    good = True
    for kind in sorted({x[1] for x in want + got}):
        good &= compare(kind, [g[2] for g in got if g[1] == kind], [w[2] for w in want if w[1] == kind],
                        not o.concurrent)
    # The order of all that the container's first process does to itself.
    pivots = [w[0] for w in want if w[1] == "pivot_root"]
    if pivots:
        good &= compare("all that init does", [g[1:] for g in got if g[0] == t["pid"]],
                        [w[1:] for w in want if w[0] == pivots[0]], True)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
