# SPDX-License-Identifier: Apache-2.0
"""How fast a recording replays, and how time and memory grow with the number of containers.

The timeline alone is measured inside one process (multiply --feed), so that neither disk nor JSON takes part;
ctrace replay is measured from outside, as a user meets it."""

import os
import resource
import subprocess

# All events of a runc start up to here; above, process and cgroup events only, or memory would be the limit.
FULL_SIZES = (10, 100, 1000)
SLIM_SIZES = (10, 100, 1000, 10000, 100000)
REPLAYED = 4000
REPLAYS = (("--json",), ("--json", "--events"), ())
REPLAY_ROUNDS = 3  # each in turn; the best counts


def feed(multiply, mode, template, size):
    """Events a second and bytes a container. The best of a few runs: a short one is easily disturbed, and a long one may be
    the first to touch pages that a virtual machine's host must find before (twice the time, seen with 800 MB)."""
    rates, memory = [], 0
    for _ in range(5 if size <= 1000 else 3):
        done = subprocess.run([multiply, mode, template, str(size)], capture_output=True, text=True, check=True)
        events, seconds, resident = done.stdout.split()
        rates.append(int(events) / float(seconds))
        memory = int(resident)
    return int(events), max(rates), memory / size


def measure_timeline(table, multiply, mode, template, sizes, label):
    first = None
    for size in sizes:
        events, rate, memory = feed(multiply, mode, template, size)
        # Time of one event against its time among few containers: 1.0 all the way down is linear growth.
        first = first or rate
        table.row("%s, %d containers, %d events" % (label, size, events),
                  "%.2f M events/s" % (rate / 1e6), first / rate, ">= 2 M/s" if label.startswith("timeline") else "")
        if size == sizes[-1]:
            table.row("%s, %d containers: memory" % (label, size), "%.0f bytes each" % memory, None)


def replay(env, options, path):
    """CPU seconds: as with the timeline alone, the figure is that of one core, whatever else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.devnull, "wb") as devnull:
        subprocess.run([env.ctrace, "replay"] + options + [path], check=True, stdout=devnull)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_replay(env, table, multiply, template):
    """All of ctrace replay: reading, the timeline, and a timeline or waterfall written for each container."""
    path = os.path.join(env.directory, "many.ctrace")
    subprocess.run([multiply, template, str(REPLAYED), path], check=True)
    events = feed(multiply, "--feed", template, REPLAYED)[0]
    best = {}
    for _ in range(REPLAY_ROUNDS):
        for options in REPLAYS:
            best[options] = min(best.get(options, float("inf")), replay(env, list(options), path))
    for options in REPLAYS:
        table.row(" ".join(("ctrace replay",) + options) + ", %d containers" % REPLAYED,
                  "%.2f M events/s" % (events / best[options] / 1e6), None)


def measure(env, table):
    if not env.has("runc"):
        table.note("replay: its template is a recording of runc, and " + env.why("runc"))
        return
    multiply = os.path.join(env.output_dir, "tests", "multiply")
    template = os.path.join(env.directory, "template.ctrace")
    # The id has the digits that multiply counts up.
    command = [a.replace("@ID@", "copy-000000") for a in env.command("runc")]
    subprocess.run([env.ctrace, "record", template, "--"] + command, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    measure_timeline(table, multiply, "--feed", template, FULL_SIZES, "timeline, every event")
    measure_timeline(table, multiply, "--feed-slim", template, SLIM_SIZES, "timeline, processes and cgroups")

    measure_replay(env, table, multiply, template)
