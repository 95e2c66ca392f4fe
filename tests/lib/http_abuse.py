# SPDX-License-Identifier: Apache-2.0
"""What a metrics endpoint must survive. Usage: http_abuse.py HOST PORT. Prints test points (tl.Points)."""

import http.client
import socket
import sys
import time

import tl

host, port = sys.argv[1], int(sys.argv[2])
p = tl.Points()


def request(method, path, headers=None, body=None):
    connection = http.client.HTTPConnection(host, port, timeout=5)
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response, data


def raw(text, wait=5):
    """The status of the answer to these bytes; "" where the connection is just closed."""
    with socket.create_connection((host, port), timeout=wait) as s:
        try:
            s.sendall(text)
            return s.recv(4096).split(b"\r\n")[0].decode("latin-1")
        except (ConnectionError, socket.timeout) as error:
            return type(error).__name__ if isinstance(error, socket.timeout) else ""


def scrape_time():
    start = time.monotonic()
    response, data = request("GET", "/metrics")
    assert response.status == 200 and b"ctrace_build_info" in data
    return time.monotonic() - start


for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
    response, _ = request(method, "/metrics", body=b"x" * 100000 if method in ("POST", "PUT") else None)
    p.equal((response.status, response.getheader("Allow")), (405, "GET, HEAD"), "%s is not allowed" % method)
response, data = request("HEAD", "/metrics")
p.equal((response.status, data), (200, b""), "HEAD gets no body")
p.check(int(response.getheader("Content-Length")) > 1000, "but its length")
p.equal(request("GET", "/healthz")[1], b"ok\n", "/healthz")
p.equal(request("GET", "/../etc/passwd")[0].status, 404, "no other path is there")
p.equal(request("GET", "/metrics?x=1")[0].status, 200, "a query is ignored")
response, _ = request("GET", "/metrics", {"Accept": "application/openmetrics-text;version=1.0.0"})
p.check("openmetrics-text; version=1.0.0" in response.getheader("Content-Type"), "OpenMetrics where it is wanted")
p.check("version=0.0.4" in request("GET", "/metrics")[0].getheader("Content-Type"), "the text format where not")

connection = http.client.HTTPConnection(host, port, timeout=5)
for _ in range(3):
    connection.request("GET", "/metrics")
    last = connection.getresponse()
    last.read()
p.equal(last.getheader("Connection"), None, "a connection is kept for the next scrape")

answer = raw(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100000 + b"\r\n\r\n")
p.check(answer == "" or " 431 " in answer or " 413 " in answer or " 400 " in answer,
        "a huge header is refused", answer)
p.check(raw(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n")[9:12] in ("", "414", "413", "431"), "a huge URL is refused")
p.check(" 200 " not in raw(b"\x00\x01\x02\xff nonsense\r\n\r\n"), "bytes that are no HTTP get nothing")
p.check(scrape_time() < 5, "scrapes go on")

slow = []
for i in range(60):
    s = socket.create_connection((host, port), timeout=5)
    s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
    slow.append(s)
p.check(scrape_time() < 5, "60 connections that never finish their request: scrapes go on")
closed = 0
end = time.monotonic() + 20
while time.monotonic() < end and closed < 30:
    closed = 0
    for s in slow:
        try:
            s.sendall(b"X: y\r\n")
            s.setblocking(False)
            closed += s.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
        finally:
            s.setblocking(True)
            s.settimeout(5)
    time.sleep(0.5)
p.check(closed >= 15, "they are closed although they send something now and then", closed)
for s in slow:
    s.close()

many = []
for i in range(300):
    try:
        many.append(socket.create_connection((host, port), timeout=1))
    except OSError:
        break
for s in many:
    s.close()
time.sleep(0.5)
p.check(scrape_time() < 5, "after many connections at once scrapes go on")
