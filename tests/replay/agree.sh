#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# timeout: 300
# What several views tell of a recording they tell alike: lists, pictures, JSON and spans.
. tests/lib/env.sh
need python3
[ -x "$CTRACE_OUTPUT/ctrace-top" ] || skip_all "ctrace-top is not built"

for recording in "$TOP"/tests/replay/*.ctrace; do
	check "$(basename "$recording" .ctrace): the views agree" /usr/bin/python3 -B "$LIB/agree.py" "$CTRACE" "$recording"
done

# parallel-2 is a container, and the beginning of ten others' ids.
many=$TOP/tests/replay/runc-parallel.ctrace
is "$("$CTRACE" show --json "$many" parallel-2 | grep -c '"type":"timeline"')" 1 "a whole id means one container"
is "$("$CTRACE" show --json "$many" parallel- | grep -c '"type":"timeline"')" 50 "the beginning of ids all that begin so"
done_testing
