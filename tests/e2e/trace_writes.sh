#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A value that is written to a cgroup file is told as the kernel gets it, by whichever call.
. tests/lib/env.sh
. tests/lib/trace.sh
need_tracing

if is_v1; then
	cgroup=/sys/fs/cgroup/memory/ctrace-writes-$$ file=memory.limit_in_bytes
else
	cgroup=/sys/fs/cgroup/ctrace-writes-$$ file=cgroup.max.depth
fi
mkdir "$cgroup" || skip_all "no cgroup can be made"
on_exit rmdir "$cgroup"

trace_start --always-armed --events || { done_testing; exit; }
"$CTRACE_OUTPUT/tests/stimulus" "write=$cgroup/$file:104857600" "pwrite=$cgroup/$file:209715200" \
	"writev=$cgroup/$file:419430400" >"$WORK/written"
is "$(grep -c ': 0$' "$WORK/written")" 3 "the kernel takes what write, pwrite and writev write"
trace_stop
is "$(jq -r --arg path "/ctrace-writes-$$" 'select(.event == "cgroup_write" and .data.path == $path) |
	"\(.data.file) \(.data.value) \(.data.length) \(.flags - ["sysenter"])"' "$TRACE")" "$file 104857600 9 []
$file 209715200 9 []
$file 419430400 9 []" "each is told whole, a writev of two pieces, too"
done_testing
