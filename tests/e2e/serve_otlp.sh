#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# ctrace serve pushes traces: a collector gets each start and each end once, with the ids that exemplars have; one that
# is away harms nothing else, and what it did not get is counted.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve
need runc jq
busybox_image || skip_all "no busybox image"
bundle "$WORK/true" /bin/true
bundle "$WORK/sleeper" sleep 60
bundle "$WORK/nothing" /no/such/program

port=$(free_port)
spans=$WORK/spans
: >"$spans"
/usr/bin/python3 "$LIB/otlp_keeper.py" "$port" "$spans" &
on_exit stop_process $!
export OTEL_EXPORTER_OTLP_PROTOCOL=http/json
"$CTRACE" serve --listen none --no-stream --otlp-endpoint ftp://nowhere >"$WORK/out" 2>&1
is $? 125 "an endpoint that is none is an error: $(cat "$WORK/out")"
serve_start --otlp-endpoint "http://127.0.0.1:$port" || { done_testing; exit; }

rc run --detach --bundle "$WORK/sleeper" "o-run-$$" </dev/null >/dev/null 2>&1
on_exit rc delete --force "o-run-$$"
rc run --bundle "$WORK/true" "o-true-$$" </dev/null >/dev/null 2>&1
rc run --bundle "$WORK/nothing" "o-not-$$" </dev/null >/dev/null 2>&1

# spans_of ID: names of its spans, sorted
spans_of()
{
	jq -r --arg id "$1" 'select(.container == $id) | .name' "$spans" | sort | uniq -c | awk '{$1 = $1; print}'
}
wait_for 20 eval "spans_of o-true-$$ | grep -q teardown"
wait_for 20 eval "spans_of o-run-$$ | grep -q start"
wait_for 20 eval "spans_of o-not-$$ | grep -q start"
is "$(spans_of "o-true-$$" | grep container)" "1 container run
1 container start
1 container teardown" "a container that ended: its start, run and teardown, once each"
is "$(spans_of "o-run-$$" | grep container)" "1 container start" "one that runs: its start"
is "$(spans_of "o-not-$$" | grep -c "container start")" 1 "one whose start failed: that"
its_trace=$(jq -r --arg id "o-true-$$" 'select(.container == $id) | .trace' "$spans" | sort -u)
is "$(jq -r --arg trace "$its_trace" 'select(.trace == $trace and .service == "runc") | .name' "$spans" |
	grep -xE 'mounts|cgroup|namespaces|pivot' | sort -u | tr '\n' ' ')" "cgroup mounts namespaces pivot " "with its phases in the same trace"
is "$(jq -r 'select(.end < .start) | .name' "$spans")" "" "none ends before it starts"
is "$(jq -r .span "$spans" | sort | uniq -d)" "" "no span comes twice"
trace=$(metrics 'application/openmetrics-text' | sed -n 's/^ctrace_container_start_duration_seconds_bucket{runtime="runc".*trace_id="\([0-9a-f]*\)".*/\1/p' |
	head -n 1)
wait_for 10 grep -q "\"trace\": \"$trace\"" "$spans"
check "an exemplar's trace is there" grep -q "\"trace\": \"$trace\"" "$spans"
check "what was sent is counted" test "$(metric 'ctrace_exporter_sent_total{exporter="otlp"}')" -ge 5
rc run --bundle "$WORK/true" "o-late-$$" </dev/null >/dev/null 2>&1
serve_stop
like "$(spans_of "o-late-$$")" "container start" "what was not told yet is told at its end"

# ---- a collector that is not there ----

serve_start --otlp-endpoint "http://127.0.0.1:$(free_port)" || { done_testing; exit; }
rc run --bundle "$WORK/true" "o-away-$$" </dev/null >/dev/null 2>&1
sleep 1.5
check "without a collector scrapes go on" metrics
is "$(metric 'ctrace_exporter_sent_total{exporter="otlp"}')" 0 "nothing was sent"
start=$(date +%s)
serve_stop
is "$SERVE_CODE" 0 "it ends as it is told"
like "$(tail -n 1 "$WORK/serve.err")" "[0-9]+ spans were not sent to the collector: ." "and says what it leaves behind"
check "without waiting for the collector for long" test $(($(date +%s) - start)) -le 10

done_testing
