#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A collector for OTLP over HTTP that misbehaves as it is told.

Usage: otlp_receiver.py ACTION...

Prints its port. Each request uses up one ACTION; when they are used up all is taken. When its standard input ends it
prints one line of JSON (requests, the numbers {"u": N} of the units that it took, in order, what it saw of the
last request's headers) and exits.

    ok             takes it
    STATUS[/WAIT]  answers with that status (and Retry-After: WAIT, a number or a date in WAIT seconds if it is dWAIT)
    limit/BYTES    stays: 413 for bodies that are larger
    partial/N      takes it, and says that it rejected N spans of it
    reset          reads it and cuts the connection off (RST)
    stall          reads it and never answers
    close          closes the connection before it reads
    garbage        answers 200 with a body that makes no sense
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
    actions = []
    limit = None
    units = []
    statuses = []
    seen = {}
    stop = threading.Event()

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

    def do_POST(self):
        action, _, value = (self.actions.pop(0) if self.actions else "ok").partition("/")
        if action == "limit":
            type(self).limit = int(value)
            action = "ok"
        if action == "close":
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
        elif action.isdigit():
            wait = email.utils.formatdate(time.time() + int(value[1:]) + 1, usegmt=True) if value.startswith("d") else value
            self.answer(int(action), b"", [("Retry-After", wait)] if value else ())
        else:
            self.take(body)
            self.answer(200, {"partial": json.dumps({"partialSuccess": {"rejectedSpans": value, "errorMessage": "\u001b[31mno"}}).encode(),
                              "garbage": b"\xff\x00{]"}.get(action, b"{}"))


def main():
    Collector.actions = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    Collector.stop.set()
    print(json.dumps({"requests": len(Collector.statuses), "statuses": Collector.statuses, "units": Collector.units,
                      "seen": Collector.seen}), flush=True)


if __name__ == "__main__":
    main()
