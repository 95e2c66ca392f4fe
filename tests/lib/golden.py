#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the golden timelines of tests/replay.

Usage: golden.py judge README SCHEMA NAME JSON    what the table of README says of NAME holds, and what always does
       golden.py damaged WHOLE JSON [yes|no]      JSON, of a damaged recording, is a beginning of WHOLE and says so;
                                                  yes: only its end is missing
       golden.py flip IN OUT OFFSET               a copy with one bit of the byte at OFFSET changed
"""

import json
import sys

import tl


def fail(text, *values):
    print(text % values)
    raise SystemExit(1)


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def wanted_of(readme, name):
    """The table's row of that name: containers, exit codes, whether each started, engine, runtime, OOM kills."""
    with open(readme, encoding="utf-8") as f:
        for line in f:
            cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
            if len(cells) == 8 and cells[0] == name:
                return {"containers": int(cells[2]), "code": None if cells[3] == "-" else int(cells[3]),
                        "started": cells[4] == "yes", "engine": None if cells[5] == "-" else cells[5],
                        "runtime": None if cells[6] == "-" else cells[6], "oom": int(cells[7])}
    return fail("%s has no row for %s", readme, name)


def check_schema(schema_path, lines):
    try:
        import jsonschema  # here, since it takes longer than all the rest of a run that needs none
    except ImportError:
        return  # replay.sh tells that this was skipped
    with open(schema_path, encoding="utf-8") as f:
        validator = jsonschema.Draft202012Validator(json.load(f))
    for number, line in enumerate(lines, 1):
        for error in validator.iter_errors(line):
            fail("line %d, %s: %s", number, error.json_path, error.message[:300])


def check_changes(lines):
    """The story of one container: each change at most as often as it can happen, the end last and once."""
    stories = {}
    for line in lines:
        if line["type"] == "timeline":
            stories.setdefault((line["id"], line["generation"]), []).append(line)
    for key, story in stories.items():
        changes = [line["change"] for line in story]
        if changes.count("ended") != 1 or changes[-1] != "ended":
            fail("%s: it must end once, at last: %s", key, changes)
        for once in ("created", "started", "exited"):
            if changes.count(once) > 1:
                fail("%s: %s more than once: %s", key, once, changes)
        order = [c for c in changes if c in ("created", "started", "exited", "ended")]
        if order != sorted(order, key=["created", "started", "exited", "ended"].index):
            fail("%s: out of order: %s", key, changes)
    return [story[-1] for story in stories.values()]


def check_indices(t):
    actors, steps = t["actors"], t["steps"]
    for i, actor in enumerate(actors):
        if actor["actor"] != i or (actor.get("parent") is not None and not 0 <= actor["parent"] < len(actors)):
            fail("%s: actor %d is numbered wrongly", t["id"], i)
    for step in steps:
        if step["actor"] is not None and not 0 <= step["actor"] < len(actors):
            fail("%s: a step names actor %s", t["id"], step["actor"])
        failed = step["result"] is not None and step["result"] < 0
        if failed != ("error" in step):
            fail("%s: result and error of %s disagree", t["id"], step)


def check_phases(t):
    by_phase = {}
    for step in t["steps"]:
        by_phase.setdefault(step["phase"], []).append(step)
    for phase in t["phases"]:
        steps = by_phase.pop(phase["phase"], [])
        if phase["steps"] != len(steps) or phase["failed"] != sum("error" in s for s in steps):
            fail("%s: phase %s counts %d steps, %d failed", t["id"], phase["phase"], phase["steps"], phase["failed"])
    if by_phase:
        fail("%s: steps of phases that are not there: %s", t["id"], sorted(by_phase))


def check_times(t):
    wrong = tl.Timeline(t).disorder()
    if wrong:
        fail("%s: %s", t["id"], wrong)
    times = [t[key] for key in ("first_ns", "created_ns", "started_ns") if t[key]]
    if t["exit"] and t["exit"]["at_ns"]:
        times.append(t["exit"]["at_ns"])
    times = [int(x) for x in times + [t["last_ns"]]]
    if times != sorted(times):
        fail("%s: first, created, started, exit and last are not in order: %s", t["id"], times)
    for step in t["steps"]:
        if int(step["start_ns"]) < times[0] or (step["end_ns"] and int(step["end_ns"]) > times[-1]):
            fail("%s: %s lies outside its life", t["id"], step["kind"])


def check_told(t, wanted):
    told = {"code": (t["exit"] or {}).get("code"), "started": t["started_ns"] is not None or t["existed"],
            "engine": t["engine"], "runtime": t["runtime"],
            "oom": sum(m["kind"] == "oom_kill" for m in t["marks"])}
    for key, value in told.items():
        if value != wanted[key]:
            fail("%s: %s is %r, README.md says %r", t["id"], key, value, wanted[key])
    if t["state"] != "exited" or t["lost"] or t["steps_cut"]:
        fail("%s: state %s, %s lost, %s cut", t["id"], t["state"], t["lost"], t["steps_cut"])
    if not wanted["started"] and "run" in (p["phase"] for p in t["phases"]):
        fail("%s: it did not start, and ran", t["id"])
    if wanted["started"] and not t["existed"]:
        missing = tl.Timeline(t).missing_phases(tl.START_PHASES)
        if missing:
            fail("%s: no phase %s", t["id"], missing)


def check_own(t, ids):
    """Nothing of another container's is in it, as far as an id tells."""
    text = json.dumps(t)
    others = [i for i in ids if len(i) == 64 and i != t["id"] and i in text]
    if others:
        fail("%s: it has something of %s", t["id"], others[:3])


def judge(readme, schema_path, name, path):
    lines = read_lines(path)
    wanted = wanted_of(readme, name)
    check_schema(schema_path, lines)
    if [lines[0]["type"], lines[-1]["type"]] != ["header", "summary"]:
        fail("it must begin with a header and end with a summary")
    last = check_changes(lines)
    if len(last) != wanted["containers"] or lines[-1]["containers"] != len(last):
        fail("%d containers, README.md says %d", len(last), wanted["containers"])
    for t in last:
        check_indices(t)
        check_phases(t)
        check_times(t)
        check_told(t, wanted)
        check_own(t, [other["id"] for other in last])
    if lines[-1]["lost"] or lines[-1]["skipped"] or not lines[-1]["complete"]:
        fail("the summary tells of losses: %s", lines[-1])


def damaged(whole_path, path, only_end="no"):
    """The lines before the damage are those of the whole one; after it come open timelines and the summary."""
    whole, lines = read_lines(whole_path), read_lines(path)
    if not lines:
        return  # not even the facts could be read
    if lines[0] != whole[0]:
        fail("the header is another")
    if lines[-1]["type"] != "summary" or lines[-1]["complete"] or not lines[-1]["error"]:
        fail("the summary does not tell of the damage")
    if only_end == "yes" and lines[-1]["events"] != whole[-1]["events"]:
        fail("it has %d of %d events, and lacks only the end", lines[-1]["events"], whole[-1]["events"])
    if lines[-1]["events"] > whole[-1]["events"]:
        fail("it has more events than the whole")
    known = {t["id"] for t in whole if t["type"] == "timeline"}
    for line in lines[1:-1]:
        if line["id"] not in known:
            fail("%s is a container that the whole has not", line["id"])


def flip(source, target, offset):
    with open(source, "rb") as f:
        data = bytearray(f.read())
    data[int(offset)] ^= 0x10
    with open(target, "wb") as f:
        f.write(data)


if __name__ == "__main__":
    {"judge": judge, "damaged": damaged, "flip": flip}[sys.argv[1]](*sys.argv[2:])
