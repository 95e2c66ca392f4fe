# SPDX-License-Identifier: Apache-2.0
"""Reads the Test Anything Protocol as cmocka and our scripts print it."""

import os
import re

POINT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*(?:SKIP\s*)?(.*))?$", re.IGNORECASE)
SKIP = re.compile(r"#\s*SKIP\S*\s*(.*)$", re.IGNORECASE)


class Result:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.skip_reasons = []
        self.notes = []
        self.seconds = 0.0

    def fail(self, what):
        self.failed += 1
        self.failures.append(what)

    def skip(self, reason):
        self.skipped += 1
        self.skip_reasons.append(reason)


def parse(text, status):
    """text: what the test printed; status: its wait status. A test that ends badly, or whose
    plan and points disagree, has failed, however many points passed."""
    result = Result()
    planned = None
    points = 0
    for line in text.splitlines():
        plan = PLAN.match(line)
        if plan:
            # cmocka prints one plan per group.
            planned = (planned or 0) + int(plan.group(1))
            if plan.group(1) == "0":
                result.skip(plan.group(2) or "no reason given")
            continue
        if line.startswith("Bail out!"):
            result.fail(line)
            continue
        point = POINT.match(line)
        if not point:
            continue
        points += 1
        skip = SKIP.search(point.group(3))
        if skip:
            # cmocka puts the test's name where TAP has the reason.
            result.skip(point.group(3))
        elif point.group(1):
            result.fail(point.group(3) or "point %d" % points)
        else:
            result.passed += 1
    if planned is None:
        result.fail("it printed no plan (it died before its end?)")
    elif planned != points:
        result.fail("it planned %d points and printed %d" % (planned, points))
    if os.WIFSIGNALED(status):
        result.fail("it was killed by signal %d" % os.WTERMSIG(status))
    elif os.WEXITSTATUS(status) and not result.failed:
        result.fail("it exited with code %d" % os.WEXITSTATUS(status))
    return result
