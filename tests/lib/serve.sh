# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # SERVE_CODE is read by tests
# shellcheck shell=bash
# A ctrace serve of the test's own. Needs env.sh and trace.sh.

# serve_start [OPTION...]: SERVE is its address, SERVE_PID its process; returns once it is ready.
serve_start()
{
	SERVE=127.0.0.1:$(free_port)
	mkdir -p "$CTRACE_RUN"
	"$CTRACE" serve --listen "$SERVE" "$@" >"$WORK/serve.out" 2>"$WORK/serve.err" &
	SERVE_PID=$!
	on_exit stop_process "$SERVE_PID"
	if ! wait_for 20 grep -q '^ctrace serve: ready' "$WORK/serve.err"; then
		not_ok "ctrace serve starts"
		diag "$(cat "$WORK/serve.err")"
		return 1
	fi
}

# serve_stop [SIGNAL]: SERVE_CODE is its exit code.
serve_stop()
{
	kill "-${1:-TERM}" "$SERVE_PID" 2>/dev/null
	wait_for 20 process_gone "$SERVE_PID" || kill -KILL "$SERVE_PID"
	wait "$SERVE_PID" 2>/dev/null
	SERVE_CODE=$?
}

# metrics [ACCEPT]: what a scrape gets.
metrics()
{
	/usr/bin/python3 - "http://$SERVE/metrics" "${1-}" <<'PYTHON'
import sys
import urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Accept": sys.argv[2]} if sys.argv[2] else {})
sys.stdout.buffer.write(urllib.request.urlopen(request, timeout=10).read())
PYTHON
}

# metric 'NAME{LABELS}': the value of that sample, nothing where there is none.
metric()
{
	metrics | awk -v name="$1" 'index($0, name " ") == 1 { print substr($0, length(name) + 2) }'
}
