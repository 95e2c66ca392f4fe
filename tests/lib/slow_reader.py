# SPDX-License-Identifier: Apache-2.0
"""A reader of a tracer's stream that asks for everything and then reads nothing until a line comes on stdin;
then it reads all that is there and prints how many events it got and how many it was told to have lost.

Usage: slow_reader.py SOCKET
"""

import socket
import struct
import sys
import time
import zlib

LOST = 260
FRAME_EVENTS = 2


def events(frame):
    at = 0
    while at < len(frame):
        size, kind = struct.unpack_from("<HH", frame, at)
        yield kind, frame[at:at + size]
        at += size


def main():
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(sys.argv[1])
    client.sendall(struct.pack("<4sHHQ", b"ctrq", 1, 0, 0))
    print("connected", flush=True)
    sys.stdin.readline()
    client.settimeout(2)
    data = b""
    end = time.monotonic() + 5  # others may go on making events
    try:
        while time.monotonic() < end:
            part = client.recv(1 << 20)
            if not part:
                break
            data += part
    except socket.timeout:
        pass
    at, count, lost = 8, 0, 0
    while at + 16 <= len(data):
        kind, raw, stored, crc = struct.unpack_from("<IIII", data, at)
        body = data[at + 16:at + 16 + stored]
        if len(body) < stored:
            break
        assert zlib.crc32(body) == crc, "a damaged frame"
        at += 16 + stored
        if kind != FRAME_EVENTS:
            continue
        frame = body if stored == raw else zlib.decompress(body)
        for event, record in events(frame):
            if event == LOST:
                lost_kind, reason, total = struct.unpack_from("<IIQ", record, 64)
                lost = max(lost, total) if reason == 9 else lost
            else:
                count += 1
    print("events %d lost %d" % (count, lost))


main()
