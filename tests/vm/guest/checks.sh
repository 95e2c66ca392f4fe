#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is checked in each guest. Prints TAP without numbers; files for the host go to /run/results.
#
# Recordings are only made here: the host reads them, which shows too that they can be read elsewhere.
CTRACE=/share/bin/ctrace
TRACE=/share/bin/ctrace-trace
RESULTS=/run/results
LIMIT=200 # seconds, of what should take a few: an emulated processor may be one of many on a busy machine
. /share/guest/lib.sh

# Every program of the object before the kernel's verifier. What user space should use elsewhere is judged
# by doctor and the recordings; of these only the ones that nothing can replace may not be refused: expect.py
# knows which.
#
# A locked-down kernel is asked about the programs that read its memory by plain loads, which are those it is given.
check_programs() {
	local object=ctrace.o

	grep -q '\[confidentiality\]' /sys/kernel/security/lockdown 2> /dev/null && object=ctrace_direct.o
	mkdir -p $RESULTS/verifier
	if timeout $LIMIT /share/bin/vm_programs /share/bin/$object $RESULTS/verifier \
		> $RESULTS/programs 2> $RESULTS/programs.stderr; then
		ok "the verifier was asked about $(wc -l < $RESULTS/programs) programs"
	else
		not_ok "the verifier was asked about every program"
		note < $RESULTS/programs.stderr
	fi
}

check_doctor() {
	local code=0

	timeout $LIMIT $TRACE doctor > $RESULTS/doctor.txt 2> $RESULTS/doctor.stderr || code=$?
	if [ $code = 0 ]; then
		ok "doctor finds that containers can be traced here"
	else
		not_ok "doctor finds that containers can be traced here (exit code $code)"
		note < $RESULTS/doctor.stderr
	fi
	timeout $LIMIT $TRACE doctor --json > $RESULTS/doctor.json 2> /dev/null
	if jq -e . $RESULTS/doctor.json > /dev/null 2>&1; then
		ok "doctor --json is JSON"
	else
		not_ok "doctor --json is JSON"
	fi
}

# A mount that fails with ENODEV in the middle of the start.
break_mount() { # DIRECTORY
	jq '.mounts += [{destination: "/none", type: "ctrace-nosuchfs", source: "none"}]' "$1/config.json" \
		> "$1/new.json"
	mv "$1/new.json" "$1/config.json"
}

# judge_code NAME EXPECTED CODE
judge_code() {
	if [ "$3" = "$2" ]; then
		ok "record of $1 ends with exit code $2"
	else
		not_ok "record of $1 ends with exit code $2 (it was $3)"
		note < "$RESULTS/$1.stderr"
	fi
}

# record NAME EXPECTED_CODE RUNTIME [OPTION...]: the start of one container, whose id is NAME.
record() {
	local name=$1 expected=$2 runtime=$3 code=0

	shift 3
	timeout $LIMIT $TRACE record "$@" "$RESULTS/$name.ctrace" -- \
		"$runtime" run --bundle "/run/bundle-$name" "$name" \
		> "$RESULTS/$name.stdout" 2> "$RESULTS/$name.stderr" || code=$?
	judge_code "$name" "$expected" $code
}

check_runtime() { # runc|crun
	if ! "$1" --version > /dev/null 2>&1; then
		skip "$1 can be traced" "$1 does not run here"
		return
	fi
	make_bundle "/run/bundle-$1" "ctrace-$1"
	record "$1" 7 "$1"
	if grep -qx hello "$RESULTS/$1.stdout"; then
		ok "the output of the container passes through"
	else
		not_ok "the output of the container passes through"
	fi
	make_bundle "/run/bundle-$1-bad" "ctrace-$1-bad"
	break_mount "/run/bundle-$1-bad"
	record "$1-bad" 1 "$1"
}

