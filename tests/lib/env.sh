# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every end-to-end script starts with:  . tests/lib/env.sh
# Test points, a directory of its own (TEST_TMP), a stack of clean-ups that a trap runs, waiting, ports.

set -u

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LIB/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8
: "${CTRACE_OUTPUT:=$TOP/.output}"
: "${CTRACE:=$CTRACE_OUTPUT/ctrace}"
: "${CACHE:=/var/cache/ctrace-test}"
export CTRACE CTRACE_OUTPUT

PATIENCE=${TEST_PATIENCE:-1} # what is waited for is given so many times its time

# For programs under strace (-E): a sanitizer's leak checker works by ptrace, and ends a program that is traced already.
# shellcheck disable=SC2034 # read by tests
NO_LEAK_CHECK=ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

. "$LIB/tap.sh"

# Socket paths must stay under 108 bytes, so everything lives in a short directory of our own.
WORK=$(mktemp -d /tmp/ct.XXXXXX)
: "${TEST_TMP:=$WORK}"

cleanup_stack=()

# on_exit COMMAND...: runs it when the script ends, however it ends; last in, first out.
on_exit()
{
	cleanup_stack+=("$(printf '%q ' "$@")")
}

run_cleanups()
{
	local code=$? i

	trap - EXIT
	trap '' INT TERM
	for ((i = ${#cleanup_stack[@]} - 1; i >= 0; i--)); do
		eval "${cleanup_stack[i]}" >/dev/null 2>&1
	done
	rm -rf --one-file-system "$WORK"
	exit "$code"
}
trap run_cleanups EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# wait_for SECONDS COMMAND...: until the command succeeds; 1 when it does not in that time.
wait_for()
{
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * PATIENCE * 1000000)) # nothing here forks but sleep: it may go round often

	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$deadline" ] || return 1
		sleep 0.02
	done
}

process_gone()
{
	local state=

	{ IFS= read -r -d '' state <"/proc/$1/stat"; } 2>/dev/null
	state=${state##*) }
	[ -z "$state" ] || [ "${state:0:1}" = Z ]
}

# stop_process PID [SIGNAL] [SECONDS]: asks, waits, kills.
stop_process()
{
	kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
	if ! wait_for "${3:-15}" process_gone "$1"; then
		kill -KILL "$1" 2>/dev/null
	fi
	wait "$1" 2>/dev/null
	return 0
}

# A TCP port of 127.0.0.1 that nobody listens on now.
free_port()
{
	/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

have()
{
	command -v "$1" >/dev/null
}

# need COMMAND...: skips the script where one is missing.
need()
{
	local command

	for command; do
		have "$command" || skip_all "$command is not installed"
	done
}

need_root()
{
	[ "$(id -u)" = 0 ] || skip_all "it must run as root"
}

# The mount point of a v1 controller ("memory"), or of v2 (""); fails where there is none.
cgroup_mount()
{
	awk -v want="$1" '{
		split($0, half, " - ")
		split(half[1], left, " ")
		split(half[2], right, " ")
		if (want == "" && right[1] == "cgroup2") { print left[5]; exit }
		n = split(right[3], options, ",")
		if (right[1] == "cgroup")
			for (i = 1; i <= n; i++)
				if (options[i] == want) { print left[5]; exit }
	}' /proc/self/mountinfo | grep .
}

# True where the memory controller is on v1.
is_v1()
{
	cgroup_mount memory >/dev/null
}

# The names "file value" that a memory limit of BYTES is written to.
memory_limit_file()
{
	if is_v1; then echo memory.limit_in_bytes; else echo memory.max; fi
}

# Removes the empty cgroup PATH (as /docker) from every hierarchy, children first.
remove_cgroup()
{
	local root

	awk '{ split($0, half, " - "); split(half[1], left, " "); split(half[2], right, " ")
		if (right[1] ~ /^cgroup/) print left[5] }' /proc/self/mountinfo |
	while read -r root; do
		[ -d "$root$1" ] && find "$root$1" -depth -type d -exec rmdir {} \;
	done 2>/dev/null
	return 0
}

# True when PATH exists as a cgroup in any hierarchy.
cgroup_exists()
{
	find "$(dirname "$(cgroup_mount memory || cgroup_mount '')")" -maxdepth 3 -path "*$1" -type d | grep -q .
}
