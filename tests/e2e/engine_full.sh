#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 200
# No space for state or storage, no processes left, a mount that fails half way, many at once: clear errors, and
# nothing is left.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox
engine_root || skip_all "no busybox"

# ---- no space ----
small=$WORK/small
mkdir "$small"
mount -t tmpfs -o size=2m,nr_inodes=60 none "$small"
on_exit umount -l "$small"
fill() { local i=0; while { : >"$small/f$i"; } 2>/dev/null; do i=$((i + 1)); done; }
spare() { [ "$1" = 0 ] || (cd "$small" && eval "rm -f f{0..$(($1 - 1))}"); }
# no_space WHAT: with 0, 1, 2... inodes to spare each start fails somewhere else.
no_space()
{
	local n bad=0 refused=0

	ct run --rm "${ON[@]}" true # makes what is made once
	fill
	for n in 0 1 2 3 4 5 6 7 8 10 12 14 17 22; do
		spare "$n"
		try ct run -d --name full "${ON[@]}" -v /anon true
		if [ "$code" != 0 ]; then
			refused=$((refused + 1))
			grep -qi 'no space' <<<"$err" || { bad=$((bad + 1)); diag "$err"; }
		fi
		wait_for 5 eval '[ -z "$("$CTRACE" ps -q)" ]'
		ct rm -fv full >/dev/null 2>&1
		ct prune --leftovers
		[ -z "$(engine_things)" ] || { bad=$((bad + 1)); diag "left: $(engine_things | head -3)"; }
		fill
	done
	is "$bad" 0 "$1 is full: $refused of 14 starts were refused with 'no space', nothing is left of any"
	rm -f "$small"/f*
}
mkdir "$small/run"
CTRACE_RUN=$small/run no_space "/run" 
saved=$CTRACE_ROOT
export CTRACE_ROOT=$small/store
no_space "the store"
export CTRACE_ROOT=$saved
CTRACE_RUN=$small/run ct prune -f >/dev/null
ct run --name log "${ON[@]}" sh -c 'echo kept' >/dev/null
is "$(ct logs log)" kept "afterwards it works again"
ct rm log >/dev/null

# ---- no processes ----
pids=$(cgroup_mount pids || cgroup_mount '')/ct-full-$$
if mkdir "$pids" 2>/dev/null && [ -e "$pids/pids.max" ]; then
	on_exit rmdir "$pids"
	bad=0
	for limit in 1 2 3 4; do
		echo $limit >"$pids/pids.max"
		out=$(sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$pids" "$CTRACE" run -d --trace=none --name few "${ON[@]}" true 2>&1 </dev/null)
		code=$?
		[ "$code" = 0 ] || grep -q 'Resource temporarily unavailable' <<<"$out" || { bad=$((bad + 1)); diag "$limit: $code $out"; }
		wait_for 5 eval '[ -z "$("$CTRACE" ps -q)" ]'
		ct rm -f few >/dev/null 2>&1
		[ -z "$(engine_things)" ] || { bad=$((bad + 1)); diag "left: $(engine_things | head -3)"; }
	done
	is "$bad" 0 "no processes left: said clearly, nothing is left"
else
	skip_point "no processes left" "no pids cgroup"
fi

# ---- a mount that fails half way, a hook's worth of bad settings ----
fails 125 'does not exist' "a mount that fails" ct run -d --name bad --mount type=bind,src=/proc/self/nosuch,dst=/x "${ON[@]}" true
touch "$ROOTFS/file"
fails 125 'file' "a directory mounted on a file" ct run -d --name bad -v "$WORK:/file" "${ON[@]}" true
fails 125 'nosuch' "a sysctl that there is not" ct run -d --name bad --sysctl net.nosuch=1 "${ON[@]}" true
is "$(engine_things)" "" "nothing is left of these"

# ---- many at once ----
for i in $(seq 16); do
	ct run -d --name "many$i" "${ON[@]}" sleep 30 >/dev/null 2>>"$WORK/many.err" &
done
wait
is "$(cat "$WORK/many.err" 2>/dev/null)$(ct ps -q | wc -l)" 16 "sixteen at once"
for i in $(seq 4); do
	ct rm -f $(seq -f 'many%g' 16) >/dev/null 2>&1 &
done
wait
is "$(ct ps -aq)$(engine_things)" "" "removed by four at once: nothing is left"
for i in $(seq 8); do
	ct run --rm --name same "${ON[@]}" sleep 0.5 >/dev/null 2>&1 &
done
wait
wait_for 5 test -z "$(engine_things)"
is "$(engine_things)" "" "eight of one name: nothing is left"
done_testing
