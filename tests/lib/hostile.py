#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the names in a recording hostile: what a container can choose tries to get out of every view.

Usage: hostile.py IN OUT ID

Command lines, command names and paths of IN get control bytes, invalid UTF-8, quotes, HTML and line ends in the place of
some of their bytes; the container's name, image, pod and engine are told (EVENT_META) as such texts, one of them 900 bytes
long. Ids stay, so that the containers are the same.
"""

import sys

import recording

META = 263
EVIL = [
    b"<script>alert(1)</script><img src=x onerror=alert(2)>",
    b"\"'`--></script></style><svg onload=alert(3)>",
    b"\x1b]0;owned\x07\x1b[2J\x1b[31m\r\n\t;:#%%,{}\\u0041",
    b"\xff\xfe\xc3\x28\xed\xa0\x80\xf4\x90\x80\x80\xc2\x9b",
    "\u202egnp.exe\u200b\u2028\u2029\ufeff\uefff".encode(),
]


def meta(ident, key, value, time):
    text = key + b"\0" + value + b"\0"
    size = 64 + 96 + len(text)
    head = recording.HEADER.pack(size, META, 0, 0, 0, time, 0, 0, 0, 0, 0, 0, b"")
    return recording.Event(head + ident[:95].ljust(96, b"\0") + text)


def spoil(event, number):
    """Arguments of an exec behind the program and its verbs, and the comm."""
    raw = bytearray(event.raw)
    evil = EVIL[number % len(EVIL)]
    if event.kind in (recording.EXEC, recording.TASK) and len(raw) > recording.ARGV:
        argv = bytes(raw[recording.ARGV:]).split(b"\0")
        last = max((i for i, word in enumerate(argv) if word), default=0)
        if last > 1 and len(argv[last]) < 64 and b"/" not in argv[last]:
            room = len(argv[last])
            argv[last] = evil[:room].replace(b"\0", b"").ljust(room, b"<")
            raw[recording.ARGV:] = b"\0".join(argv)
    comm = bytes(raw[48:64]).rstrip(b"\0")
    if comm in (b"sh", b"true", b"stimulus", b"cat"):
        raw[48:64] = evil[:15].ljust(16, b"\0")
    return recording.Event(bytes(raw))


def main():
    source, target, ident = sys.argv[1:]
    facts, events = recording.read(source)
    events = [e for e in events if e.kind != META]  # what the engine's files told
    first = next(e for e in events if e.kind == recording.SNAPSHOT_END)
    notes = [meta(ident.encode(), key, value, first.time) for key, value in [
        (b"name", b"".join(EVIL[:2])), (b"image", EVIL[2]), (b"pod", EVIL[3] + EVIL[4]), (b"engine", (EVIL[0] * 40)[:900])]]
    at = events.index(first) + 1
    recording.write(target, facts, [spoil(e, i) for i, e in enumerate(events[:at] + notes + events[at:])])


if __name__ == "__main__":
    main()
