#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Scrapes ctrace serve, and judges what it got.

Usage: scraper.py run URL DIRECTORY SECONDS   a scrape each so many seconds, until SIGTERM: DIRECTORY/NUMBER is the text,
                                              DIRECTORY/times has how long each took, in seconds
       scraper.py judge DIRECTORY MOST        prints test points: counters only rise, no more than MOST containers have
                                              series of their own, no series is there twice
"""

import os
import re
import signal
import sys
import time
import urllib.request

import tl

SAMPLE = re.compile(r"([a-z_:]+)(\{.*\})? (\S+)$")


def run(url, directory, seconds):
    going = True

    def stop(*_):
        nonlocal going
        going = False

    signal.signal(signal.SIGTERM, stop)
    number, due = 0, time.monotonic()
    with open(os.path.join(directory, "times"), "w", encoding="ascii") as times:
        while going:
            began = time.monotonic()
            with urllib.request.urlopen(url, timeout=30) as answer:
                text = answer.read()
            print("%.4f" % (time.monotonic() - began), file=times, flush=True)
            with open(os.path.join(directory, str(number)), "wb") as f:
                f.write(text)
            number += 1
            due += seconds
            time.sleep(max(0, due - time.monotonic()))


def read(path):
    """The samples, and which families are counters or histograms."""
    samples, rising, twice = {}, set(), []
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if line.startswith("# TYPE ") and words[3] in ("counter", "histogram"):
                rising.add(words[2])
            found = None if line.startswith("#") else SAMPLE.match(line)
            if found:
                key = (found.group(1), found.group(2) or "")
                if key in samples:
                    twice.append(key)
                samples[key] = float(found.group(3))
    return samples, rising, twice


def judge(directory, most):
    p = tl.Points()
    names = sorted((n for n in os.listdir(directory) if n.isdigit()), key=int)
    before, falling, doubled, vanished, crowd, sizes = {}, [], [], [], 0, []
    for name in names:
        samples, rising, twice = read(os.path.join(directory, name))
        doubled += twice
        counted = {k: v for k, v in samples.items()
                   if k[0] in rising or re.sub(r"_(bucket|sum|count)$", "", k[0]) in rising}
        falling += [(name, k, before[k], v) for k, v in counted.items() if v < before.get(k, 0)]
        vanished += [(name, k) for k in before if k not in counted]
        crowd = max(crowd, len({k[1] for k in samples if k[0] == "ctrace_container_info"}))
        sizes.append(len(samples))
        before = counted
    with open(os.path.join(directory, "times"), encoding="ascii") as f:
        times = sorted(float(line) for line in f)
    p.check(len(names) > 2, "it was scraped: %d times, %.1f ms in the middle, %.1f ms at most; %d to %d samples" %
            (len(names), times[len(times) // 2] * 1000, times[-1] * 1000, min(sizes), max(sizes)))
    p.check(times[-1] < 5, "no scrape took long", times[-3:])
    p.equal(falling[:5], [], "counters only rise (%d of them)" % len(before))
    p.equal(vanished[:5], [], "and none goes away")
    p.equal(doubled[:5], [], "no series is there twice")
    p.check(crowd <= most, "no more than %d containers have series of their own: at most %d" % (most, crowd), crowd)


if sys.argv[1] == "run":
    run(sys.argv[2], sys.argv[3], float(sys.argv[4]))
else:
    judge(sys.argv[2], int(sys.argv[3]))
