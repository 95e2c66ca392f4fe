#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Collectors for OTLP over HTTP that misbehave as they are told.

Reads lines, and answers each with one. One process for all: on a busy machine Python takes seconds to start.

    start ACTION...  a new collector. Prints its port. Each request uses up one ACTION; when they are used up all is taken
    finish PORT      prints JSON (requests, the numbers {"u": N} of the units that it took, in order, what it saw of the
                     last request's headers)

Actions:

    ok             takes it
    STATUS[/WAIT]  answers with that status (and Retry-After: WAIT, a number or a date in WAIT seconds if it is dWAIT)
    limit/BYTES    stays: 413 for bodies that are larger
    partial/N      takes it, and says that it rejected N spans of it
    reset          reads it and cuts the connection off (RST)
    stall          reads it and never answers
    close          closes the connection before it reads
    garbage        answers 200 with a body that makes no sense
    half           reads half of the body and cuts the connection off
    noise          answers with what is no HTTP
    gzip/N         as partial/N, compressed, though nobody asked for it
    badgzip        answers 200 with a body that says it is gzip and is not
    chunked/N      as partial/N, in chunks of one byte
    cut            answers 200 and cuts the connection off within the first chunk of the body
    continue       says 100 Continue twice before it answers
    bye            takes it and closes the connection
"""

import email.utils
import gzip
import http.server
import json
import socket
import struct
import sys
import threading
import time


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    limit = None  # the rest of what is told and seen is in the class that start makes

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        self.statuses.append(status)
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Type", self.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def take(self, body):
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.headers.get("Content-Type") == "application/json":
            self.units.extend(u["u"] for u in json.loads(body)["resourceSpans"])
        else:
            self.units.append(len(body))

    def cut_off(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def write_raw(self, *parts):
        for part in parts:
            self.wfile.write(part)
            self.wfile.flush()

    def answer_oddly(self, action, value):
        """What it took is taken; the answer is one that a proxy or a server in trouble may give."""
        partial = json.dumps({"partialSuccess": {"rejectedSpans": value, "errorMessage": "some"}}).encode()
        if action == "gzip":
            self.answer(200, gzip.compress(partial), [("Content-Encoding", "gzip")])
        elif action == "badgzip":
            self.answer(200, b"no gzip at all", [("Content-Encoding", "gzip")])
        elif action == "bye":
            self.close_connection = True
            self.answer(200, b"{}", [("Connection", "close")])
        elif action == "continue":
            self.write_raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 2)
            self.answer(200, b"{}")
        else:
            self.statuses.append(200)
            self.write_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            if action == "cut":
                self.write_raw(b"100\r\n{")
                self.cut_off()
            else:
                self.write_raw(*(b"1\r\n%c\r\n" % byte for byte in partial), b"0\r\n\r\n")

    def do_POST(self):
        action, _, value = (self.actions.pop(0) if self.actions else "ok").partition("/")
        if action == "limit":
            type(self).limit = int(value)
            action = "ok"
        if action == "close":
            self.statuses.append(action)
            self.cut_off()
            return
        if action == "half":
            self.rfile.read(int(self.headers["Content-Length"]) // 2)
            self.statuses.append(action)
            self.cut_off()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen = {"path": self.path, **{k.lower(): v for k, v in self.headers.items()}}
        if self.limit and len(body) > self.limit:
            self.answer(413)
        elif action == "reset":
            self.statuses.append(action)
            self.cut_off()
        elif action == "stall":
            self.statuses.append(action)
            self.stop.wait(60)
            self.close_connection = True
        elif action == "noise":
            self.statuses.append(action)
            self.write_raw(b"\x00\xff no HTTP\r\n\r\n")
            self.close_connection = True
        elif action.isdigit():
            wait = email.utils.formatdate(time.time() + int(value[1:]) + 1, usegmt=True) if value.startswith("d") else value
            self.answer(int(action), b"", [("Retry-After", wait)] if value else ())
        elif action in ("gzip", "badgzip", "chunked", "cut", "continue", "bye"):
            self.take(body)
            self.answer_oddly(action, value)
        else:
            self.take(body)
            self.answer(200, {"partial": json.dumps({"partialSuccess": {"rejectedSpans": value, "errorMessage": "\u001b[31mno"}}).encode(),
                              "garbage": b"\xff\x00{]"}.get(action, b"{}"))


def start(actions):
    kind = type("OneCollector", (Collector,), {"actions": actions, "units": [], "statuses": [], "seen": {},
                                               "stop": threading.Event()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main():
    servers = {}
    for line in sys.stdin:
        command, *words = line.split()
        if command == "start":
            server = start(words)
            servers[server.server_port] = server
            print(server.server_port, flush=True)
        else:
            kind = servers[int(words[0])].RequestHandlerClass
            kind.stop.set()
            print(json.dumps({"requests": len(kind.statuses), "statuses": kind.statuses, "units": kind.units,
                              "seen": kind.seen}), flush=True)


if __name__ == "__main__":
    main()
