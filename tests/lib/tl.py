# SPDX-License-Identifier: Apache-2.0
"""Reads ctrace's JSON Lines and judges them. Scripts use it through judge (tests/lib/trace.sh)."""

import json

# What a start must show, whatever made it.
START_PHASES = ["cgroup", "namespaces", "mounts", "pivot", "harden", "exec", "run", "teardown"]


class Trace:
    """One output of ctrace: header, the last word about each container, summary."""

    def __init__(self, path):
        self.header = self.summary = None
        self.timelines = []
        self.lines = 0
        last = {}
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                try:
                    entry = json.loads(line)
                except ValueError as error:
                    raise SystemExit("%s:%d is not JSON: %s" % (path, number, error))
                self.lines += 1
                if entry.get("type") == "header":
                    self.header = entry
                elif entry.get("type") == "summary":
                    self.summary = entry
                elif entry.get("type") == "timeline":
                    last[(entry["id"], entry.get("generation", 0))] = entry
        self.timelines = [Timeline(entry) for entry in last.values()]

    def find(self, container_id):
        """Every start of that id, in order."""
        return sorted((t for t in self.timelines if t.id == container_id),
                      key=lambda t: t.data.get("generation", 0))

    def one(self, container_id):
        found = self.find(container_id)
        if len(found) != 1:
            raise SystemExit("%d timelines of %s; there are: %s" % (
                len(found), container_id, ", ".join(t.id for t in self.timelines) or "none"))
        return found[0]

    def lost(self):
        return self.summary["lost"] if self.summary else None


class Timeline:
    def __init__(self, data):
        self.data = data
        self.id = data["id"]
        self.exit = data.get("exit") or {}

    def __getitem__(self, key):
        return self.data[key]

    def phases(self):
        return [p["phase"] for p in self.data["phases"]]

    def missing_phases(self, wanted):
        have = set(self.phases())
        return [p for p in wanted if p not in have]

    def roles(self):
        return {a["role"] for a in self.data["actors"]}

    def actors(self, role):
        return [a for a in self.data["actors"] if a["role"] == role]

    def actor_of(self, step):
        index = step.get("actor")
        return self.data["actors"][index] if index is not None else None

    def steps(self, kind, **detail):
        """Steps of that kind whose details have those values."""
        return [s for s in self.data["steps"] if s["kind"] == kind and
                all(s["detail"].get(k) == v for k, v in detail.items())]

    def marks(self, kind):
        return [m for m in self.data["marks"] if m["kind"] == kind]

    def flags(self, kind):
        """Every flag of the steps of that kind that went well."""
        return {f for s in self.steps(kind) if s["result"] == 0 for f in s["detail"].get("flags", [])}

    def disorder(self):
        """What is wrong with the order of times in it, as text; empty when all is well."""
        wrong = []
        starts = [int(s["start_ns"]) for s in self.data["steps"] if s["start_ns"]]
        if starts != sorted(starts):
            wrong.append("steps are not in order of their start")
        for group in ("steps", "phases"):
            for s in self.data[group]:
                if s["start_ns"] and s["end_ns"] and int(s["end_ns"]) < int(s["start_ns"]):
                    wrong.append("%s ends before it starts" % (s.get("kind") or s.get("phase")))
        for p in self.data["phases"]:
            if "lost" in (p["start_edge"], p["end_edge"]) and p.get("duration_ns"):
                wrong.append("phase %s has a lost edge and a duration" % p["phase"])
        return "; ".join(wrong)


class Points:
    """Test points in the shape that judge reads."""

    @staticmethod
    def check(good, what, detail=""):
        print(("ok" if good else "not ok") + " - " + what)
        if not good and detail not in ("", None):
            for line in str(detail).splitlines() or [""]:
                print("# " + line)
        return bool(good)

    def equal(self, got, wanted, what):
        return self.check(got == wanted, what, "got:    %r\nwanted: %r" % (got, wanted))

    def contains(self, collection, wanted, what):
        missing = [w for w in wanted if w not in collection]
        return self.check(not missing, what, "missing: %s\nthere are: %s" % (
            ", ".join(map(str, missing)), ", ".join(sorted(map(str, collection)))))

    def start(self, timeline, label, phases=None, code=0):
        """What every finished start must satisfy."""
        missing = timeline.missing_phases(phases or START_PHASES)
        self.check(not missing, "%s: all phases" % label,
                   "missing: %s\nthere are: %s" % (missing, timeline.phases()))
        self.equal(timeline["state"], "exited", "%s: it ended" % label)
        self.equal(timeline.exit.get("code"), code, "%s: exit code" % label)
        self.equal(timeline["lost"], 0, "%s: nothing was lost" % label)
        self.equal(timeline.disorder(), "", "%s: times are in order" % label)
