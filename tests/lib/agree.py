#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether views of one recording say the same where they tell the same thing.

Usage: agree.py CTRACE RECORDING

Of every container: state, end, OOM kills, the time of its start and its slowest phase in `top --json` and in the timeline. Of
the first few also the times of `show` and the spans of `show --otlp` against those of the timeline's phases.
"""

import json
import re
import subprocess
import sys

CLOSELY = 3  # so many containers of a recording are looked at in every view
UNITS = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 6e10}
AFTER = ("run", "stop", "teardown")


def main():
    ctrace, recording = sys.argv[1:]

    def lines(*words):
        done = subprocess.run([ctrace, *words], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
        return done.stdout.decode().splitlines()

    def same(what, *values):
        assert all(v == values[0] for v in values), "%s: %s" % (what, values)

    def span(t, first, last):
        return t[first] and t[last] and int(t[last]) - int(t[first])

    def check_list(t, row):
        same("end", t["exit"], row["exit"])
        for key in ("name", "image", "engine", "runtime", "state"):
            same(key, t[key], row[key])
        same("OOM kills", sum(m["kind"] == "oom_kill" for m in t["marks"]), row["oom_kills"])
        start = None if t["existed"] else span(t, "first_ns", "started_ns")
        same("start", start, row["start_duration_ns"] and int(row["start_duration_ns"]))
        lengths = [int(p["duration_ns"]) for p in t["phases"] if p["phase"] not in AFTER and p["duration_ns"]]
        if start and lengths:
            same("slowest phase", max(lengths), int(row["slowest_phase"]["duration_ns"]))

    def is_about(text, ns):
        number, unit = re.match(r"~?([0-9.]+) (\S+)", text).groups()
        return abs(float(number) * UNITS[unit] - ns) <= max(ns * .006, 1)

    def check_text(t):
        shown = lines("show", "--width", "160", recording, t["id"])
        head = next((x for x in shown if re.match("(start|run|teardown|total) ~?[0-9]", x)), "")
        times = dict(re.findall(r"(start|run|teardown|total) (~?[0-9.]+ [^\s+]+)", head))
        phases = {p["phase"]: p for p in t["phases"]}
        for phase in ("run", "teardown"):
            if phase in times and phase in phases and phases[phase]["duration_ns"]:
                assert is_about(times[phase], int(phases[phase]["duration_ns"])), (head, phases[phase])
        if "start" in times:
            assert is_about(times["start"], span(t, "first_ns", "started_ns")), head
        assert not times or is_about(times["total"], span(t, "first_ns", "last_ns")), head
        for phase, p in phases.items():
            row = next(x for x in shown if re.match(phase + "  ", x))
            text = re.search(r"(~?[0-9.]+ (?:ns|µs|ms|s|min))\+?(?: |$)", row[len(phase):])
            if p["duration_ns"] and int(p["duration_ns"]):
                assert text and is_about(text.group(1), int(p["duration_ns"])), (row, p)

    def check_spans(t):
        sent = json.loads("\n".join(lines("show", "--otlp", recording, t["id"])))
        spans = {s["name"]: s for r in sent["resourceSpans"] for g in r["scopeSpans"] for s in g["spans"]
                 if s["name"].startswith("container ")}
        known = {"container run": span(t["exit"] | t, "started_ns", "at_ns") if t["exit"] and t["started_ns"] else None,
                 "container start": None if t["existed"] else span(t, "first_ns", "started_ns")}
        for p in t["phases"]:
            if p["phase"] == "teardown" and t["exit"]:
                known["container teardown"] = int(p["duration_ns"])
        for name, ns in known.items():
            if ns and name in spans:
                took = int(spans[name]["endTimeUnixNano"]) - int(spans[name]["startTimeUnixNano"])
                # what ends last ends a nanosecond after the last that was seen
                assert 0 <= took - ns <= 1, "OTLP's %s: %d of %d" % (name, took, ns)
        if t["started_ns"] and not t["existed"]:
            same("trace", (t["trace_id"], t["span_id"]), (spans["container start"]["traceId"], spans["container start"]["spanId"]))

    told = [json.loads(x) for x in lines("show", "--json", recording)]
    timelines = [t for t in told if t["type"] == "timeline"]
    rows = {(r["id"], r["generation"]): r for r in json.loads(lines("top", "--json", recording)[-1])["containers"]}
    same("containers", len(timelines), len(rows))
    for t in timelines:
        check_list(t, rows[(t["id"], t["generation"])])
    for t in timelines[:CLOSELY]:
        check_text(t)
        check_spans(t)


if __name__ == "__main__":
    try:
        main()
    except AssertionError as wrong:
        sys.exit("%s: %s" % (sys.argv[2], wrong))
