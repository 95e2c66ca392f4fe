#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctrace-serve.service as make install leaves it, run by systemd: does what it is for work inside its sandbox, and does the
# sandbox hold? Prints TAP without numbers; the recording in /run/results is judged by the host.
. /share/guest/lib.sh

UNIT=ctrace-serve.service
SOCKET=/run/ctrace/trace.sock
RESULTS=/run/results

is() { # HAVE WANT NAME
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3: it is \"$1\", should be \"$2\""
	fi
}

check() { # NAME COMMAND...
	local name=$1 complaint

	shift
	if complaint=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name"
		tail -n 20 <<< "$complaint" | note
	fi
}

wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))

	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.5
	done
}

# metrics [PORT]
metrics() {
	local answer

	exec 3<> "/dev/tcp/127.0.0.1/${1:-9469}" || return 1
	printf 'GET /metrics HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n' >&3
	answer=$(timeout 60 cat <&3)
	exec 3>&-
	[ "${answer%%$'\r'*}" = "HTTP/1.1 200 OK" ] && printf '%s\n' "$answer"
}

metric() { # 'NAME{LABELS}': its value
	metrics | awk -v name="$1" 'index($0, name " ") == 1 { print substr($0, length(name) + 2) }'
}

shows() { metrics | grep -q "$1"; } # PATTERN: in the metrics

main_pid() { systemctl show --property MainPID --value $UNIT; }

status_of() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$(main_pid)/status"; } # FIELD

programs_loaded() { bpftool prog show | grep -c ' name ct_'; }

check_start() {
	is "$(systemctl is-enabled $UNIT)" disabled "make install does not enable the unit"
	check "systemctl enable --now" timeout 300 systemctl enable --now $UNIT
	check "it serves metrics once it is started" metrics
	is "$(systemctl is-active $UNIT)" active "the unit is active"
	is "$(stat -c '%a %U %G' $SOCKET)" "660 root ctrace" "its socket is for root and the group ctrace"
}

# Capabilities by their numbers: CHOWN 0, DAC_READ_SEARCH 2, NET_BROADCAST 11, SYS_PTRACE 19, PERFMON 38, BPF 39.
check_sandbox() {
	local inside directory

	inside="nsenter --mount --target $(main_pid)"
	touch /home/foreign /tmp/foreign

	is "$(status_of CapBnd)" 000000c000080805 "its bounding set is the unit's"
	is "$(status_of CapEff)" 000000c000080004 "in force is what tracing needs"
	is "$(status_of CapPrm)" 000000c000080004 "and no more can be raised"
	is "$(status_of NoNewPrivs)" 1 "it has no_new_privs"
	is "$(status_of Seccomp)" 2 "it has a seccomp filter"
	for directory in /usr/local /etc /var /sys/kernel /proc/sys/kernel /sys/fs/cgroup; do
		if $inside test -w $directory; then
			not_ok "it cannot write $directory"
		else
			ok "it cannot write $directory"
		fi
	done
	is "$($inside find /root /home /tmp -mindepth 1 2>/dev/null | head -n 1)" "" "it sees no home and no foreign /tmp"
	is "$($inside ls /dev | grep -c '^vd')" 0 "it sees no disks"
}

# The stream, read over the socket: the programs are not loaded a second time. What the host judges is the recording.
check_stream() {
	local before recorder tracer

	before=$(programs_loaded)
	make_bundle /tmp/bundle-runc ctrace-runc
	jq '.linux.resources.cpu = {quota: 20000, period: 100000} | .annotations = {"nerdctl/name": "named"}' \
		/tmp/bundle-runc/config.json > /run/config.json
	mv /run/config.json /tmp/bundle-runc/config.json
	timeout 400 ctrace record $RESULTS/runc.ctrace > $RESULTS/record.out 2>&1 &
	recorder=$!
	timeout 400 ctrace trace --json $RESULTS/trace.json > /dev/null 2> $RESULTS/trace.err &
	tracer=$!
	check "record and trace read from it" wait_for 90 test -s $RESULTS/runc.ctrace -a -s $RESULTS/trace.json
	is "$(programs_loaded)" "$before" "and load no programs of their own"
	timeout 200 runc run --bundle /tmp/bundle-runc runc > $RESULTS/runc.stdout 2>&1
	is "$?" 7 "runc runs a container from a bundle in /tmp"
	check "/metrics has its start" wait_for 60 shows '^ctrace_container_starts_total{runtime="runc",result="started"} 1'
	check "and its end" wait_for 60 shows '^ctrace_container_exits_total{runtime="runc",reason="[a-z]*"} 1'
	run_own
	sleep 2
	kill -INT $recorder $tracer
	wait $recorder $tracer
	check "the trace has both, with their names" jq -es 'map(select(.type == "timeline"))
		| any(.id == "runc" and .name == "named") and any(.name == "own")' $RESULTS/trace.json
	check "cpu.stat was read, by the cgroup's id" jq -es 'map(select(.type == "timeline" and .id == "runc")) | last
		| .throttling.periods | tonumber >= 0' $RESULTS/trace.json
	check "ctrace show finds it, too" ctrace show runc
}

