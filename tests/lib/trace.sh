# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # TRACE_CODE is read by tests
# shellcheck shell=bash
# Tracing in tests: start and stop `ctrace trace`, judge its JSON. Needs env.sh.

# Images and containers of ctrace's own live in the test's directory; a ctrace serve of the machine is not asked.
export CTRACE_ROOT=$WORK/ctrace CTRACE_RUN=${CTRACE_RUN:-$WORK/run}

need_ctrace()
{
	local command

	[ -x "$CTRACE" ] || skip_all "$CTRACE is not built"
	for command; do
		"$CTRACE" --help 2>/dev/null | grep -Eq "^ +$command " || skip_all "this ctrace has no command $command"
	done
}

# Skips where the kernel lets ctrace see nothing; doctor says why.
need_tracing()
{
	need_root
	need_ctrace trace
	! "$CTRACE" --help | grep -q '^ *doctor ' || "$CTRACE" doctor >"$WORK/doctor" 2>&1 ||
		skip_all "ctrace doctor: $(tail -n 1 "$WORK/doctor")"
}

# trace_start [OPTION...]: traces the host into TRACE; returns once the hooks are attached.
trace_start()
{
	TRACE=$WORK/trace-$RANDOM.json
	"$CTRACE" trace --json "$TRACE" "$@" >"$WORK/trace.out" 2>"$WORK/trace.err" &
	TRACE_PID=$!
	on_exit stop_process "$TRACE_PID" INT
	if ! wait_for 20 grep -q '"type":"header"' "$TRACE"; then
		not_ok "ctrace trace starts"
		diag "$(cat "$WORK/trace.err")"
		return 1
	fi
}

# trace_stop: ends it as Ctrl-C does; TRACE_CODE is its exit code.
trace_stop()
{
	kill -INT "$TRACE_PID" 2>/dev/null
	if ! wait_for 30 process_gone "$TRACE_PID"; then
		not_ok "ctrace trace ends within 30 s of SIGINT"
		kill -KILL "$TRACE_PID"
	fi
	wait "$TRACE_PID"
	TRACE_CODE=$?
}

# judge FILE [ARGUMENT...] <<PYTHON: the program sees t (the Trace of FILE), p (test points) and args; each
# point that it prints becomes one of the script's. A program that dies is a failed point.
judge()
{
	local file=$1 code

	shift
	cat >"$WORK/judge.py"
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB /usr/bin/python3 - "$file" "$WORK/judge.py" "$@" \
		>"$WORK/judge.out" 2>&1 <<'EOF'
import sys
import tl
t = tl.Trace(sys.argv[1])
p = tl.Points()
args = sys.argv[3:]
with open(sys.argv[2], encoding="utf-8") as f:
    program = compile(f.read(), "judge", "exec")
exec(program, {"t": t, "p": p, "args": args, "tl": tl})
EOF
	code=$?
	take_points <"$WORK/judge.out"
	[ "$code" = 0 ] || not_ok "the JSON can be judged (exit code $code)"
	keep_on_failure "$file"
}

# What failed can be looked at later: the runner keeps TEST_TMP of a failed script.
keep_on_failure()
{
	[ "$tap_failed" = 0 ] || cp -f "$1" "$TEST_TMP/" 2>/dev/null
	return 0
}

# Entries of the running tracer's tables of threads whose thread is no more, a line each.
entries_of_dead_threads()
{
	local id tid name

	for id in $(cat "/proc/$TRACE_PID/fdinfo/"* 2>/dev/null | awk '/^map_id:/ { print $2 }' | sort -un); do
		name=$(bpftool -j map show id "$id" | jq -r .name)
		case $name in inflight | blocked_in) ;; *) continue ;; esac
		for tid in $(bpftool -j map dump id "$id" | jq -r '.[].key | reverse | map(ltrimstr("0x")) | "0x" + join("")'); do
			[ -d "/proc/$((tid))" ] || echo "$name:$((tid))"
		done
	done
}

# trace_forgets WHAT: threads that are no more have left nothing in the tables of the tracer that runs (each entry that stayed
# would take a place for good, until there is none). Looked at twice: a thread may die between a look at its entry and one at it.
trace_forgets()
{
	local dead

	dead=$(entries_of_dead_threads | sort)
	if [ -n "$dead" ]; then
		sleep 1
		dead=$(comm -12 <(echo "$dead") <(entries_of_dead_threads | sort))
	fi
	is "$dead" "" "$1"
}
