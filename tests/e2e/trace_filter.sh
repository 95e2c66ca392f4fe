#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# TRACEPARENT in ctrace's environment makes the traces of what it runs a part of the caller's; --filter narrows a
# live session; both are kept in the recording.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need_ctrace show replay
need runc jq
busybox_image || skip_all "no busybox image"

trace=4bf92f3577b34da6a3ce929d0e0e4736
span=00f067aa0ba902b7
bundle "$WORK/b" true
TRACEPARENT=00-$trace-$span-01 "$CTRACE" trace --trace=none --events --json="$WORK/live" --record "$WORK/r" -- \
	runc --root "$WORK/runc" run --bundle "$WORK/b" "child-$$" >"$WORK/out" 2>"$WORK/err"
is $? 0 "a traced runc"

# ids FILE: trace, parent and own span of the container's last timeline
ids()
{
	jq -r --arg id "child-$$" 'select(.type == "timeline" and .id == $id) | [.trace_id, .parent_span_id, .span_id] | @tsv' "$1" | tail -n 1
}
own=$(ids "$WORK/live" | cut -f3)
is "$(ids "$WORK/live")" "$trace	$span	$own" "its trace is the caller's, below the caller's span"
is "${#own}" 16 "with a span of its own"
"$CTRACE" replay --json --events "$WORK/r" >"$WORK/replay"
check "a replay says the same, byte for byte" cmp "$WORK/live" "$WORK/replay"
TRACEPARENT=00-0123456789abcdef0123456789abcdef-0123456789abcdef-01 "$CTRACE" show --json "$WORK/r" >"$WORK/show"
is "$(ids "$WORK/show")" "$trace	$span	$own" "whoever shows it, and from where"
is "$("$CTRACE" show --otlp "$WORK/r" "child-$$" | jq -r '[.resourceSpans[].scopeSpans[].spans[] | select(.name == "container start")] |
	.[] | [.traceId, .parentSpanId, .spanId] | @tsv')" "$trace	$span	$own" "OTLP names the same spans"

TRACEPARENT=00-$trace-$span-zz "$CTRACE" trace --trace=none --json="$WORK/live" -- \
	runc --root "$WORK/runc" run --bundle "$WORK/b" "child-$$" >"$WORK/out" 2>"$WORK/err"
is "$?:$(ids "$WORK/live" | cut -f2)" "0:" "what is no traceparent is not used"

# Twice, with a filter that only one of them passes.
bundle "$WORK/one" true
bundle "$WORK/two" sh -c 'exit 3'
"$CTRACE" trace --trace=none --filter 'exit!=0 id~filter-' --json="$WORK/live" --record "$WORK/r" -- sh -c "
	runc --root $WORK/runc run --bundle $WORK/one filter-$$-one; runc --root $WORK/runc run --bundle $WORK/two filter-$$-two" \
	>"$WORK/out" 2>"$WORK/err"
is "$(jq -r 'select(.type == "timeline" and .change == "ended").id' "$WORK/live")" "filter-$$-two" "only the one that passes is shown"
"$CTRACE" replay --json "$WORK/r" >"$WORK/replay"
check "and only it by a replay, byte for byte" cmp "$WORK/live" "$WORK/replay"
"$CTRACE" show --all --json "$WORK/r" >"$WORK/all"
is "$(jq -r 'select(.type == "timeline").id' "$WORK/all" | grep -c "filter-$$-")" 2 "show --all has both"
"$CTRACE" trace --filter 'exit=' -- true 2>"$WORK/err"
is "$?:$(head -n 1 "$WORK/err")" "125:ctrace trace: --filter: column 6: a value is missing" "a wrong filter: exit code 125, and where it is wrong"
done_testing
