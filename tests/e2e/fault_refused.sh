#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# Where tracing is refused (privileges, namespaces, seccomp, descriptors, files of the kernel that are not there):
# an error that says what to do, or a trace that is true; never a crash, a hang, or an empty trace that looks whole.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need_ctrace doctor record
need setpriv unshare prlimit

# refused WHAT TEXT REASON COMMAND-PREFIX...: doctor says TEXT and exits with 1; trace, record and serve say REASON and exit
# with 125, top with 1; a command to trace is not run.
refused()
{
	local what=$1 text=$2 reason=$3 out code command wanted

	shift 3
	out=$(timeout 30 "$@" "$CTRACE" doctor 2>&1)
	code=$?
	is "$code" 1 "$what: doctor exits with 1"
	like "$out" "$text" "$what: doctor says why"
	echo earlier >"$WORK/earlier.json"
	out=$(timeout 30 "$@" "$CTRACE" trace --json "$WORK/earlier.json" -- touch "$WORK/ran" 2>&1)
	is "$(cat "$WORK/earlier.json")" earlier "$what: a file that there was keeps what it had"
	out=$(timeout 30 "$@" "$CTRACE" trace --json "$WORK/refused.json" -- touch "$WORK/ran" 2>&1)
	code=$?
	is "$code" 125 "$what: trace exits with 125"
	like "$out" "^ctrace trace: .*$reason" "$what: trace gives its reason"
	is "$(ls "$WORK/ran" 2>&1 | grep -c '^/')" 0 "$what: the command was not run"
	rm -f "$WORK/ran"
	unlike "$out" 'libbpf' "$what: in words of ctrace's own"
	for command in "record $WORK/refused.ctrace" "serve --listen 127.0.0.1:$(free_port)" "top --batch" "top --json"; do
		wanted=125
		[ "${command%% *}" != top ] || wanted=1
		# shellcheck disable=SC2086 # words of a command
		out=$(timeout 30 "$@" "$CTRACE" $command 2>&1)
		code=$?
		is "$code" "$wanted" "$what: ${command%% *} exits with $wanted"
		like "$out" "^ctrace ${command%% *}: .*$reason" "$what: ${command%% *} gives the same"
	done
	is "$(find "$WORK" -name 'refused.*' -size +0)" "" "$what: no file that looks like a trace"
}

refused "root of a user namespace" 'root of a user namespace only' 'root of a user namespace only: run ctrace as root' \
	unshare --user --map-root-user
refused "no CAP_BPF" 'CAP_BPF is missing' 'CAP_BPF is missing: run ctrace as root' setpriv --bounding-set=-bpf,-sys_admin
refused "no CAP_PERFMON" 'CAP_PERFMON is missing' 'CAP_PERFMON is missing: run ctrace as root' \
	setpriv --bounding-set=-perfmon,-sys_admin
refused "seccomp refuses bpf" 'a seccomp filter is active' 'a seccomp filter is active: it has to allow bpf' \
	/usr/bin/python3 "$LIB/deny.py" EPERM bpf
refused "seccomp hides bpf" 'a seccomp filter is active' 'a seccomp filter is active: it has to allow bpf' \
	/usr/bin/python3 "$LIB/deny.py" ENOSYS bpf
refused "no type information" 'CONFIG_DEBUG_INFO_BTF' 'CONFIG_DEBUG_INFO_BTF' \
	unshare --mount sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh
refused "a pid namespace of its own" '--pid host' '--pid host' unshare --pid --fork --mount-proc
if unshare --time true 2>/dev/null; then
	refused "a shifted boot clock" 'time namespace' 'time namespace' unshare --time --boottime 86400 --fork
else
	skip_point "a shifted boot clock" "this kernel has no time namespaces"
fi

# traces WHAT COMMAND-PREFIX...: what is refused is not needed; the command runs and its exit code is passed on.
traces()
{
	local what=$1 out code

	shift
	rm -f "$WORK/t.json"
	out=$(timeout 30 "$@" "$CTRACE" trace --json "$WORK/t.json" -- sh -c 'exit 9' 2>&1)
	code=$?
	is "$code" 9 "$what: it traces" || diag "$out"
	like "$(tail -n 1 "$WORK/t.json")" '"complete":true' "$what: to the end"
}

traces "no tracefs" unshare --mount sh -c 'for d in /sys/kernel/tracing /sys/kernel/debug; do
	! mountpoint -q $d || umount -l $d; mount -t tmpfs none $d; done; exec "$@"' sh
traces "no cgroup file system" unshare --mount sh -c 'umount -Rl /sys/fs/cgroup; mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh
traces "no locked memory" prlimit --memlock=0
traces "seccomp refuses perf_event_open" /usr/bin/python3 "$LIB/deny.py" EPERM perf_event_open
traces "least privileges" setpriv --bounding-set=-all,+bpf,+perfmon

# Every number of descriptors is either too few, which is said, or enough.
enough='' wrong=()
for n in 4 7 10 16 24 32 40 48 56 64 80 128; do
	rm -f "$WORK/t.json"
	out=$(timeout 30 prlimit --nofile="$n" "$CTRACE" trace --json "$WORK/t.json" -- sh -c 'exit 9' 2>&1)
	case $? in
	9) tail -n 1 "$WORK/t.json" | grep -q '"complete":true' || wrong+=("$n: no summary") ;;
	125) grep -q '^ctrace trace: .*[a-z]' <<<"$out" || wrong+=("$n: $out") ;;
	*) wrong+=("$n: neither: $out") ;;
	esac
	enough=$n
done
out=$(timeout 30 prlimit --nofile=40 "$CTRACE" trace -- true 2>&1)
is "$out" "ctrace trace: the caller's limit of open files is too low for tracing: raise it (ulimit -n) to 128 or more" \
	"too few descriptors: it says what to do, and nothing else"
like "$(timeout 30 prlimit --fsize=4096 "$CTRACE" trace -- true 2>&1)" "limit of a file's size: raise it \(ulimit -f\)" \
	"a limit of a file's size: it says what to do"
# The kernel puts the environment on that stack, too: one of a few KiB ends any program before its main().
for n in 16 32 64 120; do
	is "$(env -i PATH="$PATH" sh -c 'ulimit -s "$1" && timeout 30 "$2" trace -- true' sh "$n" "$CTRACE" 2>&1; echo "$?")" \
		"ctrace: stacks may not grow beyond $n KiB here, and ctrace needs 128: raise the limit with ulimit -s 8192
125" "a stack of $n KiB: it says what to do"
done
is "$(ulimit -s 128 && timeout 30 "$CTRACE" trace -- sh -c 'exit 9' 2>/dev/null; echo "$?")" "9" "a stack of 128 KiB is enough"
is "${wrong[*]-}" "" "few descriptors, 4 to $enough: an error in words, or a whole trace"
traces "128 descriptors" prlimit --nofile=128
done_testing
