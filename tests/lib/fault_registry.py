#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry that serves one OCI layout and misbehaves on purpose.

fault_registry.py LAYOUT LOG [CERT KEY [CA]]: prints "PORT OTHER_PORT" and serves until killed. With a certificate
the first port speaks TLS; with a CA it wants a client's certificate. The last component of
the repository's name chooses the fault; every request is logged as "PORT PATH Authorization=... Range=...".
"""
import hashlib
import http.server
import json
import os
import socketserver
import ssl
import sys
import threading
import time

layout, log_path = sys.argv[1:3]
tls = sys.argv[3:]
scheme = "https" if tls else "http"
index = json.load(open(os.path.join(layout, "index.json")))
top = index["manifests"][0]["digest"]
seen = {}
other_port = 0
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def blob(digest):
    with open(os.path.join(layout, "blobs", *digest.split(":")), "rb") as f:
        return f.read()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def inner():
    """An index within an index, whose only entry has no platform."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": top, "size": len(blob(top))}]}).encode()


def first(key):
    seen[key] = seen.get(key, 0) + 1
    return seen[key]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        with open(log_path, "a") as f:
            f.write("%d %s Authorization=%s Range=%s\n" % (
                self.server.server_address[1], self.path,
                self.headers.get("Authorization"), self.headers.get("Range")))

    def reply(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, code, headers=()):
        body = json.dumps({"errors": [{"code": code, "message": code.lower().replace("_", " ")}]})
        self.reply(status, body.encode(), headers)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/token":
            return self.reply(200, b'{"token":"SECRET"}')
        if path == "/short-token":
            return self.reply(200, b'{"access_token":"SHORT%d","expires_in":1}' % first("token"))
        if path == "/elsewhere":
            return self.reply(200, blob(self.path.split("?")[1]))
        parts = path.split("/")
        if len(parts) < 5 or parts[1] != "v2":
            return self.error(404, "NAME_UNKNOWN")
        fault, kind, name = parts[-3], parts[-2], parts[-1]
        if fault in ("auth", "redirect", "urls", "foreign") and self.headers.get("Authorization") != "Bearer SECRET":
            port = self.server.server_address[1]
            return self.error(401, "UNAUTHORIZED", [(
                "WWW-Authenticate",
                'Bearer realm="%s://127.0.0.1:%d/token",service="fault",scope="repository:%s:pull"'
                % (scheme, port, "/".join(parts[2:-2])))])
        if fault == "expire":  # a token is good for two requests
            authorization = self.headers.get("Authorization") or "none"
            if not authorization.startswith("Bearer SHORT") or first(authorization) > 2:
                return self.error(401, "UNAUTHORIZED", [
                    ("WWW-Authenticate", 'basic realm="x", charset="UTF-8"'), (
                        "WWW-Authenticate", 'bearer realm="%s://127.0.0.1:%d/short-token"'
                        % (scheme, self.server.server_address[1]))])
        if fault == "date" and first("date" + kind) == 1:
            return self.error(429, "TOOMANYREQUESTS", [
                ("Retry-After", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2)))])
        if fault == "busy" and first("busy" + kind) == 1:
            return self.error(429 if kind == "manifests" else 503, "TOOMANYREQUESTS",
                              [("Retry-After", "1")])
        if fault == "denied":
            return self.error(403, "DENIED")
        if kind == "manifests":
            return self.manifest(fault, name)
        return self.layer(fault, name)

    def manifest(self, fault, name):
        if fault == "missing":
            return self.error(404, "MANIFEST_UNKNOWN")
        known = os.path.exists(os.path.join(layout, "blobs", *name.split(":")))
        body, kind = blob(name if ":" in name and known else top), MANIFEST
        doc = json.loads(body)
        if fault == "both":
            doc["manifests"] = []
            body = json.dumps(doc).encode()
        elif fault == "type":
            doc["mediaType"] = INDEX
            body = json.dumps(doc).encode()
        elif fault == "huge":
            body = b'{"schemaVersion":2,"x":"' + b"x" * (5 << 20) + b'"}'
        elif fault == "deep":
            body = b'{"schemaVersion":2,"x":' + b"[" * 5000 + b"]" * 5000 + b"}"
        elif fault == "notjson":
            body = b"<html>hello</html>"
        elif fault == "wrongmanifest":
            body += b" "
        elif fault in ("urls", "foreign"):  # layers that say where else they are (CVE-2020-15157)
            for layer in doc["layers"]:
                if fault == "foreign":
                    layer["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
                layer["urls"] = ["http://127.0.0.1:%d/elsewhere?%s" % (other_port, layer["digest"])]
            body = json.dumps(doc).encode()
        elif fault == "layers":
            doc["layers"] = doc["layers"] * 600
            body = json.dumps(doc).encode()
        elif fault == "platforms" and ":" not in name:
            kind = INDEX
            body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
                {"mediaType": MANIFEST, "digest": "sha256:" + "0" * 64, "size": 3,
                 "platform": {"os": "linux", "architecture": "s390x"}},
                {"mediaType": MANIFEST, "digest": top, "size": len(body),
                 "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()
        elif fault == "nested" and ":" not in name:
            kind = INDEX
            body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
                {"mediaType": MANIFEST, "digest": top, "size": len(body),
                 "platform": {"os": "unknown", "architecture": "unknown"}},
                {"mediaType": INDEX, "digest": digest_of(inner()), "size": len(inner())}]}).encode()
        elif fault == "nested" and name == digest_of(inner()):
            kind, body = INDEX, inner()
        elif fault == "charset":
            kind += "; charset=utf-8"
        elif fault == "untyped":
            kind = "application/json"
        self.reply(200, body, [("Content-Type", kind),
                               ("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())])

    def layer(self, fault, digest):
        body = blob(digest)
        if digest != json.loads(blob(top))["layers"][0]["digest"]:
            if not (fault == "config" and body[:1] == b"{"):
                return self.reply(200, body)
            body = body[:-1] + b" "
        half = len(body) // 2
        if fault == "flip":
            body = body[:half] + bytes([body[half] ^ 1]) + body[half + 1:]
        elif fault == "truncate":
            body = body[:half]
        elif fault == "append":
            body += b"garbage"
        elif fault == "redirect":
            return self.reply(307, b"", [("Location", "http://127.0.0.1:%d/elsewhere?%s"
                                          % (other_port, digest))])
        elif fault == "relative":
            return self.reply(308, b"", [("Location", "/elsewhere?%s" % digest)])
        elif fault in ("chunked", "chunkcut", "close"):
            return self.unmeasured(fault, body, half)
        elif fault == "loop":
            return self.reply(307, b"", [("Location", self.path)])
        elif fault == "file":
            return self.reply(307, b"", [("Location", "file:///etc/passwd")])
        elif fault == "stall":
            self.reply(200, body[:half], length=len(body))
            self.wfile.flush()
            return time.sleep(20)
        elif fault in ("break", "norange", "lie"):
            return self.broken(fault, body, half)
        self.reply(200, body)

    def unmeasured(self, fault, body, half):
        """No Content-Length: in chunks; in chunks that end in the middle; until the connection ends."""
        start = 0
        if fault == "chunkcut" and self.headers.get("Range"):
            start = int(self.headers["Range"].split("=")[1].split("-")[0])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", "bytes %d-%d/*" % (start, len(body) - 1))
        if fault == "close":
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = half if fault == "chunkcut" and first(fault) == 1 else len(body)
        while start < end:
            piece = body[start:min(start + 30000, end)]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            start += len(piece)
        if end == len(body):
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def broken(self, fault, body, half):
        """break: resumes by Range; norange: starts over; lie: promises more than there is."""
        self.close_connection = True
        start = 0
        if self.headers.get("Range") and fault != "norange":
            start = int(self.headers["Range"].split("=")[1].split("-")[0])
        if fault == "lie":
            return self.reply(200, body, length=len(body) + 100)
        if first(fault) == 1:
            return self.reply(200, body[:half], length=len(body))
        if start:
            return self.reply(206, body[start:], [("Content-Range", "bytes %d-%d/%d" % (
                start, len(body) - 1, len(body)))])
        return self.reply(200, body)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


servers = [Server(("127.0.0.1", 0), Handler) for _ in range(2)]
other_port = servers[1].server_address[1]
if tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls[0], tls[1])
    if len(tls) > 2:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls[2])
    # The handshake is done by the thread of the connection.
    servers[0].socket = context.wrap_socket(servers[0].socket, server_side=True, do_handshake_on_connect=False)
print(servers[0].server_address[1], other_port, flush=True)
for s in servers:
    threading.Thread(target=s.serve_forever, daemon=True).start()
threading.Event().wait()
