# SPDX-License-Identifier: Apache-2.0
"""What a test left on the host: processes, mounts, cgroups, interfaces, nftables tables."""

import os
import subprocess
import time

GRACE = 6.0  # seconds: network namespaces and cgroups die asynchronously
IP_FORWARD = "/proc/sys/net/ipv4/ip_forward"

# What ctrace keeps between runs on purpose, as docker keeps docker0. Removed after the last test
# unless it was there before the first.
KEPT_INTERFACES = ("ctrace0",)
KEPT_CGROUPS = ("ctrace",)
KEPT_TABLES = ("table ip ctrace", "table inet ctrace", "table ip ctrace_ports")


class Snapshot:
    def __init__(self):
        self.mounts = read_mounts()
        self.cgroups = read_cgroups()
        self.interfaces = set(os.listdir("/sys/class/net"))
        self.tables = read_tables()


def wait_until_clean(look, reap):
    """What look() still finds once it has had time to go. reap: collects ended children while we wait."""
    deadline = time.monotonic() + GRACE
    while True:
        left = look()
        if not left or time.monotonic() > deadline:
            return left
        reap(0.05)


def processes(of):
    """Our descendants that of() chooses."""
    return ["process " + describe_process(pid) for pid in descendants(os.getpid())
            if not has_environment(pid, "CTRACE_TEST_RUNNER=1") and of(pid)]


def find_left(before):
    """What is there now besides processes and was not before."""
    now = Snapshot()
    left = ["mount " + point for point in sorted(set(now.mounts) - set(before.mounts))]
    left += ["cgroup " + path for path in sorted(now.cgroups - before.cgroups)
             if not is_kept_cgroup(path) and not is_foreign_cgroup(path)]
    left += ["interface " + name for name in sorted(now.interfaces - before.interfaces)
             if name not in KEPT_INTERFACES]
    left += ["nftables " + name for name in sorted(now.tables - before.tables)
             if name not in KEPT_TABLES]
    return left


def read_mounts():
    """Mount points, a number behind those that are mounted over; bind-mounted network namespaces show here."""
    points = {}
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as f:
        for line in f:
            point = line.split()[4]
            points[point] = points.get(point, 0) + 1
    return ["%s (%d)" % item if item[1] > 1 else item[0] for item in points.items()]


def cgroup_roots():
    roots = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as f:
        for line in f:
            left, right = line.split(" - ", 1)
            if right.split()[0] in ("cgroup", "cgroup2"):
                roots.append(left.split()[4])
    return roots


def read_cgroups():
    found = set()
    for root in cgroup_roots():
        for directory, names, _ in os.walk(root):
            found.update(os.path.join(directory, name) for name in names)
    return found


def is_kept_cgroup(path):
    return os.path.basename(path) in KEPT_CGROUPS and os.path.dirname(path) in cgroup_roots()


def is_foreign_cgroup(path):
    """A new cgroup with processes, none of them ours, belongs to someone else on this host."""
    ours = set(descendants(os.getpid()))
    pids = set()
    for directory, _, _ in os.walk(path):
        try:
            with open(os.path.join(directory, "cgroup.procs"), encoding="ascii") as f:
                pids.update(int(line) for line in f)
        except OSError:
            pass
    return bool(pids) and not pids & ours


def read_tables():
    try:
        done = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return set()
    return set(done.stdout.splitlines())


def parent(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as f:
            # The name in brackets may hold anything; what follows the last one is fixed.
            return int(f.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0  # gone


def parents():
    """pid -> parent pid of every process."""
    return {int(name): parent(int(name)) for name in os.listdir("/proc") if name.isdigit()}


def ancestry(pid):
    """A descendant of ours, its parent and so on, without us."""
    line = []
    while pid and pid != os.getpid():
        line.append(pid)
        pid = parent(pid)
    return line


def children(pid):
    return [child for child, parent in parents().items() if parent == pid]


def descendants(pid):
    table = parents()
    found = []
    for child in table:
        ancestor = table.get(child)
        while ancestor and ancestor != pid:
            ancestor = table.get(ancestor)
        if ancestor == pid:
            found.append(child)
    return found


def has_environment(pid, setting):
    try:
        with open("/proc/%d/environ" % pid, "rb") as f:
            return setting.encode() in f.read().split(b"\0")
    except OSError:
        return False


def session(pid):
    try:
        return os.getsid(pid)
    except OSError:
        return 0  # gone


def describe_process(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            command = f.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        command = ""
    return "%d %s" % (pid, command[:160])


def remove_kept(begin):
    for name in KEPT_INTERFACES:
        if name not in begin.interfaces and os.path.exists("/sys/class/net/" + name):
            subprocess.run(["ip", "link", "delete", name], check=False)
    for table in KEPT_TABLES:
        if table not in begin.tables and table in read_tables():
            subprocess.run(["nft", "delete"] + table.split(), check=False)
    for root in cgroup_roots():
        for name in KEPT_CGROUPS:
            path = os.path.join(root, name)
            if path not in begin.cgroups and os.path.isdir(path):
                try:
                    os.rmdir(path)
                except OSError:
                    pass


def read_ip_forward():
    try:
        with open(IP_FORWARD, encoding="ascii") as f:
            return f.read()
    except OSError:
        return None


def restore_ip_forward(value):
    if value is not None and read_ip_forward() != value:
        with open(IP_FORWARD, "w", encoding="ascii") as f:
            f.write(value)
