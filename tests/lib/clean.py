#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fails where a view passes on a byte that a terminal obeys, or one that is no UTF-8.

Usage: clean.py FILE MODE. Modes: programs (no control bytes), people (nor what turns or hides text: Unicode's directions,
line ends, zero widths), ascii (nothing but ASCII), protobuf (an OTLP payload: it is one, and its texts are UTF-8).
"""

import re
import sys

BAD = {"programs": "[\x00-\x08\x0b-\x1f\x7f-\x9f]",
       "people": "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]",
       "ascii": "[^\n\x20-\x7e]"}
# Fields of messages by their numbers (opentelemetry-proto): a message, or a text.
ANY = {1: "text", 5: {}, 6: {}}
ANY[5][1] = ANY
KEY_VALUE = {1: "text", 2: ANY}
ANY[6][1] = KEY_VALUE
SPAN = {3: "text", 5: "text", 9: KEY_VALUE, 11: {2: "text", 3: KEY_VALUE}, 15: {2: "text"}}
TRACES = {1: {1: {1: KEY_VALUE}, 2: {1: {1: "text", 2: "text"}, 2: SPAN}, 3: "text"}}


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def texts(data, message):
    """Each text in a message, decoded."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 2:
            length, at = varint(data, at)
            assert at + length <= len(data), "a field that is longer than its message"
            inner, at = data[at:at + length], at + length
            kind = message.get(tag >> 3)
            if kind == "text":
                yield inner.decode("utf-8", "strict")
            elif kind is not None:
                yield from texts(inner, kind)
        elif tag & 7 == 0:
            _, at = varint(data, at)
        else:
            at += {1: 8, 5: 4}[tag & 7]
    assert at == len(data)


def main():
    path, mode = sys.argv[1:]
    with open(path, "rb") as f:
        data = f.read()
    if mode == "protobuf":
        text, mode = "\n".join(texts(data, TRACES)), None  # control bytes are no harm there
    else:
        text = data.decode("utf-8", "strict")
    found = mode and re.search(BAD[mode], text)
    if not text or found:
        sys.exit(repr(text[max(0, found.start() - 40):found.start() + 40]) if found else "nothing was said")


main()
