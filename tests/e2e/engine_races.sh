#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two commands at the same volume: one is held at its worst moment (strace delays a system call) while the other runs.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
have busybox || skip_all "busybox (static) is not installed"
have strace || skip_all "strace is not installed"
strace -qq -o /dev/null -e trace=rename -e inject=rename:delay_enter=1:when=1 true 2>/dev/null || skip_all "strace cannot delay calls here"
engine_root

# is_held PATTERN: a file of that pattern stays for longer than it takes to rename it.
is_held()
{
	local file

	file=$(compgen -G "$1" | head -n 1)
	[ -n "$file" ] && sleep 0.4 && [ -e "$file" ]
}

# hold NUMBER COMMAND...: begins it, to be held for 3 s in its rename of that number. Sets HELD.
hold()
{
	local number=$1

	shift
	strace -qq -o /dev/null -E "$NO_LEAK_CHECK" -e trace=rename -e "inject=rename:delay_enter=3s:when=$number" "$CTRACE" "$@" </dev/null >"$WORK/held" 2>&1 &
	HELD=$!
}

# held CODE WHAT: how it ended.
held()
{
	wait "$HELD"
	is $? "$1" "$2" || diag "$(cat "$WORK/held")"
}

saving="$CTRACE_RUN/containers/*/state.json.tmp"
volumes=$CTRACE_ROOT/volumes

ct create --name giver -v /v "${ON[@]}" true >/dev/null
# renames: the claim, the first state, the state with the volumes
hold 3 run --trace=none --name taker --volumes-from giver "${ON[@]}" touch /v/file
check "--volumes-from is held before its state names the volume" wait_for 10 is_held "$saving"
check "rm -v of the other one meanwhile" ct rm -v giver
held 0 "the container with --volumes-from runs"
is "$(ls "$volumes"/*/_data)" file "its volume is there"
ct rm -v taker >/dev/null
is "$(ls -A "$volumes")" "" "and goes with the last one that has it"

# renames: the claim, the first state, the volume's description, the state
hold 4 run --trace=none --name taker -v named:/v "${ON[@]}" touch /v/file
check "-v NAME is held before its state names the volume" wait_for 10 is_held "$saving"
fails 1 'volume is in use' "volume rm meanwhile" ct volume rm named
held 0 "the container with the volume runs"
is "$(ls "$volumes/named/_data")" file "its volume is there"
ct rm taker >/dev/null
ct volume rm named >/dev/null

ct create --name giver -v /v "${ON[@]}" true >/dev/null
# renames: the claim, the state, the volume
hold 3 rm -v giver
check "rm -v is held before its volume is gone" wait_for 10 grep -q '"removing"' "$CTRACE_RUN"/containers/*/state.json
fails 125 'No such container: giver|is gone: the container is being removed' "--volumes-from meanwhile" \
	ct run --volumes-from giver "${ON[@]}" true
held 0 "the container is removed"
is "$(ls -A "$volumes")" "" "and its volume"

mkdir "$volumes/.left" # by one that was killed
ct volume prune -f >/dev/null
is "$(ls -A "$volumes")" "" "volume prune removes what a killed removal left"
is "$(engine_things)" "" "nothing is left"
done_testing
