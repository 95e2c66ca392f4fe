#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A collector for OTLP over HTTP (JSON) that takes everything: writes one line for each span, as JSON, to FILE.

Usage: otlp_keeper.py PORT FILE. Each line: trace, span, parent, name, service, attributes, start, end.
"""

import gzip
import http.server
import json
import sys


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with open(sys.argv[2], "a", encoding="utf-8") as f:
            for resource in json.loads(body)["resourceSpans"]:
                attributes = {a["key"]: a["value"] for a in resource["resource"]["attributes"]}
                for span in (s for scope in resource["scopeSpans"] for s in scope["spans"]):
                    f.write(json.dumps({
                        "path": self.path, "trace": span["traceId"], "span": span["spanId"],
                        "parent": span.get("parentSpanId", ""), "name": span["name"],
                        "service": attributes.get("service.name", {}).get("stringValue"),
                        "container": {a["key"]: a["value"] for a in span.get("attributes", [])}.get(
                            "container.id", attributes.get("container.id", {})).get("stringValue"),
                        "start": int(span["startTimeUnixNano"]), "end": int(span["endTimeUnixNano"])}) + "\n")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Collector).serve_forever()