# The tracer sleeps until a sentinel tells that a container is being made.
check_late_arming() { # runc|crun
	local name=$1-late tracer code=0

	make_bundle "/run/bundle-$name" "ctrace-$name"
	timeout $LIMIT $TRACE record "$RESULTS/$name.ctrace" > /dev/null 2> "$RESULTS/$name.stderr" &
	tracer=$!
	for _ in $(seq 100); do # the recording begins when the hooks are attached
		[ -s "$RESULTS/$name.ctrace" ] && break
		sleep 0.2
	done
	sleep 2
	"$1" run --bundle "/run/bundle-$name" "$name" > /dev/null 2>> "$RESULTS/$name.stderr"
	sleep 1
	kill -INT $tracer
	wait $tracer || code=$?
	judge_code "$name" 0 $code
}

# busybox's cat writes by sendfile, which no hook on write(2) sees; a hook in cgroup_file_write does.
check_sendfile() {
	local group=/sys/fs/cgroup/ctrace-sendfile

	[ -d /sys/fs/cgroup/pids ] && group=/sys/fs/cgroup/pids/ctrace-sendfile
	echo 77 > /run/value
	timeout $LIMIT $TRACE record $RESULTS/sendfile.ctrace -- bash -c "mkdir $group; sleep 0.3
		/bin/busybox cat /run/value > $group/pids.max; cat $group/pids.max; rmdir $group" \
		> $RESULTS/sendfile.stdout 2> $RESULTS/sendfile.stderr
	judge_code sendfile 0 $?
	if grep -qx 77 $RESULTS/sendfile.stdout; then
		ok "the limit was written"
	else
		not_ok "the limit was written"
	fi
}

# A container that eats more than its limit: its end is the kernel's doing.
check_oom() {
	make_bundle /run/bundle-runc-oom ctrace-runc-oom
	jq '.process.args = ["/bin/sh", "-c", "dd if=/dev/zero of=/dev/null bs=200M count=1; exit 7"]' \
		/run/bundle-runc-oom/config.json > /run/oom.json
	mv /run/oom.json /run/bundle-runc-oom/config.json
	ln -s busybox /run/bundle-runc-oom/rootfs/bin/dd
	record runc-oom 7 runc
}

# A container that may have 16 processes and wants more; runc's init needs some threads.
check_pids() {
	make_bundle /run/bundle-runc-pids ctrace-runc-pids
	jq '.process.args = ["/bin/sh", "-c", "while :; do sleep 100 & done"] | .linux.resources.pids = {limit: 16}' /run/bundle-runc-pids/config.json > /run/pids.json
	mv /run/pids.json /run/bundle-runc-pids/config.json
	ln -s busybox /run/bundle-runc-pids/rootfs/bin/sleep
	record runc-pids 2 runc # the shell gives up
}

# A container that runs into its CPU limit; what cpu.stat said last is kept for the host to compare.
check_throttling() {
	local name=runc-throttle group=/sys/fs/cgroup/ctrace-runc-throttle text keeper

	[ -d /sys/fs/cgroup/cpu ] && group=/sys/fs/cgroup/cpu/ctrace-runc-throttle
	make_bundle /run/bundle-$name ctrace-$name
	jq '.process.args = ["/bin/sh", "-c", "/bin/busybox timeout 2 sh -c \"while :; do :; done\"; sleep 0.7; exit 7"]
		| .linux.resources.cpu = {quota: 20000, period: 100000}' /run/bundle-$name/config.json > /run/throttle.json
	mv /run/throttle.json /run/bundle-$name/config.json
	ln -s busybox /run/bundle-$name/rootfs/bin/sleep
	while sleep 0.1; do
		text=$(cat $group/cpu.stat 2> /dev/null) && echo "$text" > $RESULTS/throttle.stat
	done &
	keeper=$!
	record $name 7 runc
	kill $keeper
}

little_endian() { # NUMBER...: of 32 bits
	local n

	for n; do
		# shellcheck disable=SC2059 # the bytes are the format
		printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((n & 255)) $((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24 & 255)))"
	done
}

