# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What only a machine of one's own can be asked: the wall clock is set while ctrace records or serves, and the machine sleeps. Sourced
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

SERVED=127.0.0.1:9464

scrape() {
	exec 3<> "/dev/tcp/${SERVED%:*}/${SERVED#*:}" || return
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
	timeout 20 cat <&3
	exec 3>&-
}

served_start() { # ID: when it started as the server tells it, in seconds since 1970; nothing while it does not know
	scrape | awk -v name="ctrace_container_start_time_seconds{id=\"$1\"}" '$1 == name { printf "%d\n", $2 }'
}

# wait_told TIMES: until the server has said so often that the clock was set.
wait_told() {
	for _ in $(seq 100); do
		[ "$(grep -c 'the wall clock was set' "$RESULTS/serve.stderr")" -lt "$1" ] || return 0
		sleep 0.2
	done
	return 1
}

judge_shift() { # WHAT FROM TO SECONDS
	local shift=$((${3:-0} - ${2:-0} - $4))

	if [ -n "$2" ] && [ -n "$3" ] && [ $shift -ge -2 ] && [ $shift -le 2 ]; then
		ok "a served time moves with the clock, $1"
	else
		not_ok "a served time moves with the clock, $1 (from $2 to $3)"
	fi
}

# What a server exports is of the clock as it is, set forth and back; what it measures is of none that can be set.
check_served_clock() {
	local server setter first forth back long now code=0

	now=$(date +%s)
	timeout 200 /share/bin/ctrace-serve serve --listen "$SERVED" > /dev/null 2> "$RESULTS/serve.stderr" &
	server=$!
	for _ in $(seq 200); do
		grep -q '^ctrace serve: ready' "$RESULTS/serve.stderr" && break
		sleep 0.2
	done
	make_bundle /run/bundle-served ctrace-served
	jq '.process.args = ["/bin/busybox", "sleep", "300"]' /run/bundle-served/config.json > /run/served.json
	mv /run/served.json /run/bundle-served/config.json
	runc run --detach --bundle /run/bundle-served served < /dev/null > /dev/null 2>> "$RESULTS/clock.stderr"
	for _ in $(seq 50); do
		first=$(served_start served)
		[ -n "$first" ] && break
		sleep 0.2
	done
	set_clock $(($(date +%s) + 7200))
	wait_told 1 && ok "the server says that the clock was set" || not_ok "the server says that the clock was set"
	forth=$(served_start served)
	set_clock $(($(date +%s) - 14400))
	wait_told 2 && ok "and that it was set back" || not_ok "and that it was set back"
	back=$(served_start served)
	judge_shift "two hours forth" "$first" "$forth" 7200
	judge_shift "four hours back" "$forth" "$back" -14400
	while :; do
		set_clock $((now + 86400)) && set_clock $((now - 86400)) && sleep 0.02
	done &
	setter=$!
	run_clocked served-restless
	sleep 2
	kill "$setter"
	wait "$setter" 2> /dev/null
	set_clock "$now"
	scrape > "$RESULTS/served.metrics"
	long=$(awk '$1 ~ /_seconds_sum/ && ($2 > 600 || $2 < 0)' "$RESULTS/served.metrics")
	if grep -q '^ctrace_container_exits_total.* 1' "$RESULTS/served.metrics" && [ -z "$long" ]; then
		ok "a clock without rest is in no duration that is served"
	else
		not_ok "a clock without rest is in no duration that is served: $long"
	fi
	kill "$server"
	wait "$server" || code=$?
	if [ $code = 0 ]; then ok "the server ends well"; else not_ok "the server ends well (exit code $code)"; fi
	runc delete --force served
}
