#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# ctrace run --tui: the container's terminal beside the timeline of its start, on wide, narrow and small terminals.
. tests/lib/env.sh
. tests/lib/engine.sh
. tests/lib/trace.sh
. tests/lib/tui.sh
need_tracing
need tmux pgrep
engine_root || skip_all "no busybox to make a root of"

# run_tui SIZE [OPTION...] -- COMMAND...
run_tui()
{
	local size=$1

	shift
	tui_run "$size" "CTRACE_ROOT=$CTRACE_ROOT" "CTRACE_RUN=$CTRACE_RUN" "PS1=here" -- --rm --network none \
		"${@:1:$#}"
}

# The column at which the wall between the two stands; nothing where there is none.
wall()
{
	local line

	line=$(tui_screen | sed -n 5p | grep -o '^[^│]*│')
	echo $((${#line} - 1)) # in characters, which not every awk counts
}

# ---- beside each other ----

run_tui 120x40 --name tui-wide --memory 64m --rootfs "$ROOTFS" /bin/sh
check "the container's prompt is there" tui_wait '^/ #' 60
check "beside the timeline of its start" tui_wait '│.*pivot' 20
like "$(tui_screen)" '│.*tui-wide' "which has its name"
like "$(tui_screen)" 'the container has the keys, Ctrl-\]: the timeline' "it says who has the keys"
is "$(LC_ALL=C.UTF-8 wall)" 60 "half of the screen is the container's"
tui_keys 'stty size' Enter
check "and the container knows how large that is" tui_wait '^39 60 *│'
tui_keys "printf '\\033[31mred\\033[0m'" Enter
check "it has colours" eval 'tui_wait "^red" && tui_screen -e | grep -q "$(printf "\\033\\[31m")red"'
tui_keys 'trap "echo got-int" INT' Enter C-c
check "Ctrl-C is the container's" tui_wait '^.*got-int'
tui_keys 'echo one' Enter Up Up C-a C-k 'echo keys-work' Enter
check "arrows and control keys are the container's" tui_wait '^keys-work'
tui_keys 'q'
check "q is a letter there" tui_wait '^/ # q' # the clock beside it never settles
tui_keys C-u

# ---- the timeline has the keys ----

tui_keys C-]
check "Ctrl-] gives the keys to the timeline" tui_wait 'the timeline has the keys'
tui_keys 3
check "whose keys are those of ctrace top" tui_wait '│.*\[3 events\]'
tui_keys 2
check "and back" tui_wait '│.*\[2 timeline\]'
mux resize-window -x 90 -y 30
check "a narrower terminal has one above the other" tui_wait '^ctrace top .*running' 10
tui_keys C-]
tui_wait 'the container has the keys'
tui_keys 'stty size' Enter
check "and the container is told" tui_wait '^14 90$'
mux resize-window -x 60 -y 12
tui_settle
tui_keys clear Enter 'stty size' Enter
check "a small one has only the one with the keys" tui_wait '^11 60$'
unlike "$(tui_screen)" 'running|rootfs' "and not the other"
tui_keys C-]
check "and the other when that has them" tui_wait '2 timeline\].*'
mux resize-window -x 120 -y 40
tui_keys C-]
check "wide again" tui_wait '│.*pivot'

# ---- its end ----

pid=$(pgrep -P "$(mux display-message -p '#{pane_pid}')" -f run_tui | head -n 1)
tui_keys 'exit 7' Enter
check "it ends, and the screen stays" tui_wait 'it has ended: exit 7, q quits' 20
like "$(tui_screen)" 'exit 7' "the timeline knows the exit code"
tui_keys q
check "q leaves: the exit code is the container's" tui_wait 'EXIT 7' 20
check "the terminal is as it was" tui_wait 'TERMINAL AS BEFORE' 5
check "nothing of it runs" wait_for 10 process_gone "$pid"
like "$(mux capture-pane -p -S -200)" 'teardown' "the waterfall stays, as of ctrace run"
like "$(mux capture-pane -p -S -200)" 'exit 7' "and the last that the container printed"
is "$(ct ps -aq)" "" "--rm removed it"

# ---- 80x24 ----

