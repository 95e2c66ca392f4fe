# SPDX-License-Identifier: Apache-2.0
"""ctrace oci beside crun and runc on the same bundles, and images of many layers.

"run" is create, start, wait and delete of /bin/true in one command. Cold means after 250 ms in which nothing ran: what
a person waits for. The runtimes take turns in every round."""

import io
import json
import os
import statistics
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import oci  # noqa: E402

IDLE_SECONDS = 0.25
BUNDLES = {"plain": "no profile, 7 mounts", "seccomp": "docker's profile, 7 mounts", "mounts-1": "one mount",
           "mounts-10": "10 mounts", "mounts-100": "100 mounts"}
LAYERS = (1, 20, 100)
MEDIAN = statistics.median


def runtimes(env):
    return [n for n in ("oci ctrace", "oci crun", "oci runc") if env.has(n)]


def on_bundle(env, name, bundle, verb):
    """The command of a verb: run, create, start or delete."""
    command = [a.replace("@VERB@", verb) for a in env.command(name)]
    return command + (["--bundle", bundle] if verb in ("run", "create") else []) + \
        (["--force"] if verb == "delete" else [])


def measure_runs(env, table, bundles, kind, title, cold):
    names = runtimes(env)
    times = {n: [] for n in names}
    for n in names:
        env.timed(on_bundle(env, n, bundles[kind], "run") + ["@ID@"])
    for number in range(env.rounds):
        for n in names[number % len(names):] + names[:number % len(names)]:
            for _ in range(2 if cold else 6):
                if cold:
                    time.sleep(IDLE_SECONDS)
                times[n].append(env.timed(on_bundle(env, n, bundles[kind], "run") + ["@ID@"]))
    base = MEDIAN(times["oci crun"]) if "oci crun" in times else None
    target = {("plain", False): "<= 0.6", ("plain", True): "<= 0.5"}.get((kind, cold), "")
    for n in names:
        value = MEDIAN(times[n])
        table.row("%s: %s" % (title, n[4:]), "%.1f ms" % value, value / base if base else None,
                  target if n == "oci ctrace" else "")


def resident_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        for line in f:
            if line.startswith("Rss:"):
                return int(line.split()[1])
    return 0


def spawn(env, command):
    """Runs it; its peak memory in KiB. Through time(1): a child of ours would count our own memory at its exec."""
    path = os.path.join(env.directory, "memory")
    command = ["/usr/bin/time", "--format=%M", "--output=" + path] + command
    actions = [(os.POSIX_SPAWN_DUP2, env.devnull, fd) for fd in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, env.environ, file_actions=actions)
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit("bench: %s ended with status %d" % (" ".join(command), status))
    with open(path, encoding="ascii") as f:
        return int(f.read().split()[-1])


def measure_verbs(env, table, bundle):
    """create, start and delete apart; memory of the runtime, and of a container that waits for its start."""
    pid_file = os.path.join(env.directory, "pid")
    for n in runtimes(env):
        total, peak, waiting = [], [], []
        for number in range(env.rounds + 1):
            name = "bench-verbs-%d-%d" % (os.getpid(), number)
            begin = time.perf_counter_ns()
            peak.append(spawn(env, on_bundle(env, n, bundle, "create") + ["--pid-file", pid_file, name]))
            create = time.perf_counter_ns() - begin
            with open(pid_file, encoding="ascii") as f:
                waiting.append(resident_kib(int(f.read())))
            begin = time.perf_counter_ns()
            spawn(env, on_bundle(env, n, bundle, "start") + [name])
            spawn(env, on_bundle(env, n, bundle, "delete") + [name])
            total.append((create + time.perf_counter_ns() - begin) / 1e6)
        table.row("create + start + delete: " + n[4:], "%.1f ms" % MEDIAN(total[1:]), None)
        table.row("peak memory of create: " + n[4:], "%.1f MiB" % (MEDIAN(peak) / 1024), None)
        table.row("memory of a container before its start: " + n[4:], "%d KiB" % MEDIAN(waiting), None)


def measure(env, table):
    for n in ("oci ctrace", "oci crun", "oci runc"):
        if not env.has(n):
            table.note("%s: %s" % (n[4:], env.why(n)))
    if "oci ctrace" not in runtimes(env):
        return
    bundles = json.loads(env.engine("oci ctrace")["env"]["BENCH_BUNDLES"])
    for kind, text in BUNDLES.items():
        if kind not in bundles:
            table.note("%s: docker is not here to give it" % text)
            continue
        measure_runs(env, table, bundles, kind, "run, %s" % text, False)
        if kind in ("plain", "seccomp"):
            measure_runs(env, table, bundles, kind, "run, cold, %s" % text, True)
    if os.path.exists("/usr/bin/time"):
        measure_verbs(env, table, bundles["plain"])
    else:
        table.note("time(1) is not installed: no figures of the single verbs")


def tiny_layer(number):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo("layer-%d" % number)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    return data.getvalue()


def measure_layers(env, table):
    """ctrace run of an image with so many layers, which are unpacked already."""
    if not env.has("ctrace"):
        table.note("ctrace: " + env.why("ctrace"))
        return
    command = env.command("ctrace")
    source = next(a for a in command if a.startswith("oci:"))
    base = oci.read_blob_layers(source[4:])
    images = {}
    for count in LAYERS:
        layout = os.path.join(env.directory, "layers-%d" % count)
        os.makedirs(layout)
        oci.write_layout(layout, base + [tiny_layer(i) for i in range(count - len(base))])
        images[count] = [a if a != source else "oci:" + layout for a in command]
        env.timed(images[count])
    times = {count: [] for count in LAYERS}
    for _ in range(env.rounds):
        for count in LAYERS:
            times[count] += [env.timed(images[count]) for _ in range(4)]
    for count in LAYERS:
        table.row("ctrace run, no network, %d layers" % count, "%.1f ms" % MEDIAN(times[count]),
                  MEDIAN(times[count]) / MEDIAN(times[1]))
