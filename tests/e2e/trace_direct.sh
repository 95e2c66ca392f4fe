#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# The programs for lockdown=confidentiality, which read the kernel's memory by plain loads, see of a start what
# the others see.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need_ctrace replay
need runc jq
busybox_image || skip_all "no busybox image"
grep -q bpf_rdonly_cast /proc/kallsyms || skip_all "needs bpf_rdonly_cast, Linux 6.2"

# What is told of the own processes of runc (others may run ctrace meanwhile), less what differs from start to start.
told() { # RECORDING
	"$CTRACE" replay --json --events "$1" | jq -r 'select(.type == "event" and .role == "runtime" and (.comm | startswith("runc")))
		| [.event, .data.op, .data.a, .data.b, .data.c, .data.path, .data.file, .data.value, .data.filename,
		   .data.result, .data.new_comm, .comm, .ns_level] | map(tostring) | join(" ")' |
		sed -E 's/[0-9]+/N/g; s/runc\.[A-Za-z0-9]+/runc.X/g' | sort | uniq -c
}

JQ='.linux.resources.memory = {limit: 67108864}' bundle "$WORK/b" sh -c 'exit 8'
for reads in helpers direct; do
	[ $reads = direct ] && export CTRACE_DIRECT_READS=1
	"$CTRACE" record --always-armed "$WORK/$reads.ctrace" -- runc --root "$WORK/runc" run --bundle "$WORK/b" \
		"same-$$" >"$WORK/out" 2>"$WORK/err"
	is $? 8 "record of a start, read by $reads"
	told "$WORK/$reads.ctrace" >"$WORK/$reads.told"
done
check "there is something to compare" test "$(wc -l <"$WORK/direct.told")" -gt 40
if cmp -s "$WORK/helpers.told" "$WORK/direct.told"; then
	ok "plain loads tell of the runtime what the helpers tell"
else
	not_ok "plain loads tell of the runtime what the helpers tell"
	diag "$(diff "$WORK/helpers.told" "$WORK/direct.told" | head -n 40)"
fi
done_testing
