#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# Terminals: the slave is never opened by a name that a container could replace, /dev/console is mounted on nothing
# outside, and a false multiplexer is refused (CVE-2025-52565).
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/escape.sh
need_root
need strace script
busybox_image || skip_all "busybox (static) is not installed"
terminal='.process.terminal = true'

# Commands of the runtime with a terminal as its own stdin.
on_terminal()
{
	timeout -s KILL 20 script -qec "$*" /dev/null </dev/null | tr -cd '[:print:]\n' | sed 's/^\^[@D]//'
}
ctrace_run="$CTRACE oci --root $WORK/state"

escape_bundle 'tty; ls -l /dev/console | cut -c1; echo in' "$terminal"
is "$(on_terminal "$ctrace_run run --bundle $B terminal")" "/dev/pts/0
c
in" "a terminal of the container's own"
on_terminal "strace -f -e trace=open,openat,openat2 -o $WORK/strace $ctrace_run run --bundle $B terminal" >/dev/null
check "which the runtime opens" grep -q ptmx "$WORK/strace"
# What follows the stub is the container's own program.
is "$(sed '/ctrace-init/q' "$WORK/strace" | grep -cE '"[^"]*pts/[0-9]')" 0 "and never by a name like /dev/pts/0"

# /dev of the image, not a mount: the console's place is a link out of it.
echo untouched >"$WORK/victim"
escape_bundle 'echo in; cat /dev/console' "$terminal"' | .mounts |= map(select(.destination != "/dev"))'
ln -s "$WORK/victim" "$B/rootfs/dev/console"
on_terminal "$ctrace_run run --bundle $B terminal" >"$WORK/out"
is "$(cat "$WORK/victim") $(grep -c " $WORK/victim " /proc/self/mountinfo)" "untouched 0" "a link as /dev/console covers nothing outside"

# A devpts that is none.
mkdir -p "$WORK/pts"
for what in file link directory; do
	rm -rf "$WORK/pts/ptmx"
	case $what in
	file) echo x >"$WORK/pts/ptmx" ;;
	link) ln -s /dev/null "$WORK/pts/ptmx" ;;
	directory) mkdir "$WORK/pts/ptmx" ;;
	esac
	escape_config 'echo in' "$terminal"' | .mounts |= map(if .destination == "/dev/pts" then
		{destination: "/dev/pts", type: "bind", source: "'"$WORK/pts"'", options: ["bind"]} else . end)'
	unlike "$(on_terminal "$ctrace_run run --bundle $B terminal")" '^in$' "a $what as /dev/pts/ptmx is refused"
done

# A running container that put something else in the places.
escape_bundle 'sleep 60' '.mounts |= map(if .destination == "/dev/pts" then .options -= ["ro"] else . end)'
attack ctrace run --detach --bundle "$B" terminal >"$WORK/out" 2>&1
attack ctrace exec terminal /bin/sh -c 'rm -f /dev/ptmx /dev/console /dev/tty; ln -s /etc/passwd /dev/ptmx; ln -s / /dev/console'
is "$(on_terminal "$ctrace_run exec --tty terminal tty")" /dev/pts/0 "exec with a terminal needs none of them"
attack ctrace delete --force terminal
check "nothing is left" nothing_left
done_testing
