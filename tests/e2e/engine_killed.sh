#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# A process of the launcher is killed at its n-th system call, for n all over its life: the next command finds and
# removes what it left, and containers that had run are kept as exited.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"
kill_at=$CTRACE_OUTPUT/tests/kill_at
[ -x "$kill_at" ] || skip_all "tests/tools/kill_at is not built"
steps=${SOAK:+60}
: "${steps:=${FULL:+9}}" "${steps:=6}"

# calls BEFORE AFTER COMMAND...: how many system calls it and its processes make, about.
calls()
{
	local low=1 high=4096 middle before=$1 after=$2

	shift 2
	while [ $((high - low)) -gt 32 ]; do
		middle=$(((low + high) / 2))
		"$before"
		if "$kill_at" "$middle" "$@" >/dev/null 2>&1 </dev/null; then low=$middle; else high=$middle; fi
		settle
		"$after"
	done
	echo "$low"
}

# What a person would do next; then all must be gone but containers that had run.
settle()
{
	"$CTRACE" ps -q >/dev/null 2>>"$WORK/next"
}

left()
{
	engine_things | grep -v '^containers/\|^names/' # those of containers that stay
	for id in $("$CTRACE" ps -aq --no-trunc --filter status=running --filter status=created --filter status=removing); do
		echo "container $id: $("$CTRACE" inspect -f '{{.State.Status}}' "$id")"
	done
}

remember()
{
	ls "$WORK/run/live" "$WORK/run/containers" 2>/dev/null | grep -E '^[0-9a-f]{64}$' | sort -u >>"$WORK/ids"
}

# sweep WHAT BEFORE AFTER COMMAND...: BEFORE and AFTER are functions that make ready and take away.
sweep()
{
	local what=$1 before=$2 after=$3 n total bad=0 killed=0

	shift 3
	total=$(calls "$before" "$after" "$@")
	for ((n = 1; n <= steps; n++)); do
		: >"$WORK/ids"
		"$before"
		"$kill_at" $((1 + n * total / (steps + 1))) "$@" >/dev/null 2>&1 </dev/null && killed=$((killed + 1))
		remember
		settle
		# what a live supervisor (it was not the one that was killed) still does
		wait_for 3 is_clean || { bad=$((bad + 1)); diag "killed at $((1 + n * total / (steps + 1))) of $total: $(left | head -5)"; }
		"$after"
	done
	is "$bad" 0 "$what: killed at $killed of $steps steps of about $total calls, and nothing is left"
}

is_clean()
{
	"$CTRACE" rm -fv keep running >/dev/null 2>&1
	settle
	[ -z "$(left)" ]
}

nothing()
{
	:
}

empty()
{
	"$CTRACE" rm -fv keep running >/dev/null 2>&1
	"$CTRACE" prune -f --volumes >/dev/null 2>&1
}

make_exited()
{
	"$CTRACE" run --trace=none --name keep "${ON[@]}" -v /anon true >/dev/null 2>&1
}

make_created()
{
	"$CTRACE" create --name keep "${ON[@]}" --ipc shareable -v /anon true >/dev/null 2>&1
}

make_running()
{
	"$CTRACE" run -d --trace=none --name running "${ON[@]}" sleep 60 >/dev/null 2>&1
}

sweep "run --rm" nothing empty "$CTRACE" run --trace=none --rm "${ON[@]}" true
sweep "run" nothing empty "$CTRACE" run --trace=none "${ON[@]}" true
sweep "run -d, with shared memory" nothing empty "$CTRACE" run -d --trace=none --ipc shareable --name keep "${ON[@]}" -v /anon true
sweep "run -d --rm -p, on the bridge" nothing empty "$CTRACE" run -d --rm --trace=none --name keep \
	--rootfs "$ROOTFS" -p 127.0.0.1::80 true
sweep "create" nothing empty "$CTRACE" create --name keep --ipc shareable "${ON[@]}" -v /anon true
sweep "create --rm" nothing empty "$CTRACE" create --rm --name keep "${ON[@]}" -v /anon true
sweep "start of one that was created" make_created empty "$CTRACE" start keep
sweep "rm of one that was created" make_created empty "$CTRACE" rm -v keep
sweep "start" make_exited empty "$CTRACE" start keep
sweep "rm" make_exited empty "$CTRACE" rm -v keep
sweep "rm -f" make_running empty "$CTRACE" rm -f running
sweep "stop" make_running empty "$CTRACE" stop -t 0 running

# What was created is not lost with a start of it.
lost=
total=$(calls make_created empty "$CTRACE" start keep)
for ((n = 1; n <= steps; n++)); do
	make_created
	"$kill_at" $((1 + n * total / (steps + 1))) "$CTRACE" start keep >/dev/null 2>&1 </dev/null
	settle
	wait_for 3 eval 'case $("$CTRACE" inspect -f "{{.State.Status}}" keep) in created | exited) true ;; *) false ;; esac' ||
		lost="$lost $n"
	wait_for 3 eval '"$CTRACE" start keep >/dev/null 2>&1' || lost="$lost $n:start"
	empty
done
is "$lost" "" "one that was created is still there when a start of it was killed, and starts"

empty
wait_for 5 test -z "$(engine_things)"
is "$(engine_things)" "" "nothing is left at the end"
is "$(ls "$CTRACE_ROOT/volumes" 2>/dev/null | wc -l)" 0 "not even a volume" || ls "$CTRACE_ROOT/volumes" | sed 's/^/# /'
is "$(sort "$WORK/next" | uniq -c)" "" "and no command after a kill complained"
done_testing
