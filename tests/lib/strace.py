# SPDX-License-Identifier: Apache-2.0
"""Reads `strace -f -ttt -y` output: one Call per finished system call, in order of their start."""

import re

LINE = re.compile(r"^(\d+)\s+(\d+\.\d+)\s+(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\)\s*=\s*(-?\d+|\?)(?:<[^>]*>)?(?:\s+(\w+)\s+\(.*\))?$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")


class Call:
    def __init__(self, pid, time, name, args, result, error):
        self.pid, self.time, self.name, self.args = pid, time, name, args
        self.result, self.error = result, error

    def flags(self, index):
        text = self.args[index]
        return [] if text == "0" else sorted(text.split("|"))

    def string(self, index):
        """The string argument, None for NULL and for a pointer that strace did not follow."""
        text = self.args[index] if index < len(self.args) else "NULL"
        if not text.startswith('"'):
            return None
        body = text[1:text.rindex('"')]
        return body.encode("latin-1", "replace").decode("unicode_escape")

    def path_of_fd(self, index):
        found = re.match(r"^-?\w+<(.*)>$", self.args[index])
        return found.group(1) if found else None


def split_arguments(text):
    """At commas outside strings, brackets and descriptors' paths."""
    parts, depth, start, quoted, i = [], 0, 0, False, 0
    while i < len(text):
        c = text[i]
        if quoted:
            if c == "\\":
                i += 1
            elif c == '"':
                quoted = False
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
        i += 1
    last = text[start:].strip()
    return parts + [last] if last or parts else []


def read(path):
    calls = []
    begun = {}
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            found = LINE.match(line.rstrip("\n"))
            if not found:
                continue
            pid, time, text = int(found.group(1)), float(found.group(2)), found.group(3)
            if text.endswith("<unfinished ...>"):
                begun[pid] = (time, text[:-len("<unfinished ...>")].rstrip())
                continue
            resumed = RESUMED.match(text)
            if resumed:
                if pid not in begun:
                    continue
                time, first = begun.pop(pid)
                text = first + resumed.group(2).lstrip()
            call = CALL.match(text)
            if call:
                result = None if call.group(3) == "?" else int(call.group(3))
                calls.append(Call(pid, time, call.group(1), split_arguments(call.group(2)), result,
                                  call.group(4)))
    return sorted(calls, key=lambda c: c.time)