run_own() {
	mkdir -p /tmp/own/bin /var/lib/ctrace
	mount -t tmpfs ctrace /var/lib/ctrace # an overlay, as this guest's root is one, cannot hold overlays
	cp /bin/busybox /tmp/own/bin/busybox
	ln -sf busybox /tmp/own/bin/sh
	timeout 200 ctrace run --name own --network none --memory 64m --rootfs /tmp/own sh -c 'exit 9' \
		> $RESULTS/own.stdout 2>&1
	is $? 9 "ctrace run runs one, too"
	check "/metrics has it" wait_for 60 shows '^ctrace_container_starts_total{runtime="ctrace",result="started"} 1'
}

# member GROUP COMMAND...: as nobody, in that group.
member() {
	timeout 100 setpriv --reuid 65534 --regid 65534 --groups "$1" --bounding-set=-all --inh-caps=-all "${@:2}"
}

check_group() {
	if member 990 ctrace show runc > /dev/null 2>&1; then
		ok "the group ctrace may read the stream"
	else
		not_ok "the group ctrace may read the stream"
	fi
	if member 991 ctrace show runc > /dev/null 2>&1; then
		not_ok "strangers may not"
	else
		ok "strangers may not"
	fi
}

check_reload() {
	local pid

	pid=$(main_pid)
	mkdir -p /etc/ctrace
	echo '{"serve": {"listen": "127.0.0.1:9470", "compat": ["cadvisor"]}}' > /etc/ctrace/config.json
	check "systemctl reload" timeout 100 systemctl reload $UNIT
	check "metrics are where the configuration says" wait_for 60 metrics 9470
	check "systemctl status tells where" wait_for 60 eval "systemctl status $UNIT | grep -q 'metrics at 127.0.0.1:9470'"
	is "$(systemctl is-active $UNIT) $(main_pid)" "active $pid" "in the same process"
	echo '{"serve": {"listen": 5}}' > /etc/ctrace/config.json
	systemctl reload $UNIT
	check "what is wrong is not taken over" wait_for 60 eval "journalctl -u $UNIT | grep -q 'not taken over'"
	check "and told by systemctl status" wait_for 60 eval "systemctl status $UNIT | grep -q 'configuration that it had'"
	check "metrics go on" metrics 9470
	rm /etc/ctrace/config.json
}

is_back() { systemctl -q is-active $UNIT && [ "$(main_pid)" != "$1" ] && metrics; } # OLD_PID

check_restart() {
	local pid

	pid=$(main_pid)
	systemctl kill --signal=KILL $UNIT
	check "killed, it is started again" wait_for 200 is_back "$pid"
	check "and answers over its socket" ctrace top --batch -n 1
	is "$(systemctl show --property NRestarts --value $UNIT)" 1 "once"
}

check_stop() {
	check "systemctl stop" timeout 300 systemctl stop $UNIT
	is "$(systemctl is-active $UNIT) $(systemctl show --property Result --value $UNIT)" "inactive success" "it ends well"
	is "$(pgrep -c ctrace)" 0 "no process is left"
	is "$(programs_loaded)" 0 "no program is left in the kernel"
	is "$(bpftool link show | grep -c ct_):$(ls /sys/fs/bpf)" "0:" "nothing is attached or pinned"
	[ -e $SOCKET ] && not_ok "its socket is gone" || ok "its socket is gone"
	check "/run/ctrace stays, for the launcher" test -d /run/ctrace
	is "$(journalctl -u $UNIT --grep 'code=killed, status=31' -q | wc -l)" 0 "no system call was its end"
}

echo "ctrace:x:990:" >> /etc/group
check_start
check_sandbox
check_stream
check_group
check_reload
check_restart
check_stop
journalctl --no-pager -u $UNIT > $RESULTS/journal
systemd-analyze time > $RESULTS/time
