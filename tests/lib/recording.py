#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes recordings (userspace/capture/recording.h) and takes the rest of the host out of them.

Usage: recording.py [--mine TEXT] [--pid PID]... [--host-links] IN OUT

A recording holds what every runtime of the host did, and the processes and cgroups that it found. OUT keeps, of
IN, what belongs to the command that `ctrace trace -- COMMAND` followed, to processes whose command line holds TEXT
when tracing began (daemons of our own) or that are PID, and to their descendants: their events, the cgroups that
they made or live in and what happened in these. Network links are kept where they were heard in the network
namespace of such a process, and with --host-links in the host's: rtnetlink does not say who made them. Nothing that is kept is changed. The caller checks that the timelines
stay the same.
"""

import argparse
import struct
import zlib

MAGIC = b"ctrace\x01\n"
FRAME = struct.Struct("<IIII")
HEADER = struct.Struct("<HHBBHQIIIIQQ16s")
FACTS, EVENTS, END, SPARSE_EVENTS = 1, 2, 3, 8

FORK, EXEC, MKDIR, RMDIR, UNFREEZE, FROZEN, ATTACH, OOM, SIGNAL = 1, 2, 5, 6, 12, 13, 9, 14, 15
WRITE, TASK, CGROUP, SNAPSHOT_END, CGROUP_VALUE = 34, 256, 257, 258, 262
LINK = 259
ABOUT_THE_TRACE = (SNAPSHOT_END, 260, 261, 263, 264)  # lost, armed, meta, tick
ARGV = 360  # after it are the arguments of an exec and of a process that was there
FOLLOWED = 1 << 5
EVENTS_PER_FRAME = 256 * 1024


class Event:
    def __init__(self, raw):
        self.raw = raw
        fields = HEADER.unpack_from(raw)
        self.kind, self.flags, self.time = fields[1], fields[2], fields[5]
        self.tgid, self.start, self.cgroup = fields[6], fields[10], fields[11]

    def get(self, layout, offset):
        return struct.unpack_from("<" + layout, self.raw, offset)[0]

    def process(self):
        return self.tgid, self.start

    def other(self):
        """The process that it is about, where that is not the one that did it."""
        tgid, start = {FORK: (64, 72), OOM: (64, 80), SIGNAL: (80, 96), ATTACH: (84, 96)}.get(self.kind, (0, 0))
        return (self.get("I", tgid), self.get("Q", start)) if tgid else None

    def group(self):
        """(hierarchy, id) of the cgroup that it is about."""
        if MKDIR <= self.kind <= FROZEN or self.kind == CGROUP:
            return self.get("I", 64), self.get("Q", 72)
        if self.kind in (WRITE, CGROUP_VALUE):
            return self.get("I", 64), self.get("Q", 72)
        return None

    def path(self):
        return self.raw[104:].split(b"\0")[0].decode("utf-8", "replace")


def read_frames(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:8] != MAGIC:
        raise SystemExit("%s is no recording" % path)
    offset = 8
    while offset < len(data):
        kind, raw_length, stored_length, _ = FRAME.unpack_from(data, offset)
        stored = data[offset + 16:offset + 16 + stored_length]
        yield kind, zlib.decompress(stored) if stored_length < raw_length else stored
        offset += 16 + stored_length


def whole_events(raw):
    while raw:
        size = struct.unpack_from("<H", raw)[0]
        yield Event(raw[:size])
        raw = raw[size:]


def sparse_events(raw):
    """Each is its size and runs: how many words of zero, how many that follow, and those (recording_frame.c)."""
    at = 0
    while at < len(raw):
        size = struct.unpack_from("<H", raw, at)[0]
        at += 2
        event = b""
        while len(event) < size:
            zero, kept = raw[at:at + 2]
            event = (event + bytes(8 * zero))[:size]
            kept = min(8 * kept, size - len(event))
            event += raw[at + 2:at + 2 + kept]
            at += 2 + kept
        yield Event(event)


def read(path):
    """The facts (bytes of JSON) and the events."""
    facts, events = b"", []
    for kind, raw in read_frames(path):
        if kind == FACTS:
            facts = raw
        elif kind == EVENTS:
            events.extend(whole_events(raw))
        elif kind == SPARSE_EVENTS:
            events.extend(sparse_events(raw))
        elif kind != END:
            raise SystemExit("%s has a frame of type %d" % (path, kind))
    return facts, events


def put_frame(f, kind, raw):
    stored = zlib.compress(raw, 9)
    if len(stored) >= len(raw):
        stored = raw
    f.write(FRAME.pack(kind, len(raw), len(stored), zlib.crc32(stored)) + stored)


def write(path, facts, events):
    with open(path, "wb") as f:
        f.write(MAGIC)
        put_frame(f, FACTS, facts)
        block = b""
        for event in events:
            if len(block) + len(event.raw) > EVENTS_PER_FRAME:
                put_frame(f, EVENTS, block)
                block = b""
            block += event.raw
        if block:
            put_frame(f, EVENTS, block)
        put_frame(f, END, b"")


def find_processes(events, mine, pids):
    """The followed command, daemons that were there, and all that descends from them."""
    kept = set()
    found = {}
    for e in events:
        if e.kind == TASK:
            found[e.tgid] = e
            if e.tgid in pids:
                kept.add(e.process())
        if mine and e.kind in (TASK, EXEC) and mine.encode() in e.raw[ARGV:]:
            kept.add(e.process())
        if e.kind == SNAPSHOT_END:
            # In order of pids a child may come before its parent.
            for _ in found:
                more = {t.process() for t in found.values() if t.get("I", 64) in found
                        and found[t.get("I", 64)].process() in kept} - kept
                if not more:
                    break
                kept |= more
        if e.flags & FOLLOWED:
            kept.add(e.process())
        if e.kind == FORK and e.process() in kept:
            kept.add(e.other())
    return kept


def find_groups(events, processes):
    """Cgroups that these processes made, write to or were found in; and the paths of the first."""
    groups, paths = set(), set()
    living = {e.cgroup for e in events if e.kind == TASK and e.process() in processes}
    for e in events:
        if e.kind == CGROUP and e.group()[1] in living and e.get("I", 80) > 0:
            paths.add(e.path())
        if e.kind in (MKDIR, WRITE) and e.process() in processes:
            groups.add(e.group())
            if e.kind == MKDIR:
                paths.add(e.path())
    for e in events:
        if e.kind == CGROUP:
            path = e.path()
            if path == "/" or any(p == path or p.startswith(path + "/") for p in paths):
                groups.add(e.group())
    return groups


def belongs(e, processes, groups, host_links):
    if e.kind == LINK and not e.tgid:
        return host_links
    if e.kind in ABOUT_THE_TRACE or e.process() in processes or e.other() in processes:
        return True
    return e.group() in groups or e.cgroup in {group[1] for group in groups if group[1] > 1}


def main():
    parser = argparse.ArgumentParser(description="Takes the rest of the host out of a recording.")
    parser.add_argument("--mine", metavar="TEXT", help="processes that were there with TEXT in their command line")
    parser.add_argument("--pid", type=int, action="append", default=[], help="a process that was there")
    parser.add_argument("--host-links", action="store_true", help="network links of the host, too")
    parser.add_argument("source")
    parser.add_argument("target")
    o = parser.parse_args()
    facts, events = read(o.source)
    processes = find_processes(events, o.mine, o.pid)
    groups = find_groups(events, processes)
    write(o.target, facts, [e for e in events if belongs(e, processes, groups, o.host_links)])


if __name__ == "__main__":
    main()
