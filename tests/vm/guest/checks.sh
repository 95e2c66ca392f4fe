#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is checked in each guest. Prints TAP without numbers; files for the host go to /run/results.
#
# Recordings are only made here: the host reads them, which shows too that they can be read elsewhere.
CTRACE=/share/bin/ctrace
TRACE=/share/bin/ctrace-trace
RESULTS=/run/results

ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; }
skip() { echo "ok - $1 # SKIP $2"; }
note() { sed 's/^/# /'; }

# Every program of the object before the kernel's verifier. What user space should use elsewhere is judged
# by doctor and the recordings; here only a program that nothing can replace may not be refused: the host's
# run.sh knows which.
check_programs() {
	mkdir -p $RESULTS/verifier
	if timeout 120 /share/bin/vm_programs /share/bin/ctrace.o $RESULTS/verifier > $RESULTS/programs 2> $RESULTS/programs.stderr; then
		ok "the verifier was asked about $(wc -l < $RESULTS/programs) programs"
	else
		not_ok "the verifier was asked about every program"
		note < $RESULTS/programs.stderr
	fi
}

check_doctor() {
	local code=0

	timeout 60 $TRACE doctor > $RESULTS/doctor.txt 2> $RESULTS/doctor.stderr || code=$?
	if [ $code = 0 ]; then
		ok "doctor finds that containers can be traced here"
	else
		not_ok "doctor finds that containers can be traced here (exit code $code)"
		note < $RESULTS/doctor.stderr
	fi
	timeout 60 $TRACE doctor --json > $RESULTS/doctor.json 2> /dev/null
	if jq -e . $RESULTS/doctor.json > /dev/null 2>&1; then
		ok "doctor --json is JSON"
	else
		not_ok "doctor --json is JSON"
	fi
}

make_bundle() { # DIRECTORY CGROUP
	mkdir -p "$1/rootfs/bin"
	cp /share/guest/busybox "$1/rootfs/bin/busybox"
	ln -s busybox "$1/rootfs/bin/sh"
	(cd "$1" && runc spec)
	jq --arg cgroup "/$2" '.process.terminal = false | .process.args = ["/bin/sh", "-c", "echo hello; exit 7"]
		| .linux.cgroupsPath = $cgroup
		| .linux.resources.memory = {limit: 67108864} | .linux.resources.pids = {limit: 32}' \
		"$1/config.json" > "$1/new.json"
	mv "$1/new.json" "$1/config.json"
}

# A mount that fails with ENODEV in the middle of the start.
break_mount() { # DIRECTORY
	jq '.mounts += [{destination: "/none", type: "ctrace-nosuchfs", source: "none"}]' "$1/config.json" > "$1/new.json"
	mv "$1/new.json" "$1/config.json"
}

# record NAME EXPECTED_CODE COMMAND...: a recording that ends, of a command that ends as expected.
record() {
	local name=$1 expected=$2 code=0 output

	shift 2
	output=$(timeout 60 $TRACE record "$RESULTS/$name.ctrace" -- "$@" 2> "$RESULTS/$name.stderr") || code=$?
	if [ $code = "$expected" ]; then
		ok "record -- $name ends with the command's own exit code $expected"
	else
		not_ok "record -- $name ends with the command's own exit code $expected (it was $code)"
		note < "$RESULTS/$name.stderr"
	fi
	echo "$output" > "$RESULTS/$name.stdout"
}

check_runtime() { # runc|crun
	local bundle=/run/bundle-$1 bad=/run/bad-$1

	if [ "$1" = crun ] && ! crun --version > /dev/null 2>&1; then
		skip "$1 can be traced" "crun does not run here"
		return
	fi
	make_bundle "$bundle" "ctrace-$1"
	record "$1" 7 "$1" run --bundle "$bundle" "$1-good"
	if grep -qx hello "$RESULTS/$1.stdout"; then
		ok "the output of the container passes through"
	else
		not_ok "the output of the container passes through"
	fi
	make_bundle "$bad" "ctrace-$1-bad"
	break_mount "$bad"
	record "$1-bad" 1 "$1" run --bundle "$bad" "$1-bad"
}

# Detail from the first moment on, whatever the sentinels say.
check_always_armed() {
	local bundle=/run/bundle-armed code=0

	make_bundle $bundle ctrace-armed
	timeout 60 $TRACE record --always-armed $RESULTS/armed.ctrace -- runc run --bundle $bundle armed \
		> /dev/null 2> $RESULTS/armed.stderr || code=$?
	if [ $code = 7 ]; then
		ok "record --always-armed ends with the command's own exit code"
	else
		not_ok "record --always-armed ends with the command's own exit code (it was $code)"
		note < $RESULTS/armed.stderr
	fi
}

uname -r > $RESULTS/kernel
cat /sys/kernel/security/lockdown > $RESULTS/lockdown 2> /dev/null
$CTRACE --version > /dev/null 2> $RESULTS/ctrace.stderr && ok "ctrace runs here" || not_ok "ctrace runs here: $(cat $RESULTS/ctrace.stderr)"
check_programs
if $TRACE doctor --help > /dev/null 2>&1; then
	check_doctor
else
	skip "doctor" "this build has no doctor command"
fi
if $TRACE record --help > /dev/null 2>&1; then
	check_runtime runc
	check_runtime crun
	check_always_armed
else
	skip "recordings" "this build has no record command"
fi
