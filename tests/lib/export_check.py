#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds an export of a recording against the JSON timelines of the same recording.

Usage: export_check.py FORMAT EXPORT JSON

JSON is what `ctrace show --json` printed. Exits 0, or prints what is wrong and exits 1.
"""

import json
import re
import sys


def tenths(event, key):
    """Microseconds with four digits behind the point, as exact tenths of nanoseconds."""
    whole, _, rest = str(event[key]).partition(".")
    assert len(rest) == 4, event
    return int(whole) * 10000 + int(rest)


def ns(event):
    """How long a slice is: it ends a little earlier, for the sake of what it lies in."""
    return tenths(event, "dur") // 10 + 1


def exactly(event):
    start = tenths(event, "ts")
    return start, start + tenths(event, "dur")


def as_speedscope(event):
    """In doubles, of which it makes a begin and an end."""
    return float(event["ts"]), float(event["ts"]) + float(event["dur"])


def as_perfetto(event):
    """In whole nanoseconds, each cut from a double."""
    start = int(float(event["ts"]) * 1000)
    return start, start + int(float(event["dur"]) * 1000)


class Perfetto:
    """One lane per actor, perfect nesting in each, arrows between slices, and every step somewhere."""

    def __init__(self, text):
        # Texts: how a viewer rounds them is a matter of check_nesting.
        self.trace = json.loads(text, parse_float=str)
        self.events = self.trace["traceEvents"]

    def lanes(self, read=exactly):
        lanes = {}
        for e in self.events:
            if e["ph"] == "X":
                lanes.setdefault((e["pid"], e["tid"]), []).append((*read(e), e["name"]))
        return lanes

    def check_nesting(self, read):
        for lane, slices in self.lanes(read).items():
            slices.sort(key=lambda s: (s[0], -s[1]))
            stack = []
            for start, end, name in slices:
                assert end > start or read is as_perfetto and end == start, f"{lane}: {name} has no length"
                while stack and stack[-1][1] <= start:
                    stack.pop()
                assert not stack or end <= stack[-1][1], f"{lane}: {name} overlaps {stack[-1][2]} {read.__name__}"
                stack.append((start, end, name))

    def check_names(self):
        named = {(e["pid"], e["tid"]) for e in self.events if e["name"] == "thread_name"}
        for e in self.events:
            assert (e["pid"], e["tid"]) in named, f"a lane without a name: {e}"

    def check_arrows(self):
        lanes, arrows = self.lanes(), {}
        for e in self.events:
            if e["ph"] in "sf":
                ends = arrows.setdefault(e["id"], {})
                assert e["ph"] not in ends, f"two arrows with one id: {e}"
                ends[e["ph"]] = e
                at = tenths(e, "ts")
                assert any(start <= at <= end for start, end, _ in lanes[(e["pid"], e["tid"])]), \
                    f"an arrow from or to nothing: {e}"
        for ends in arrows.values():
            assert set(ends) == {"s", "f"} and tenths(ends["s"], "ts") <= tenths(ends["f"], "ts"), ends
        return len(arrows)

    def check_complete(self, timelines):
        steps = [e for e in self.events if e["ph"] in "Xi" and "kind" in e.get("args", {})]
        wanted = sum(len(t["steps"]) for t in timelines)
        assert len(steps) == wanted, f"{len(steps)} steps of {wanted}"
        kinds = sorted(e["args"]["kind"] for e in steps)
        assert kinds == sorted(s["kind"] for t in timelines for s in t["steps"])
        keys = ("on_cpu_ns", "run_queue_ns", "blocked_ns", "longest_block_ns")
        told = sorted(tuple(e["args"].get(k) for k in keys) + (e["args"].get("blocked_in"),) for e in steps
                      if "on_cpu_ns" in e["args"])
        known = sorted(tuple(s.get(k) for k in keys) + (" ← ".join(s.get("blocked_in", [])) or None,)
                       for t in timelines for s in t["steps"] if "on_cpu_ns" in s)
        assert told == known, f"waits are {told[:3]}, in the timeline {known[:3]}"
        marks = [e for e in self.events if e.get("cat") == "mark"]
        assert len(marks) == sum(len(t["marks"]) for t in timelines), "marks are missing"
        # As many as the timeline says and as long as it says, to the nanosecond.
        lengths = sorted(ns(e) for e in steps if e["ph"] == "X" and "end_edge" not in e["args"])
        known = sorted(int(s["duration_ns"]) for t in timelines for s in t["steps"]
                       if int(s["duration_ns"] or 0) and s["end_edge"] == "observed")
        assert lengths == known, "lengths of steps differ"

    def check(self, timelines):
        for read in exactly, as_speedscope, as_perfetto:
            self.check_nesting(read)
        self.check_names()
        arrows = self.check_arrows()
        self.check_complete(timelines)
        for number, t in enumerate(timelines):
            roles = {a["role"] for a in t["actors"]}
            if {"cli", "engine", "containerd", "shim", "runtime", "init"} <= roles:
                assert arrows >= 6, f"{arrows} arrows from the client to init"


class Mermaid:
    """Charts of known lines, in which no name has a character that Mermaid or GitHub could take for its own."""

    NAME = r"(?:[^:;#%,\"'`<>{}\[\]()|&$@^*_~!\\\x00-\x1f]|#[0-9]+;)+"
    LINE = re.compile(r"    (?:title " + NAME + r" \(axis in (?:ms|s)\)|dateFormat x|axisFormat %s\.%L|section " + NAME +
                      r"|" + NAME + r" :(?:crit, |done, |milestone, )*(\d+), (\d+)|%% \d+ more are left out)")

    def __init__(self, text):
        self.charts = text.split("\n\n") if text else []

    def check(self, timelines):
        assert len(self.charts) == len(timelines), f"{len(self.charts)} charts of {len(timelines)}"
        for chart, t in zip(self.charts, timelines):
            lines = chart.strip("\n").split("\n")
            assert lines[:2] == ["```mermaid", "gantt"] and lines[-1] == "```", "no fence"
            tasks = 0
            for line in lines[2:-1]:
                found = self.LINE.fullmatch(line)
                assert found, f"what is this: {line!r}"
                if found.group(1):
                    tasks += 1
                    assert int(found.group(1)) < int(found.group(2)), line
            assert tasks >= len(t["phases"]), "phases are missing"
            assert sum(" :crit, milestone" in line for line in lines) == sum(m["kind"] == "oom_kill" for m in t["marks"])


def main():
    kind, export, timelines = sys.argv[1:]
    with open(timelines, encoding="utf-8") as f:
        shown = [t for t in map(json.loads, f) if t["type"] == "timeline"]
    with open(export, encoding="utf-8") as f:
        {"perfetto": Perfetto, "mermaid": Mermaid}[kind](f.read()).check(shown)


if __name__ == "__main__":
    try:
        main()
    except AssertionError as wrong:
        sys.exit(f"{sys.argv[1]}: {wrong}")
