# SPDX-License-Identifier: Apache-2.0
"""The table that a measurement prints, and the things that are measured."""

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READY_SECONDS = 30


class Table:
    @staticmethod
    def title(env):
        print("ctrace %s, Linux %s, %s, %d CPUs, medians of %d interleaved rounds" % (
            env.version(), platform.release(), platform.machine(), os.cpu_count(), env.rounds))

    @staticmethod
    def section(name):
        print("\n| %-58s | %20s | %6s | %8s |" % (name, "median", "ratio", "target"))
        print("|-%s-|-%s:|-%s:|-%s:|" % ("-" * 58, "-" * 19, "-" * 5, "-" * 7), flush=True)

    @staticmethod
    def row(what, value, ratio, target=""):
        print("| %-58s | %20s | %6s | %8s |" % (
            what, value, "" if ratio is None else "%.3f" % ratio, target), flush=True)

    @staticmethod
    def note(text):
        print("| %-58s | %20s | %6s | %8s |" % (text, "-", "", ""), flush=True)


class Background:
    """A program that runs while something else is measured."""

    def __init__(self, command, env=None, stdout=subprocess.DEVNULL):
        self.begin = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout,
                                        stderr=subprocess.DEVNULL, env=env)
        self.ready_ms = None

    def wait_ready(self, is_ready, what):
        while not is_ready():
            if self.process.poll() is not None:
                raise SystemExit("bench: %s ended with %d" % (what, self.process.returncode))
            if time.monotonic() - self.begin > READY_SECONDS:
                self.stop()
                raise SystemExit("bench: %s was not ready in %d s" % (what, READY_SECONDS))
            time.sleep(0.001)
        self.ready_ms = (time.monotonic() - self.begin) * 1000

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="utf-8") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        with open("/proc/%d/statm" % self.process.pid, encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def ring_bytes(self):
        """The part of its RSS that is BPF maps: rings are mapped twice, and count twice."""
        total, is_map = 0, False
        with open("/proc/%d/smaps" % self.process.pid, encoding="utf-8", errors="replace") as f:
            for line in f:
                if "-" in line.split()[0]:
                    is_map = line.rstrip().endswith("anon_inode:bpf-map")
                elif is_map and line.startswith("Rss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self, sig=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Redis(Background):
    def __init__(self, directory):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = str(s.getsockname()[1])
        super().__init__(["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "",
                          "--appendonly", "no", "--dir", directory])
        self.wait_ready(self.answers, "redis-server")

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", int(self.port))) == 0

    def requests_per_second(self):
        """Requests of SET and GET by the time that both took; and how many they were."""
        done = subprocess.run(["redis-benchmark", "-p", self.port, "-t", "set,get", "-n", "60000", "-c", "20",
                               "--csv"], capture_output=True, text=True, check=True)
        seconds = 0.0
        count = 0
        for line in done.stdout.splitlines():
            fields = [f.strip('"') for f in line.split(",")]
            if fields[0] in ("SET", "GET"):
                seconds += 60000 / float(fields[1])
                count += 60000
        return count / seconds, count

    def cpu_ns(self):
        """Of its main thread, which serves every request."""
        with open("/proc/%d/schedstat" % self.process.pid, encoding="ascii") as f:
            return int(f.read().split()[0])


class Environment:
    """Everything that is measured: ctrace, and the engines that this machine has."""

    def __init__(self, output, rounds):
        self.rounds = rounds
        self.ctrace = os.path.join(output, "ctrace")
        self.output_dir = output
        self.stimulus = os.path.join(output, "tests", "stimulus")
        self.directory = tempfile.mkdtemp(prefix="ctrace-bench.")
        self.engines = {}
        self.helper = None
        self.devnull = os.open("/dev/null", os.O_RDWR)
        self.running = []
        self.environ = dict(os.environ)
        self.counter = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in self.running:
            program.stop(signal.SIGTERM)
        if self.helper:
            self.helper.stdin.close()
            self.helper.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def version(self):
        return self.output([self.ctrace, "--version"]).split()[-1]

    @staticmethod
    def output(command):
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def track(self, program):
        self.running = [p for p in self.running if p.process.poll() is None] + [program]
        return program

    def start_tracer(self):
        self.counter += 1
        path = os.path.join(self.directory, "trace-%d.json" % self.counter)
        tracer = self.track(Background([self.ctrace, "trace", "--json", path]))
        tracer.wait_ready(lambda: os.path.exists(path) and os.path.getsize(path) > 0, "ctrace trace")
        return tracer

    @staticmethod
    def has_execsnoop():
        return bool(shutil.which("bpftrace") and find_execsnoop())

    def start_execsnoop(self):
        path = os.path.join(self.directory, "execsnoop")
        # It reads tracefs, which not every host has mounted.
        script = ("mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing; "
                  "exec bpftrace -B line \"$0\"")
        with open(path, "wb") as out:
            tracer = self.track(Background(["unshare", "--mount", "--propagation", "private", "sh", "-c", script,
                                            find_execsnoop()], stdout=out))
        tracer.wait_ready(lambda: os.path.getsize(path) > 0, "bpftrace")
        return tracer

    def start_redis(self):
        if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
            return None
        return self.track(Redis(self.directory))

    # Engines: started once, by the test library, when the first of them is asked for.

    def engine(self, name):
        if self.helper is None:
            self.helper = subprocess.Popen(
                ["bash", os.path.join(TOP, "tests", "bench", "engines.sh")], cwd=TOP, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env=dict(os.environ, CTRACE=self.ctrace, CTRACE_OUTPUT=self.output_dir))
            for line in self.helper.stdout:
                if line.startswith("{"):
                    entry = json.loads(line)
                    self.engines[entry["name"]] = entry
                elif line == "ready\n":
                    break
        return self.engines.get(name, {"why": "not available"})

    def has(self, name):
        return "command" in self.engine(name)

    def why(self, name):
        return self.engine(name).get("why", "not available")

    def label(self, name):
        return self.engine(name)["label"]

    def command(self, name):
        entry = self.engine(name)
        self.environ.update(entry.get("env", {}))
        return entry["command"]

    def timed(self, command):
        """Milliseconds from spawning the command to its end; it must end well."""
        self.counter += 1
        argv = [a.replace("@ID@", "bench-%d-%d" % (os.getpid(), self.counter)) for a in command]
        actions = [(os.POSIX_SPAWN_DUP2, self.devnull, fd) for fd in (0, 1, 2)]
        program = shutil.which(argv[0])
        begin = time.perf_counter_ns()
        pid = os.posix_spawn(program, argv, self.environ, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        end = time.perf_counter_ns()
        if status:
            raise SystemExit("bench: %s ended with status %d" % (" ".join(argv), status))
        return (end - begin) / 1e6


def find_execsnoop():
    for path in ("/usr/sbin/execsnoop.bt", "/usr/share/bpftrace/tools/execsnoop.bt"):
        if os.path.exists(path):
            return path
    return None