# A 32-bit program that makes one call, whose number would be unshare's in a 64-bit program, and exits with 3.
make_32bit_program() { # FILE
	local machine flags=0 words size

	case $(uname -m) in
	x86_64) # 272: fadvise64_64(-1)
		machine=3
		words=(0x000110b8 0xffffbb00 0x80cdffff 0x000001b8 0x0003bb00 0x80cd0000)
		;;
	aarch64) # 97: setpriority(PRIO_PROCESS, 0, 0)
		machine=40 flags=0x05000000
		words=(0xe3a00000 0xe3a01000 0xe3a02000 0xe3a07061 0xef000000 0xe3a00003 0xe3a07001 0xef000000)
		;;
	esac
	size=$((84 + 4 * ${#words[@]}))
	little_endian 0x464c457f 0x00010101 0 0 $((machine << 16 | 2)) 1 0x10054 52 0 $flags $((32 << 16 | 52)) 1 0 \
		1 0 0x10000 0x10000 $size $size 5 0x1000 "${words[@]}" > "$1"
	chmod +x "$1"
}

# System calls of 32-bit programs have other numbers: none may be taken for what it is not. Its name makes it one that is watched.
check_32bit() {
	local code=0

	mkdir /run/program32
	make_32bit_program /run/program32/runc
	/run/program32/runc 2> /dev/null || code=$?
	if [ $code != 3 ]; then
		skip "a 32-bit program is traced" "this kernel runs none"
		return
	fi
	code=0
	timeout $LIMIT $TRACE record --always-armed $RESULTS/program32.ctrace -- /run/program32/runc > /dev/null 2> $RESULTS/program32.stderr || code=$?
	judge_code program32 3 $code
}

# The launcher's own runtime, traced like any other. It needs a newer kernel than the tracer does.
check_own_runtime() {
	local code=0

	make_bundle /run/bundle-ctrace ctrace-ctrace
	timeout $LIMIT $TRACE record $RESULTS/ctrace.ctrace -- \
		$CTRACE oci run --bundle /run/bundle-ctrace ctrace \
		> $RESULTS/ctrace.stdout 2> $RESULTS/ctrace.stderr || code=$?
	if [ $code != 7 ] && grep -q 'mount_setattr, Linux 5.12' $RESULTS/ctrace.stderr; then
		skip "ctrace oci can be traced" "ctrace's own runtime needs mount_setattr, Linux 5.12"
		rm -f $RESULTS/ctrace.ctrace
		return
	fi
	judge_code ctrace 7 $code
}

. /share/guest/clock.sh

uname -r > $RESULTS/kernel
cat /sys/kernel/security/lockdown > $RESULTS/lockdown 2> /dev/null
if $CTRACE --version > /dev/null 2> $RESULTS/version.stderr; then
	ok "ctrace runs here"
else
	not_ok "ctrace runs here: $(cat $RESULTS/version.stderr)"
fi
check_programs
if $TRACE doctor --help > /dev/null 2>&1; then
	check_doctor
else
	skip "doctor" "this build has no doctor command"
fi
if $TRACE record --help > /dev/null 2>&1; then
	check_runtime runc
	check_runtime crun
	make_bundle /run/bundle-runc-armed ctrace-runc-armed
	record runc-armed 7 runc --always-armed
	check_late_arming runc
	check_late_arming crun
	check_sendfile
	check_oom
	check_pids
	check_throttling
	check_own_runtime
	# Once is enough, and they take a minute each; 6.12 does not wake up under QEMU's TCG.
	case $(uname -r)-$(stat -fc %T /sys/fs/cgroup) in
	6.1.*amd64-cgroup2fs)
		check_32bit
		check_clock_steps
		check_suspend
		;;
	6.12.*amd64-cgroup2fs)
		check_32bit
		grep -q '\[confidentiality\]' /sys/kernel/security/lockdown || check_served_clock
		;;
	*arm64-cgroup2fs) check_32bit ;;
	esac
else
	skip "recordings" "this build has no record command"
fi
