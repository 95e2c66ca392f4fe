#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# ctrace serve reads its configuration again: what it counted goes on over another address and another collector, traces that
# wait are not lost, and of a configuration that is wrong in one thing nothing is taken over, which is said and counted.
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
export OTEL_EXPORTER_OTLP_PROTOCOL=http/json CTRACE_CONFIG=$WORK/config.json
first=127.0.0.1:$(free_port) second=127.0.0.1:$(free_port) nobody=127.0.0.1:$(free_port) collector=127.0.0.1:$(free_port)

# configure JSON...: the serve section, read by the server that runs; RELOADS is how often that was asked for.
configure()
{
	RELOADS=$((RELOADS + 1))
	printf '{"serve": %s}\n' "$1" >"$CTRACE_CONFIG"
	kill -HUP "$SERVE_PID"
	wait_for 10 eval "[ \$(grep -cE 'configuration read|not taken over' '$WORK/serve.err') = $RELOADS ]"
}
RELOADS=0

# keep FILE: the counters, a line each, sorted.
keep()
{
	metrics >"$WORK/scrape"
	awk '/^# TYPE/ { counter = $4 == "counter" } !/^#/ && counter' "$WORK/scrape" | LC_ALL=C sort >"$1"
}

# rose WHAT: no counter is gone or less than at the last call.
rose()
{
	keep "$WORK/now"
	is "$(awk 'NR == FNR { now[$1] = $2; next } !($1 in now) || now[$1] + 0 < $2 + 0 { print $1, $2, "->", now[$1] }' \
		"$WORK/now" "$WORK/before" | head -n 5)" "" "$1: no counter fell or went"
	cp "$WORK/now" "$WORK/before"
}

printf '{"serve": {"listen": "%s", "otlp_endpoint": "http://%s"}}\n' "$first" "$nobody" >"$CTRACE_CONFIG"
"$CTRACE" serve --no-stream >"$WORK/serve.out" 2>"$WORK/serve.err" &
SERVE_PID=$! SERVE=$first
on_exit stop_process "$SERVE_PID"
wait_for 30 grep -q '^ctrace serve: ready' "$WORK/serve.err" || diag "$(cat "$WORK/serve.err")"
rc run --bundle "$WORK/true" "r-one-$$" </dev/null >/dev/null 2>&1
wait_for 20 grep -q 'traces do not reach the collector: ' "$WORK/serve.err"
like "$(cat "$WORK/serve.err")" "traces do not reach the collector: [A-Z].* \(spans sent 0, refused 0, dropped 0, waiting [1-9]" \
	"it says that the collector is away, and why"
metrics >/dev/null
keep "$WORK/before"

# ---- another address ----

configure "{\"listen\": \"$second\", \"otlp_endpoint\": \"http://$nobody\"}"
SERVE=$second
rose "another address"
check "scrapes at the old one are counted" test "$(metric ctrace_scrapes_total)" -ge 3

# ---- another collector: what waited goes there ----

: >"$WORK/spans"
/usr/bin/python3 "$LIB/otlp_keeper.py" "${collector#*:}" "$WORK/spans" &
on_exit stop_process $!
configure "{\"listen\": \"$second\", \"otlp_endpoint\": \"http://$collector\"}"
wait_for 20 grep -q "r-one-$$" "$WORK/spans"
check "another collector gets what the one that was away was to get" grep -q "r-one-$$" "$WORK/spans"
is "$(jq -r .span "$WORK/spans" | sort | uniq -d)" "" "once"
is "$(metric 'ctrace_exporter_dropped_total{exporter="otlp"}')" 0 "nothing was dropped"
check "what was sent is counted" test "$(metric 'ctrace_exporter_sent_total{exporter="otlp"}')" -gt 0
rose "another collector"

# ---- a start that is not told yet ----

rc run --bundle "$WORK/true" "r-two-$$" </dev/null >/dev/null 2>&1 &
run=$!
configure "{\"listen\": \"$second\", \"otlp_endpoint\": \"http://$collector/\"}"
wait "$run"
wait_for 20 eval "jq -r 'select(.container == \"r-two-$$\") | .name' '$WORK/spans' | grep -q 'container start'"
is "$(jq -r "select(.container == \"r-two-$$\") | .name" "$WORK/spans" | grep -c 'container start')" 1 "a start during a reload is told once"
rose "the same collector by another name"

# ---- wrong in one thing: nothing of it ----

metrics_go_on_as()
{
	is "$(metric 'ctrace_config_reloads_total{result="refused"}') $(metric ctrace_config_last_reload_successful)" "$1 0" "$2: that is counted"
}
refused=0
while IFS='|' read -r section words; do
	refused=$((refused + 1))
	configure "$section"
	like "$(tail -n 1 "$WORK/serve.err")" "^ctrace serve: the configuration is not taken over: .*$words" "$section: it says what is wrong"
	metrics_go_on_as $refused "$section"
done <<TABLE
{"listen": 5}|serve.listen in $CTRACE_CONFIG must be a string
{"listen": ""}|write HOST:PORT
{"listen": "nowhere:1"}|write a numeric address
{"listen": "127.0.0.1:0"}|write HOST:PORT
{"listen": "$first", "lisen": ""}|serve.lisen in .* is not known: there are listen
{"otlp_endpoint": []}|serve.otlp_endpoint in .* must be a string
{"otlp_endpoint": "ftp://x"}|ftp://x
{"compat": "cadvisor"}|serve.compat in .* must be a list
{"compat": ["cadvisor", 7]}|serve.compat in .* knows: "cadvisor"
{"max_containers": -1}|serve.max_containers in .* must be a number from 0 to 100000
{"max_containers": 1e3}|serve.max_containers in .* must be a number
{"grace_seconds": "5"}|serve.grace_seconds in .* must be a number from 0 to 86400
{"grace_seconds": 99999999999999999999}|serve.grace_seconds in .* must be a number
[]|"serve" in $CTRACE_CONFIG must be an object
{|$CTRACE_CONFIG
TABLE
/usr/bin/python3 -m http.server --bind 127.0.0.1 "${first#*:}" >"$WORK/taken" 2>&1 &
on_exit stop_process $!
wait_for 10 /usr/bin/python3 -c "import urllib.request; urllib.request.urlopen('http://$first')"
configure "{\"listen\": \"$first\", \"otlp_endpoint\": \"http://$nobody\"}"
like "$(tail -n 1 "$WORK/serve.err")" "$first is in use" "an address in use: it says so"
rc run --bundle "$WORK/true" "r-three-$$" </dev/null >/dev/null 2>&1
wait_for 20 grep -q "r-three-$$" "$WORK/spans"
check "and the collector that it also named is not taken over either" grep -q "r-three-$$" "$WORK/spans"
rose "what was refused"

# ---- no collector, and one again ----

configure "{\"listen\": \"$second\"}"
is "$(metric ctrace_config_last_reload_successful)" 1 "one that is right is taken"
rose "no collector"
rc run --bundle "$WORK/true" "r-four-$$" </dev/null >/dev/null 2>&1
configure "{\"listen\": \"$second\", \"otlp_endpoint\": \"http://$collector\"}"
rc run --bundle "$WORK/true" "r-five-$$" </dev/null >/dev/null 2>&1
wait_for 20 grep -q "r-five-$$" "$WORK/spans"
check "a collector again" grep -q "r-five-$$" "$WORK/spans"
rose "a collector again"

serve_stop
is "$SERVE_CODE" 0 "it ends as it is told"
done_testing
