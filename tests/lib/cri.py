#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A kubelet as far as tests need one: calls of the container runtime interface (runtime.v1) by curl, which speaks the HTTP/2
that gRPC is carried by.

cri.py SOCKET pod NAME NODE|POD         run a sandbox, in the node's network or one of its own; prints its id
cri.py SOCKET create POD-ID POD-NAME NODE|POD NAME IMAGE MEMORY COMMAND...    prints the container's id
cri.py SOCKET start|stop|rm ID
cri.py SOCKET exec ID COMMAND...        exits as the command did
cri.py SOCKET stop-pod|rm-pod ID
cri.py SOCKET ready                     whether it answers
"""

import struct
import subprocess
import sys

NAMESPACE_MODE = {"POD": 0, "NODE": 2}


def varint(n):
    out = bytearray()
    while True:
        out.append(n & 0x7f | (0x80 if n > 0x7f else 0))
        n >>= 7
        if not n:
            return bytes(out)


def message(fields):
    """Of {number of the field: number, text, message or a list of them}, as protobuf's wire format wants it."""
    out = b""
    for number, value in fields.items():
        for v in value if isinstance(value, list) else [value]:
            if isinstance(v, int):
                out += varint(number << 3) + varint(v)
                continue
            data = message(v) if isinstance(v, dict) else v.encode()
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def read_varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return n, at


def fields(data):
    """The last value of each field: bytes, or a number."""
    out, at = {}, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        n, at = read_varint(data, at)
        if tag & 7 == 2:
            out[tag >> 3] = data[at:at + n]
            at += n
        else:
            out[tag >> 3] = n
    return out


def call(socket, method, request):
    frame = struct.pack(">BI", 0, len(request)) + request
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--http2-prior-knowledge", "--unix-socket", socket, "--dump-header", "/dev/stderr",
         "--header", "content-type: application/grpc", "--header", "te: trailers", "--data-binary", "@-",
         "http://localhost/runtime.v1.RuntimeService/" + method],
        input=frame, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    headers = dict(line.split(": ", 1) for line in done.stderr.decode().splitlines() if ": " in line)
    if done.returncode or headers.get("grpc-status") != "0":
        sys.exit("cri: %s: %s" % (method, headers.get("grpc-message") or done.stderr.decode()))
    return fields(done.stdout[5:])


def entries(**pairs):
    return [{1: k, 2: v} for k, v in pairs.items()]


def pod_config(name, mode):
    """A pod in the node's network has no name of a host of its own."""
    return {1: {1: name, 2: "uid-" + name, 3: "shop"}, 2: name if mode == "POD" else [], 6: entries(app=name),
            8: {2: {1: {1: NAMESPACE_MODE[mode], 2: 1}}}}


def container_config(name, image, memory, command):
    return {1: {1: name}, 2: {1: image}, 3: command, 9: entries(tier="front"),
            15: {1: {4: int(memory)}, 2: {3: {2: 1}}}}


def main(socket, verb, *args):
    if verb == "ready":
        call(socket, "Version", b"")
    elif verb == "pod":
        print(call(socket, "RunPodSandbox", message({1: pod_config(*args)}))[1].decode())
    elif verb == "create":
        pod, pod_name, mode, *rest = args
        print(call(socket, "CreateContainer", message({
            1: pod, 2: container_config(*rest[:3], list(rest[3:])), 3: pod_config(pod_name, mode)}))[1].decode())
    elif verb == "exec":
        sys.exit(call(socket, "ExecSync", message({1: args[0], 2: list(args[1:])})).get(3, 0))
    else:
        method = {"start": "StartContainer", "stop": "StopContainer", "rm": "RemoveContainer",
                  "stop-pod": "StopPodSandbox", "rm-pod": "RemovePodSandbox"}[verb]
        call(socket, method, message({1: args[0]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
