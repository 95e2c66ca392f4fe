# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What only a machine of one's own can be asked: the wall clock is set while ctrace records, and the machine sleeps. Sourced
# by checks.sh, whose helpers and names it uses; expect.py judges the recordings.

# Seconds since boot, which nobody sets.
uptime_seconds() { cut -d. -f1 /proc/uptime; }

set_clock() { date -s "@$1" > /dev/null; } # SECONDS since 1970

start_recorder() { # NAME: sets tracer
	timeout 200 "$TRACE" record "$RESULTS/$1.ctrace" > /dev/null 2> "$RESULTS/$1.stderr" &
	tracer=$!
	for _ in $(seq 100); do # the recording begins when the hooks are attached
		[ -s "$RESULTS/$1.ctrace" ] && return
		sleep 0.2
	done
}

stop_recorder() { # NAME
	local code=0 begin

	begin=$(uptime_seconds)
	kill -INT "$tracer"
	wait "$tracer" || code=$?
	judge_code "$1" 0 $code
	if [ $(($(uptime_seconds) - begin)) -le 20 ]; then
		ok "it ends at once"
	else
		not_ok "it ends at once ($(($(uptime_seconds) - begin)) s)"
	fi
}

run_clocked() { # ID
	make_bundle "/run/bundle-$1" "ctrace-$1"
	runc run --bundle "/run/bundle-$1" "$1" > /dev/null 2>> "$RESULTS/clock.stderr"
}

# Set forth and back between containers, and without end while one is made and the recording is closed.
check_clock_steps() {
	local tracer now setter

	now=$(date +%s)
	start_recorder runc-clock
	set_clock $((now + 7200))
	run_clocked runc-clock-forth
	set_clock $((now - 7200))
	run_clocked runc-clock-back
	while :; do
		set_clock $((now + 86400)) && set_clock $((now - 86400)) && sleep 0.02
	done &
	setter=$!
	run_clocked runc-clock-restless
	sleep 1
	stop_recorder runc-clock
	kill "$setter"
	wait "$setter" 2> /dev/null
	set_clock "$now"
}

# CLOCK_BOOTTIME goes on while the machine sleeps, CLOCK_MONOTONIC does not. How long it slept is kept for the host.
check_suspend() {
	local tracer container before after mode

	for mode in mem freeze; do
		grep -qw "$mode" /sys/power/state 2> /dev/null && break
	done
	if ! grep -qw "$mode" /sys/power/state 2> /dev/null || [ ! -e /dev/rtc0 ]; then
		skip "a suspended machine" "this kernel cannot suspend, or has no clock to wake it"
		return
	fi
	start_recorder runc-suspend
	make_bundle /run/bundle-runc-suspend ctrace-runc-suspend
	jq '.process.args = ["/bin/sh", "-c", "/bin/busybox sleep 3; exit 7"]' /run/bundle-runc-suspend/config.json \
		> /run/suspend.json
	mv /run/suspend.json /run/bundle-runc-suspend/config.json
	runc run --bundle /run/bundle-runc-suspend runc-suspend > /dev/null 2>> "$RESULTS/clock.stderr" &
	container=$!
	for _ in $(seq 100); do
		runc state runc-suspend 2> /dev/null | grep -q '"running"' && break
		sleep 0.1
	done
	before=$(uptime_seconds)
	if ! rtcwake --utc -m "$mode" -s 20 > "$RESULTS/rtcwake" 2>&1; then
		skip "a suspended machine" "$(tail -n 1 "$RESULTS/rtcwake")"
		kill -INT "$tracer"
		wait
		rm -f "$RESULTS/runc-suspend.ctrace"
		return
	fi
	after=$(uptime_seconds)
	echo $((after - before)) > "$RESULTS/slept"
	ok "the machine slept ($mode), $((after - before)) s"
	wait "$container"
	run_clocked runc-suspend-after
	sleep 1
	stop_recorder runc-suspend
}
