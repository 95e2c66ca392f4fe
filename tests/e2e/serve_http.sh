#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# The metrics endpoint: its formats, its bounds, its configuration, and what it says when it cannot start.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve

mkdir "$WORK/etc"
export CTRACE_CONFIG=$WORK/etc/config.json
echo '{}' >"$CTRACE_CONFIG"
serve_start --compat=cadvisor || { done_testing; exit; }

if have runc && busybox_image; then
	JQ='.linux.resources.memory = {limit: 67108864}' bundle "$WORK/b" sleep 60
	rc run --detach --bundle "$WORK/b" "h-$$" </dev/null >/dev/null 2>&1
	on_exit rc delete --force "h-$$"
	wait_for 20 eval 'metrics | grep -q "^container_memory_usage_bytes.*h-$$"'
	is "$(metrics | grep "^container_spec_memory_limit_bytes.*name=\"h-$$\"" | awk '{print $2}')" 67108864 \
		"cAdvisor's names, with a container's limit"
	cadvisor()
	{
		metrics | grep "^container_$1{.*name=\"h-$$\"" | awk '{print $2}'
	}
	is "$(cadvisor threads) $(cadvisor threads_max)" "1 0" "its threads, of as many as it likes"
	check "its working set, of which is what it uses" eval '[ "$(cadvisor memory_working_set_bytes)" -gt 0 ] &&
		[ "$(cadvisor memory_working_set_bytes)" -le "$(cadvisor memory_usage_bytes)" ] &&
		[ "$(cadvisor memory_rss)" -le "$(cadvisor memory_usage_bytes)" ]'
	check "and its start" grep -q "^ctrace_container_start_time_seconds{id=\"h-$$\"} 1" <(metrics)
fi

metrics >"$WORK/text"
metrics 'application/openmetrics-text;version=1.0.0' >"$WORK/open"
if have promtool; then
	is "$(promtool check metrics <"$WORK/text" 2>&1)" "" "promtool check metrics has nothing to say"
else
	skip_point "promtool check metrics" "promtool is not installed"
fi
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
	/usr/bin/python3 - "$WORK/open" >"$WORK/parsed" 2>&1 <<'PYTHON'
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(open(sys.argv[1], encoding="utf-8").read()))
print("ok" if len(families) > 20 else "only %d families" % len(families))
PYTHON
	is "$(cat "$WORK/parsed")" ok "the strict OpenMetrics parser takes it"
else
	skip_point "the strict OpenMetrics parser" "python3-prometheus-client is not installed"
fi
is "$(tail -n 1 "$WORK/open")" "# EOF" "OpenMetrics ends with # EOF"

PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB /usr/bin/python3 "$LIB/http_abuse.py" "${SERVE%:*}" "${SERVE#*:}" >"$WORK/abuse" 2>&1
code=$?
while IFS= read -r line; do
	case $line in
	'ok - '*) ok "${line#ok - }" ;;
	'not ok - '*) not_ok "${line#not ok - }" ;;
	*) diag "$line" ;;
	esac
done <"$WORK/abuse"
is "$code" 0 "the endpoint outlives all that"

# ---- a port in use, a bad configuration ----

"$CTRACE" serve --listen "$SERVE" --no-stream >"$WORK/out" 2>&1
is "$?" 125 "a port in use is an error"
like "$(cat "$WORK/out")" "$SERVE is in use" "that says so"
"$CTRACE" serve --listen nonsense >"$WORK/out" 2>&1
is "$?:$(grep -c 'HOST:PORT' "$WORK/out")" "125:1" "an address that is none is an error"

echo '{"serve": {"listen": 5}}' >"$CTRACE_CONFIG"
kill -HUP "$SERVE_PID"
wait_for 5 grep -q "not taken over" "$WORK/serve.err"
check "a configuration that is wrong is not taken over" grep -q "serve.listen in $CTRACE_CONFIG must be a string" "$WORK/serve.err"
check "and what was goes on" metrics
serve_stop
is "$SERVE_CODE" 0 "it ends as it is told"

# What it tells a service manager (sd_notify(3)), a datagram a line.
/usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)' "$WORK/notify" >"$WORK/told" &
on_exit stop_process "$!"
wait_for 10 test -S "$WORK/notify"

first=127.0.0.1:$(free_port) second=127.0.0.1:$(free_port)
echo "{\"serve\": {\"listen\": \"$first\"}}" >"$CTRACE_CONFIG"
NOTIFY_SOCKET=$WORK/notify "$CTRACE" serve >"$WORK/out" 2>"$WORK/serve.err" &
SERVE_PID=$!
on_exit stop_process "$SERVE_PID"
wait_for 20 grep -q ready "$WORK/serve.err"
wait_for 5 grep -q READY "$WORK/told"
is "$(cat "$WORK/told")" "READY=1 STATUS=metrics at $first" "a service manager is told that it is ready"
SERVE=$first
check "the configuration says where to listen" metrics
echo "{\"serve\": {\"listen\": \"$second\", \"compat\": [\"cadvisor\"]}}" >"$CTRACE_CONFIG"
kill -HUP "$SERVE_PID"
wait_for 5 grep -q "configuration read" "$WORK/serve.err"
SERVE=$second
check "after SIGHUP somewhere else" metrics
check "with other metrics" grep -q '^# TYPE container_start_time_seconds' <(metrics)
SERVE=$first
! metrics >/dev/null 2>&1
is $? 0 "and not where it was"
serve_stop
wait_for 5 grep -q STOPPING "$WORK/told"
is "$(sed 1d "$WORK/told" | sed 's/USEC=[0-9]*$/USEC=N/' | paste -sd,)" \
	"RELOADING=1 MONOTONIC_USEC=N,READY=1 STATUS=metrics at $second,STOPPING=1" "the service manager was told of each"

done_testing
