# SPDX-License-Identifier: Apache-2.0
"""How fast a recording replays, and how time and memory grow with the number of containers."""

import os
import resource
import subprocess
import time

SIZES = (10, 100, 1000, 10000, 100000)


def run_measured(command):
    """Seconds and peak memory (bytes) of a command whose output nobody keeps."""
    begin = time.perf_counter()
    with open(os.devnull, "wb") as devnull:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=devnull, stderr=subprocess.PIPE)
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status:
        raise SystemExit("bench: %s: %s" % (" ".join(command), error.decode("utf-8", "replace")))
    return time.perf_counter() - begin, usage.ru_maxrss * 1024


def count_events(multiply, path):
    return int(subprocess.run([multiply, "--count", path], capture_output=True, text=True, check=True).stdout)


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
    base_memory = None
    base_rate = None
    for size in SIZES:
        path = os.path.join(env.directory, "many.ctrace")
        subprocess.run([multiply, template, str(size), path], check=True)
        events = count_events(multiply, path)
        repeats = 5 if size <= 1000 else 1
        # From JSON's making, replay's own work is told apart by --summary, which prints the last line only.
        seconds, memory = min(run_measured([env.ctrace, "replay", "--json", "--summary", path])
                              for _ in range(repeats))
        if base_memory is None:
            base_memory = memory
        grown = (memory - base_memory) / max(size - SIZES[0], 1)
        rate = events / seconds
        if size == 1000:
            base_rate = rate
        table.row("replay, %d containers, %d events" % (size, events), "%.0f events/s" % rate,
                  rate / base_rate if base_rate else None, ">= 2 M/s" if size == 10000 else "")
        if size > SIZES[0]:
            table.row("replay, %d containers: memory of each" % size, "%.0f bytes" % grown, None)
        os.unlink(path)
