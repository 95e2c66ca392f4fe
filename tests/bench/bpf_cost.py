#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each of ctrace's programs costs the kernel: instructions as they run, instructions that the verifier walked, and
time of a run under a fixed load.

Usage: tests/bench/bpf_cost.py [--output DIR] --write FILE    measures and keeps (make bpf-cost)
       tests/bench/bpf_cost.py [--output DIR] --check FILE    compares what can be compared with what was kept

--check exits with 0, with 1 and what differs on stdout, or with 77 where FILE is of another kernel. Times and counts are
not compared: they depend on the machine and on what else runs on it.
"""

import argparse
import ctypes
import json
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
STATS = "/proc/sys/kernel/bpf_stats_enabled"
TOLERANCE = 0.10  # of verified instructions: compilers differ in little
STARTS, FORKS = 20, 500
COLUMNS = ["program", "instructions", "verified", "runs", "ns_a_run"]
SYS_BPF = {"x86_64": 321, "aarch64": 280}
PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD = 13, 15
# Offsets into struct bpf_prog_info (linux/bpf.h).
XLATED_LENGTH, RUN_NS, RUN_COUNT, VERIFIED = 20, 192, 200, 216
INFO_BYTES = 232


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"))
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(SYS_BPF[platform.machine()], command, buffer, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf(%d)" % command)
    return result


def program_info(program_id):
    fd = bpf(PROG_GET_FD_BY_ID, struct.pack("I", program_id))
    try:
        info = ctypes.create_string_buffer(INFO_BYTES)
        bpf(OBJ_GET_INFO_BY_FD, struct.pack("IIQ", fd, INFO_BYTES, ctypes.addressof(info)))
    finally:
        os.close(fd)
    instructions = struct.unpack_from("I", info, XLATED_LENGTH)[0] // 8
    verified = struct.unpack_from("I", info, VERIFIED)[0]
    run_ns, runs = struct.unpack_from("QQ", info, RUN_NS)
    return instructions, verified, runs, run_ns


def programs_of(pid):
    """Ids of the programs that the process holds, with their full names (the kernel keeps 15 characters)."""
    ids = set()
    for fd in os.listdir("/proc/%d/fdinfo" % pid):
        with open("/proc/%d/fdinfo/%s" % (pid, fd), encoding="ascii") as f:
            ids |= {int(line.split()[1]) for line in f if line.startswith("prog_id:")}
    shown = json.loads(subprocess.run(["bpftool", "--json", "prog", "show"], check=True, capture_output=True).stdout)
    return {p["id"]: p["name"] for p in shown if p["id"] in ids}


def load(output, directory):
    """Starts of containers, and forks that have nothing to do with them."""
    root = os.path.join(directory, "root")
    os.makedirs(os.path.join(root, "bin"))
    shutil.copy(os.path.join(output, "tests", "stimulus"), os.path.join(root, "bin", "stimulus"))
    for _ in range(STARTS):
        subprocess.run([os.path.join(output, "ctrace"), "run", "--trace=none", "--rm", "--network", "none", "--memory", "64m",
                        "--rootfs", root, "/bin/stimulus", "fork=10"], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([os.path.join(output, "tests", "stimulus"), "loop=forkexec:%d" % FORKS], check=True,
                   stdout=subprocess.DEVNULL)


def measure(output, with_load):
    directory = tempfile.mkdtemp(prefix="ctrace-cost.")
    os.environ.update(CTRACE_ROOT=directory + "/store", CTRACE_RUN=directory + "/run")
    path = os.path.join(directory, "trace.json")
    tracer = subprocess.Popen([os.path.join(output, "ctrace"), "trace", "--no-serve", "--always-armed", "--json", path],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(STATS, encoding="ascii") as f:
        stats = f.read()
    try:
        for _ in range(300):
            if os.path.exists(path) and os.path.getsize(path):
                break
            time.sleep(0.1)
        names = programs_of(tracer.pid)
        if with_load:
            set_stats("1")
            load(output, directory)
        return {names[i]: program_info(i) for i in names}
    finally:
        set_stats(stats)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(30)
        shutil.rmtree(directory, ignore_errors=True)


def set_stats(value):
    with open(STATS, "w", encoding="ascii") as f:
        f.write(value)


def machine():
    return "%s %s" % (platform.release(), platform.machine())


def write(path, costs):
    with open(path, "w", encoding="utf-8") as f:
        f.write("# SPDX-License-Identifier: Apache-2.0\n"
                "# Made by `make bpf-cost`; tests/e2e/bpf_cost.sh compares the second and third column.\n"
                "# Load: %d starts of ctrace run, %d forks and executions, whatever else ran on the machine.\n"
                "# kernel: %s\n%s\n" % (STARTS, FORKS, machine(), "\t".join(COLUMNS)))
        for name, (instructions, verified, runs, run_ns) in sorted(costs.items()):
            f.write("%s\t%d\t%d\t%d\t%d\n" % (name, instructions, verified, runs, run_ns // runs if runs else 0))


def read(path):
    """The kernel that a kept file is of, and its rows: name -> (instructions, verified)."""
    kernel, rows = None, {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith("# kernel: "):
                kernel = line[len("# kernel: "):].strip()
            elif not line.startswith(("#", COLUMNS[0])):
                name, instructions, verified = line.split("\t")[:3]
                rows[name] = (int(instructions), int(verified))
    return kernel, rows


def check(path, output):
    kernel, kept = read(path)
    if kernel != machine():
        print("it is of %s, and this is %s" % (kernel, machine()))
        return 77
    now = measure(output, with_load=False)
    wrong = ["%s is not kept" % name for name in sorted(set(now) - set(kept))]
    wrong += ["%s is not loaded" % name for name in sorted(set(kept) - set(now))]
    for name in sorted(set(now) & set(kept)):
        for what, old, new in zip(("instructions", "verified instructions"), kept[name], now[name]):
            if abs(new - old) > max(old * TOLERANCE, 20):
                wrong.append("%s: %d %s, %d are kept" % (name, new, what, old))
    print("\n".join(wrong) or "%d programs, %d verified instructions" % (len(now), sum(c[1] for c in now.values())))
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description="What ctrace's programs cost the kernel.")
    parser.add_argument("--output", default=os.path.join(TOP, ".output"))
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write")
    action.add_argument("--check")
    options = parser.parse_args()
    output = os.path.abspath(options.output)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if options.check:
        return check(options.check, output)
    write(options.write, measure(output, with_load=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
