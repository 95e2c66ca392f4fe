# SPDX-License-Identifier: Apache-2.0
"""What a thousand containers that live cost those that watch them: a scrape of ctrace serve, ctrace top when nobody
touches it and how soon it answers a key.

The containers are control groups named as docker names them, each with a limit and a process that sleeps and is the
first of a pid namespace: for who looks from outside there is no difference."""

import ctypes
import fcntl
import os
import pty
import select
import signal
import socket
import statistics
import struct
import subprocess
import termios
import time
import urllib.request

COUNT = 1000
CLONE_NEWPID = 0x20000000
IDLE_SECONDS = 10
SCRAPES = 20
KEYS = 20
V1_CONTROLLERS = ("memory", "cpu", "pids")  # those whose files are read


def cgroup_roots():
    found = []
    with open("/proc/self/mounts", encoding="utf-8") as f:
        for line in f:
            _, path, kind, flags, *_ = line.split()
            if kind == "cgroup" and any(c in flags.split(",") for c in V1_CONTROLLERS):
                found.append(path)
            elif kind == "cgroup2" and os.path.exists(path + "/memory.stat"):
                found.append(path)
    return sorted(set(found))


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


class Containers:
    """In a parent of their own below each hierarchy, so that all of them can be found again."""

    def __init__(self, count):
        self.roots = [r + "/ctrace-bench-%d" % os.getpid() for r in cgroup_roots()]
        self.ids = ["%064x" % (0xc0ffee << 160 | os.getpid() << 64 | i) for i in range(count)]
        self.pids = []
        self.libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self):
        for root in self.roots:
            os.mkdir(root)
            if os.path.exists(root + "/cgroup.subtree_control"):
                write(root + "/cgroup.subtree_control", "+memory +cpu +pids")
        for name in self.ids:
            for root in self.roots:
                os.mkdir("%s/docker-%s.scope" % (root, name))
            self.pids.append(self.sleeper(name))
        return self

    def sleeper(self, name):
        def join():
            for root in self.roots:
                group = "%s/docker-%s.scope" % (root, name)
                for limit in ("memory.limit_in_bytes", "memory.max"):
                    if os.path.exists(group + "/" + limit):
                        write(group + "/" + limit, "67108864")
                write(group + "/cgroup.procs", "0")
        own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        if self.libc.unshare(CLONE_NEWPID) != 0:
            raise SystemExit("bench: no pid namespace can be made: " + os.strerror(ctypes.get_errno()))
        pid = os.fork()
        if pid == 0:
            try:
                join()
                os.execv("/bin/sleep", ["sleep", "3600"])
            finally:
                os._exit(1)
        self.libc.setns(own, CLONE_NEWPID)
        os.close(own)
        return pid

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            os.waitpid(pid, 0)
        for root in self.roots:
            for name in self.ids:
                self.remove("%s/docker-%s.scope" % (root, name))
            self.remove(root)

    @staticmethod
    def remove(path):
        for _ in range(50):
            try:
                os.rmdir(path)
                return
            except FileNotFoundError:
                return
            except OSError:  # its last process is still on its way out
                time.sleep(0.02)


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_share(pid):
    used = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - used) / IDLE_SECONDS


def scrape(address, accept):
    begin = time.monotonic()
    request = urllib.request.Request("http://%s/metrics" % address, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = answer.read()
    return time.monotonic() - begin, body


def measure_serve(env, table, options, label):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % s.getsockname()[1]
    config = env.directory + "/serve.json"
    write(config, "{}")
    environment = dict(os.environ, CTRACE_RUN=env.directory, CTRACE_CONFIG=config)
    server = subprocess.Popen([env.ctrace, "serve", "--no-stream", "--listen", address] + options, env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = server.stderr.readline()
        if "ready" not in line:
            raise SystemExit("bench: ctrace serve does not start: " + line)
        # All usages are read once, a few a round, so that every series is there.
        time.sleep(25 if options else 3)
        share = idle_share(server.pid)
        for accept, name in (("text/plain", "text"), ("application/openmetrics-text;version=1.0.0", "OpenMetrics")):
            used = cpu_seconds(server.pid)
            took = [scrape(address, accept) for _ in range(SCRAPES)]
            used = cpu_seconds(server.pid) - used
            body = took[-1][1].decode()
            table.row("ctrace serve%s, %d containers: scrape, %s, %d lines" % (
                label, body.count("ctrace_container_info{"), name, body.count("\n")),
                "%.1f ms" % (1000 * statistics.median(t for t, _ in took)), None, "< 50 ms")
            table.row("... its CPU", "%.1f ms" % (1000 * used / SCRAPES), None)
        table.row("ctrace serve%s, idle: CPU" % label, "%.2f %% of a core" % (100 * share), None, "< 2 %")
    finally:
        server.terminate()
        server.wait()


class Top:
    """ctrace top on a terminal of 120x40 of its own."""

    def __init__(self, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", CTRACE_RUN=env.directory)
            os.execv(env.ctrace, [env.ctrace, "top", "--no-mouse"])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read_for(self, seconds):
        end, data = time.monotonic() + seconds, b""
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                continue
            try:
                data += os.read(self.fd, 65536)
            except OSError:  # it has ended
                break
        return data

    def answer_ms(self, key):
        """Until the first byte of a new screen: at most ten of them a second are drawn."""
        self.read_for(0.3)
        begin = time.monotonic()
        os.write(self.fd, key)
        select.select([self.fd], [], [], 10)
        return 1000 * (time.monotonic() - begin)

    def close(self):
        os.write(self.fd, b"q")
        self.read_for(0.5)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def idle_top(top):
    used, begin = cpu_seconds(top.pid), time.monotonic()
    drawn = len(top.read_for(IDLE_SECONDS))
    return (cpu_seconds(top.pid) - used) / (time.monotonic() - begin), drawn / IDLE_SECONDS


def measure_top(env, table):
    top = Top(env)
    try:
        top.read_for(10)
        share, drawn = idle_top(top)
        table.row("ctrace top, %d containers, idle: CPU" % COUNT, "%.2f %% of a core" % (100 * share), None, "< 2 %")
        table.row("ctrace top, idle: what it writes to its terminal", "%.0f bytes/s" % drawn, None)
        used = cpu_seconds(top.pid)
        answers = [top.answer_ms(k) for k in [b"j", b"k"] * (KEYS // 2)]
        table.row("ctrace top: from a key to the new screen", "%.1f ms" % statistics.median(answers), None, "<= 100 ms")
        used = cpu_seconds(top.pid) - used
        table.row("ctrace top: CPU of a key and what goes by meanwhile", "%.1f ms" % (1000 * used / KEYS), None)
    finally:
        top.close()


def measure(env, table):
    if not cgroup_roots():
        table.note("live: no control group hierarchy with memory or cpu is mounted")
        return
    with Containers(COUNT):
        measure_serve(env, table, [], "")
        measure_serve(env, table, ["--compat=cadvisor"], " --compat=cadvisor")
        measure_top(env, table)