run_tui 80x24 --name tui-narrow --rootfs "$ROOTFS" /bin/sh
check "80x24: the container's prompt" tui_wait '^/ #' 60
check "and below it its timeline" tui_wait '▸rootfs ' 20
tui_keys 'stty size' Enter
check "the container has its rows" tui_wait '^11 80$'
tui_keys C-] q
check "q while it runs leaves it running" tui_wait 'EXIT 0' 20
is "$(ct ps --format '{{.Names}}')" tui-narrow "as ctrl-p ctrl-q does"
ct rm -f tui-narrow >/dev/null

# ---- more is pasted than anybody reads ----

run_tui 120x30 --name tui-paste --rootfs "$ROOTFS" /bin/sh
tui_wait '^/ #' 60
tui_keys 'stty raw -echo; echo deaf; sleep 90' Enter
tui_wait '^deaf'
head -c 1500000 /dev/zero | tr '\0' x >"$WORK/paste"
mux load-buffer "$WORK/paste"
mux paste-buffer
tui_keys C-] 3 # heard when all before it is read
clock() { tui_screen | grep -o '[0-9][0-9]:[0-9][0-9]:[0-9][0-9]' | head -n 1; }
clocks=$(for _ in 1 2 3 4 5 6 7 8; do clock; sleep 0.5; done | sort -u | wc -l)
check "the screen lives while megabytes are pasted: $clocks times within four seconds" test "$clocks" -ge 3
check "and the keys are heard behind it" tui_wait '\[3 events\]' 120
tui_keys q
check "and it is left as ever" tui_wait 'EXIT 0' 20
ct rm -f tui-paste >/dev/null

# ---- it prints more than anybody reads ----

run_tui 120x30 --name tui-chatty --rootfs "$ROOTFS" /bin/sh
tui_wait '^/ #' 60
tui_keys 'i=0; while :; do i=$((i+1)); echo "line $i"; done' Enter
check "a chatty container is seen" tui_wait '^line [0-9]{4}' 30
from=$EPOCHSECONDS
tui_keys C-]
check "the keys go to the timeline all the same" tui_wait 'the timeline has the keys' 30
tui_keys 3
check "and work" tui_wait '\[3 events\]' 30
diag "two keys took $((EPOCHSECONDS - from)) s while it prints"
one=$(tui_screen | grep -om 1 '^line [0-9]*')
sleep 1
check "meanwhile it prints on" test "$(tui_screen | grep -om 1 '^line [0-9]*')" != "$one"
tui_keys C-] C-c 'echo stopped' Enter
check "and Ctrl-C reaches it" tui_wait '^stopped' 60
tui_keys exit Enter
tui_wait 'it has ended' 30
tui_keys q
check "and it is left as ever" tui_wait 'EXIT' 30

# ---- what goes wrong ----

fails 125 '--tui needs a terminal' "without a terminal" "$CTRACE" run --tui --rootfs "$ROOTFS" /bin/sh
fails 125 'Conflicting options: --tui and --detach' "with -d" "$CTRACE" run --tui -d --rootfs "$ROOTFS" /bin/sh
run_tui 100x30 --rootfs "$ROOTFS" /bin/no-such-thing
check "a command that is not there: its exit code" tui_wait 'it has ended: exit 127|EXIT 127' 60
like "$(tui_screen)" 'no such file' "and why"
tui_keys q
check "as of ctrace run" tui_wait 'EXIT 127' 20
run_tui 100x30 --rootfs "$WORK/no-such-root" /bin/sh
check "where no container is made it ends at once" tui_wait 'EXIT 125' 60
like "$(tui_screen)" 'No such file' "and says why"
run_tui 100x30 --rootfs "$ROOTFS" /bin/sh
tui_wait '^/ #' 60
pid=$(pgrep -P "$(mux display-message -p '#{pane_pid}')" -f run_tui | head -n 1)
kill -SEGV "$pid"
check "a crash gives the terminal back" tui_wait 'TERMINAL AS BEFORE' 20
name=$(ct ps --format '{{.Names}}')
like "$name" '^[a-z]' "and the container runs on, as when a terminal is closed"
ct rm -f "$name" >/dev/null
done_testing
