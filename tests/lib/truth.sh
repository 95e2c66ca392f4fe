# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Golden timelines against strace of a like run. Needs env.sh; RECORDINGS is where the golden outputs are, BEFORE
# a command that runs the tracer.

# compare NAME OPTION...: what `strace -f` wrote to WORK/NAME.strace against NAME.json, into NAME.truth. Differences
# are not failures here: tests/replay/README.md explains each.
compare()
{
	local name=$1

	shift
	/usr/bin/python3 -B "$LIB/truth.py" "$@" "$RECORDINGS/$name.json" "$WORK/$name.strace" >"$RECORDINGS/$name.truth"
	[ $? -lt 2 ] && grep -q '^same' "$RECORDINGS/$name.truth"
}

# truth NAME OPTIONS COMMAND...: runs COMMAND, like the one that NAME recorded, under strace. OPTIONS: truth.py's.
truth()
{
	local name=$1 options=$2

	shift 2
	is_wanted "$name" || return 0
	(cd "$WORK" && "${BEFORE[@]}" strace -f -ttt -y -s 4096 -o "$WORK/$name.strace" \
		-e trace="$(/usr/bin/python3 -B "$LIB/truth.py" --calls)" -- "$@") >"$WORK/$name.out" 2>&1 </dev/null
	# shellcheck disable=SC2086 # several options
	check "$name: compared with strace" compare "$name" $options
}

# truth_of_daemons NAME OPTIONS PIDS COMMAND...: the same where daemons do the work: these are traced.
truth_of_daemons()
{
	local name=$1 options=$2 pids=$3 pid

	shift 3
	is_wanted "$name" || return 0
	strace -f -ttt -y -s 4096 -o "$WORK/$name.strace" -e trace="$(/usr/bin/python3 -B "$LIB/truth.py" --calls)" \
		-p "$pids" 2>"$WORK/$name.attached" &
	pid=$!
	on_exit stop_process "$pid"
	wait_for 10 grep -q attached "$WORK/$name.attached"
	sleep 0.5
	(cd "$WORK" && "$@") >"$WORK/$name.out" 2>&1 </dev/null
	sleep 1
	stop_process "$pid" INT
	# shellcheck disable=SC2086
	check "$name: compared with strace" compare "$name" --concurrent $options
}
