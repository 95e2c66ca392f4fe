#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Starts COUNT containers, eight at a time, while a monkey kills ctrace processes at random moments.

Usage: soak.py COUNT SEED CTRACE ROOTFS NETWORK

Only processes whose environment names our CTRACE_RUN die. Prints "killed N of M commands, K processes".
"""

import concurrent.futures
import os
import random
import signal
import subprocess
import sys
import threading
import time

COUNT, SEED = int(sys.argv[1]), int(sys.argv[2])
CTRACE, ROOTFS, NETWORK = sys.argv[3:6]
MARK = ("CTRACE_RUN=" + os.environ["CTRACE_RUN"] + "\0").encode()
done = threading.Event()
victims = []


def ours():
    """Processes of ctrace's own (commands, supervisors): not the containers', who have another environment."""
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open("/proc/%s/environ" % name, "rb") as f:
                if MARK not in f.read() + b"\0":
                    continue
            if "ctrace" in os.path.basename(os.readlink("/proc/%s/exe" % name)):
                yield int(name)
        except OSError:
            continue


def monkey():
    rnd = random.Random(SEED)
    while not done.wait(rnd.uniform(0.02, 0.15)):
        pids = list(ours())
        if not pids:
            continue
        pid = rnd.choice(pids)
        try:
            os.kill(pid, signal.SIGKILL)
            victims.append(pid)
        except ProcessLookupError:
            pass


def one(i):
    rnd = random.Random(SEED * 100003 + i)
    options = [["--rm"], [], ["-d"], ["-d", "--rm"], ["-d", "--restart", "on-failure:2"]][i % 5]
    network = NETWORK if i % 3 else "none"
    script = rnd.choice(["true", "sleep 0.2", "exit 3", "sleep 30"])
    try:
        command = subprocess.run([CTRACE, "run", "--trace=none", "--name", "soak%d" % i, "--network", network,
                                  "--memory", "32m"] + options + ["--rootfs", ROOTFS, "sh", "-c", script],
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=40, check=False)
    except subprocess.TimeoutExpired:
        print("# soak%d: the command did not end in 40 s" % i)
        return 0
    if rnd.random() < 0.5:
        verb = rnd.choice([["stop", "-t", "0"], ["rm", "-f"], ["restart", "-t", "0"], ["exec"]])
        words = ["true"] if verb == ["exec"] else []
        subprocess.run([CTRACE] + verb + ["soak%d" % i] + words, stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=60, check=False)
    return command.returncode == -signal.SIGKILL


def main():
    thread = threading.Thread(target=monkey)
    thread.start()
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        killed = sum(pool.map(one, range(COUNT)))
    done.set()
    thread.join()
    print("# killed %d of %d commands, %d processes, in %d s" % (killed, COUNT, len(victims), time.monotonic() - start))


main()
