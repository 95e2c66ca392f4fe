#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make-recordings.sh OUTPUT_DIRECTORY [NAME...]: makes the recordings below tests/replay and their golden outputs
# again, all or those named, by running every engine that is here. As root; see tests/replay/README.md. The
# name "golden" makes only the golden outputs of the recordings that are there, which needs no root. The environment
# variable TO names another directory to write to.
set -u

output=$(realpath "${1:?usage: make-recordings.sh OUTPUT_DIRECTORY [NAME...]}") || exit 1
shift
cd "$(dirname "$0")/.." || exit 1

# Recordings hold environments' effects, host name and command lines: begin with nothing of the caller's.
if [ -z "${CTRACE_CLEAN-}" ]; then
	named=()
	[ "$(id -u)" != 0 ] || named=(unshare --uts sh -c 'hostname recorder && exec "$@"' sh)
	exec env -i CTRACE_CLEAN=1 TO="${TO-}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		"${named[@]}" bash scripts/make-recordings.sh "$output" "$@"
fi
to=${TO-}
unset CTRACE_CLEAN TO
CTRACE_OUTPUT=$output
wanted=" $* "

. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/truth.sh
RECORDINGS=${to:-$TOP/tests/replay}

# golden PATH: the golden outputs of PATH.ctrace, beside it.
golden()
{
	rm -f "$1.json.xz"
	"$CTRACE" replay --json "$1.ctrace" >"$1.json"
	[ "$(stat -c %s "$1.json")" -lt 1000000 ] || xz -f "$1.json"
	"$CTRACE" show --width 120 --color=never "$1.ctrace" >"$1.txt"
}

if [ "$wanted" = " golden " ]; then
	for recording in "$RECORDINGS"/*.ctrace; do
		golden "${recording%.ctrace}"
	done
	exit
fi
need_tracing
need runc strace jq xz

# No path of the source tree may get into a recording, so the programs that are run lie elsewhere.
mkdir "$WORK/bin"
cp "$CTRACE_OUTPUT/ctrace" "$CTRACE_OUTPUT/ctrace-trace" "$CTRACE_OUTPUT/ctrace-image" "$WORK/bin/"
ln -s ctrace "$WORK/bin/ctrace-oci"
CTRACE=$WORK/bin/ctrace
export CTRACE_RUN=$WORK/run
busybox_image || skip_all "no busybox image"
cp "$CTRACE_OUTPUT/tests/stimulus" "$BUSYBOX_ROOT/bin/stimulus" || skip_all "stimulus is not built"

# runc and crun make cgroups below the caller's own; those of this machine's sessions are nobody's business.
to_root_cgroups()
{
	local root

	awk '{ split($0, half, " - "); split(half[1], left, " "); split(half[2], right, " ")
		if (right[1] ~ /^cgroup/ && left[4] == "/") print left[5] }' /proc/self/mountinfo |
	while read -r root; do
		echo $$ >"$root/cgroup.procs"
	done 2>/dev/null
	return 0
}

is_wanted()
{
	[ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]]
}

timelines()
{
	"$CTRACE" show --json "$1" | grep '"type":"timeline"'
}

# keep NAME RAW LIVE [OPTION...]: takes the rest of the host out of the recording RAW (OPTIONs: recording.py's) and
# writes it with its golden outputs. LIVE is what the live session printed.
keep()
{
	local name=$1 raw=$2 live=$3

	shift 3
	"$CTRACE" replay --json "$raw" | cmp - "$live" || return 1
	/usr/bin/python3 -B "$LIB/recording.py" "$@" "$raw" "$WORK/small.ctrace" || return 1
	if ! cmp <(timelines "$raw") <(timelines "$WORK/small.ctrace"); then
		diff <(timelines "$raw" | jq -S .) <(timelines "$WORK/small.ctrace" | jq -S .)
		return 1
	fi
	if "$CTRACE" replay --json --events "$WORK/small.ctrace" | grep -F "$(dirname "$TOP")/" | head -c 1000 | grep .; then
		return 1
	fi
	cp "$WORK/small.ctrace" "$RECORDINGS/$name.ctrace"
	chmod 644 "$RECORDINGS/$name.ctrace"
	golden "$RECORDINGS/$name"
}

# attempt NAME CODE COMMAND...: COMMAND leaves WORK/NAME.raw and NAME.json, and must exit with CODE.
attempt()
{
	local name=$1 code=$2 got

	shift 2
	rm -f "$WORK/$name.json" "$WORK/$name.raw"
	(cd "$WORK" && "$@") >"$WORK/$name.out" 2>&1 </dev/null
	got=$?
	if [ "$got" != "$code" ]; then
		echo "exit code $got instead of $code: $(tail -n 5 "$WORK/$name.out")"
		return 1
	fi
	keep "$name" "$WORK/$name.raw" "$WORK/$name.json" "${OPTIONS[@]}"
}

# Other containers of the host may meddle (their links are told of ours): a few attempts.
try_record()
{
	attempt "$@" || attempt "$@" || attempt "$@" || attempt "$@"
}

# record NAME CODE COMMAND...: COMMAND must exit with CODE. OPTIONS are for recording.py; BEFORE is a command that
# runs the tracer.
OPTIONS=()
BEFORE=()
record()
{
	local name=$1 code=$2

	shift 2
	is_wanted "$name" || return 0
	check "$name" try_record "$name" "$code" \
		"${BEFORE[@]}" "$CTRACE" trace --trace=none --json "$WORK/$name.json" --record "$WORK/$name.raw" -- "$@"
}

to_root_cgroups
. scripts/recordings.sh
done_testing
