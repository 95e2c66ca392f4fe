#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# The terminal: given back however the dashboard ends, kept through every size, refused with a clear word where there is
# none. And what the keys do, as a newcomer presses them.
. tests/lib/env.sh
. tests/lib/tui.sh
need tmux pgrep
[ -x "$CTRACE_OUTPUT/ctrace-top" ] || skip_all "ctrace-top is not built"

oom=$TOP/tests/replay/docker-oom.ctrace
many=$TOP/tests/replay/runc-parallel.ctrace

restored()
{
	check "$1: it ends with code $2" tui_wait "EXIT $2"
	check "$1: the terminal's modes are as before" screen_has 'TERMINAL AS BEFORE'
	is "$(mux display-message -p '#{cursor_flag}#{mouse_any_flag}#{alternate_on}#{keypad_cursor_flag}')" 1000 \
		"$1: cursor, mouse, screen and keypad, too"
}

for ending in q F10 TERM INT HUP SEGV ABRT; do
	tui_start 80x24 -- "$oom"
	tui_wait 'eater'
	case $ending in
	q | F10) tui_keys "$ending" ;;
	*) kill "-$ending" "$(tui_pid)" ;;
	esac
	case $ending in
	SEGV) restored "$ending" 139 ;;
	ABRT) restored "$ending" 134 ;;
	*) restored "$ending" 0 ;;
	esac
done

# ---- stopped and continued, by a shell that has jobs ----

mux kill-server
TMUX_SOCKET=$WORK/tmux.jobs
mux new-session -d -x 80 -y 24 "env TERM=tmux LC_ALL=C.UTF-8 PS1='shell> ' bash --norc -i"
on_exit tui_cleanup
tui_wait '^shell>'
tui_keys "stty -g >$WORK/before; $CTRACE top $oom" Enter
tui_wait 'eater'
tui_keys C-z
check "Ctrl-Z: the shell is there" tui_wait 'Stopped.*top'
tui_keys "stty -g >$WORK/after; echo looked" Enter
tui_wait '^looked'
check "Ctrl-Z: the terminal's modes are as before" cmp "$WORK/before" "$WORK/after"
is "$(mux display-message -p '#{cursor_flag}#{mouse_any_flag}#{alternate_on}#{keypad_cursor_flag}')" 1000 \
	"Ctrl-Z: cursor, mouse, screen and keypad, too"
mux resize-window -x 100 -y 30
tui_keys fg Enter
check "fg: it is drawn again" tui_wait '1 containers\]'
check "fg: as large as the terminal is now" eval 'tui_wait "lost 0\$" && tui_screen | head -n 1 | grep -qE "^.{94}lost 0" && tui_screen | tail -n 1 | grep -q "q quit"'
tui_keys q
check "fg: q ends it" tui_wait '^shell> *$'

# ---- sizes ----

tui_start 80x24 -- "$oom"
tui_wait 'eater'
for size in 40x10 20x5 3x2 1x1 200x60 80x24; do
	mux resize-window -x "${size%x*}" -y "${size#*x}"
	sleep 0.3
	for key in 2 3 4 5 1; do tui_keys "$key"; done
	tui_settle
	process_gone "$(tui_pid)" && break
done
check "it runs on through all sizes" tui_wait '\[1 containers\]'
like "$(tui_screen)" 'eater +OOM 137' "and is whole again afterwards"

# ---- no terminal ----

"$CTRACE" top "$oom" </dev/null >"$WORK/out" 2>"$WORK/err"
is "$?:$(wc -l <"$WORK/err")" 1:1 "without a terminal: exit code 1 and one line"
like "$(cat "$WORK/err")" 'not a terminal.*--batch' "which says what to do"
tui_start 80x24 TERM=nonsense -- "$oom"
check "an unknown terminal is named" tui_wait 'TERM=nonsense is not known'
tui_start 80x24 TERM=dumb -- "$oom"
check "so is one that cannot be drawn on" tui_wait 'TERM=dumb cannot move its cursor; --batch'
check "which is left as it was" tui_wait 'TERMINAL AS BEFORE'
for bad in "$WORK/nothing.ctrace" "$TOP/README.md"; do
	"$CTRACE" top --batch "$bad" >"$WORK/out" 2>"$WORK/err"
	is "$?:$(wc -l <"$WORK/err")" 1:1 "$(basename "$bad"): exit code 1 and one line"
	like "$(cat "$WORK/err")" "$bad" "with its name"
done
head -c 5000 "$oom" >"$WORK/cut.ctrace"
"$CTRACE" top --batch "$WORK/cut.ctrace" >"$WORK/out" 2>"$WORK/err"
is $? 1 "a recording that was cut short: exit code 1"
like "$(cat "$WORK/out" "$WORK/err")" 'NAME|no container' "behind what it holds"
tui_start 80x24 -- "$WORK/cut.ctrace"
check "on the terminal it says so, too" tui_wait 'cut short|ends|offset'
for bad in --view=x --sort=x -n0 --play=fast --filter=nonsense~1; do
	"$CTRACE" top --batch "$bad" "$oom" >"$WORK/out" 2>"$WORK/err"
	is "$(($? != 0)):$(wc -c <"$WORK/out")" 1:0 "$bad is refused"
done

# ---- keys ----

# A newcomer looks for the slowest phase of the slowest container: no key is needed to see which container and phase,
# one to see it in its timeline.
tui_start 120x40 -- "$many"
tui_wait 'parallel-20'
slowest=$(tui_screen | sed -n 4p)
tui_keys Enter
tui_wait '2 timeline\]'
tui_settle
like "$(tui_screen | sed -n 3p)" "^$(echo "$slowest" | awk '{ print $1 }') " "Enter shows the first container, the slowest"
phase=$(tui_screen | sed -n 8p | tr -d '◆▸' | awk '{ print $1 }')
like "$slowest" " $phase " "whose first phase is the one that the list called the slowest"

tui_keys Escape / parallel-7 Enter
tui_settle
tui_keys Enter
check "/ finds a container" tui_wait '^parallel-7 '
tui_keys e
tui_settle
like "$(tui_screen | tail -n 3)" 'E[A-Z]+ ' "e goes to a step that failed"
tui_keys n
tui_settle
unlike "$(tui_screen | tail -n 3 | head -n 1)" '^ E[A-Z]+ ' "n, while something is searched, to the next match"
tui_keys Escape Escape '\' 'cont~parallel-1' Enter 1
check "\\ filters" tui_wait 'filter: cont~parallel-1'
tui_settle
unlike "$(tui_screen)" 'parallel-[2-9] ' "and leaves the others out"
tui_keys '\' C-u x Enter
check "a filter that is none says so" tui_wait 'column'
tui_keys Escape Escape
check "Esc ends it" tui_wait 'parallel-29'
tui_keys s g Enter
check "s sorts" tui_wait 'NAME.* (exit|E)|NAME▲'
tui_keys I
check "I turns the order round" tui_wait 'NAME▼'

# ---- mouse ----

# press COLUMN ROW BUTTON: as xterm tells it (tmux tells ncurses' tmux-256color in this old way).
press()
{
	mux send-keys -H 1b 5b 4d "$(printf %x $((32 + $3)))" "$(printf %x $((33 + $1)))" "$(printf %x $((33 + $2)))" \
		1b 5b 4d 23 "$(printf %x $((33 + $1)))" "$(printf %x $((33 + $2)))"
}

tui_start 80x24 TERM=tmux-256color -- "$many"
tui_wait 'parallel-20'
row=$(tui_screen | sed -n 9p | awk '{ print $1 }')
press 4 8 0
press 20 1 0
check "a click chooses a row, another a tab" tui_wait "^$row +with runc"
press 4 1 0
tui_wait '\[1 containers'
press 4 5 0
press 4 5 0
check "a double click opens" tui_wait '\[2 timeline'
tui_keys m
check "m gives the mouse back" tui_wait 'mouse off'
is "$(mux display-message -p '#{mouse_any_flag}')" 0 "to the terminal"

# ---- export ----

cd "$WORK" || exit
tui_start 80x24 -- "$oom"
tui_wait eater
tui_keys x C-u "$WORK/list.json" Enter
check "x writes the list" tui_wait 'written to'
check "as JSON that names it" jq -e '.containers[0] | .name == "eater" and .exit.oom and .oom_kills == 1' "$WORK/list.json"
tui_keys 2 x C-u "$WORK/timeline.txt" Enter
check "x writes the timeline" wait_for 5 grep -q pivot_root "$WORK/timeline.txt"
tui_keys x C-u "$WORK/timeline.txt" Enter
check "but not over a file" tui_wait 'File exists'
is "$(stat -c %a "$WORK/timeline.txt")" 600 "for its owner's eyes"
tui_start 80x24 -- --readonly "$oom"
tui_wait eater
tui_keys x
tui_settle
unlike "$(tui_screen)" 'write to|export' "--readonly has no export"

# ---- playing ----

tui_start 80x24 -- --play=0.2 "$oom"
check "--play begins at the beginning" tui_wait 'recording plays'
tui_keys p
check "p stops it" tui_wait 'recording stands'
before=$(tui_screen | sed -n 1p)
sleep 0.4
is "$(tui_screen | sed -n 1p)" "$before" "and it stands"
tui_keys '}'
check "} goes to the end" tui_wait 'at its end.*'
like "$(tui_screen)" 'OOM 137' "where the container has died"
tui_keys '{'
check "{ to the beginning" tui_wait 'stands \+0|\+0 ns'
check "where there is none yet" tui_wait 'no container was seen|created|failed'
tui_keys ']' ']' ']' ']' ']' ']' ']'
check "] goes on a piece" tui_wait '\+[1-9][0-9]+ ms'
tui_keys '>' '>' '>' '>' p
check "> plays faster" tui_wait 'plays 3.2x|at its end'
check "to the end" tui_wait 'at its end' 15

# ---- the same data without a terminal ----

"$CTRACE" top --json "$oom" >"$WORK/batch.json"
is "$(jq -S 'del(.at_ns)' "$WORK/batch.json")" "$(jq -S 'del(.at_ns)' "$WORK/list.json")" "--json is what x wrote"
like "$("$CTRACE" top --batch --width 100 "$oom")" 'eater +OOM 137' "--batch prints the list"
like "$("$CTRACE" top --batch --view events --width 160 "$oom")" ' cpuset\.cpus = 0-1( |$)' "--batch of events, too, a value without its line's end"
like "$("$CTRACE" top --batch --width 19 "$oom" 2>&1)" '--width is "19", but must be a number from 20 to 400' "not on a few columns"
is "$("$CTRACE" top --json --view timeline --id eater "$oom")" "$("$CTRACE" show --json "$oom" | grep '"type":"timeline"')" \
	"--json --view timeline is the timeline of ctrace show"
"$CTRACE" show --json "$oom" >"$WORK/show.json"
for recording in "$oom" "$TOP/tests/replay/runc-start.ctrace"; do
	is "$("$CTRACE" top --json "$recording" | jq -cS '.containers[0].exit')" \
		"$("$CTRACE" show --json "$recording" | jq -cS 'select(.type == "timeline").exit')" \
		"$(basename "$recording"): --json tells its end in the timeline's words"
done
is "$("$CTRACE" top --json --view limits "$oom" | jq -S '.chosen | .limits, .marks')" \
	"$(jq -S 'select(.type == "timeline") | .limits, .marks' "$WORK/show.json")" "--json --view limits has its limits and marks"
is "$("$CTRACE" top --json --view host "$oom" | jq -S '.host | .header, (.summary | .losses, .events_by_kind), .states.exited')" \
	"$(jq -S 'if .type == "header" then . elif .type == "summary" then .losses, .events_by_kind, .containers else empty end' "$WORK/show.json")" \
	"--json --view host the hooks, the losses and the counts of what it shows"
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
	"$CTRACE" show --json-schema >"$WORK/schema.json"
	for view in containers limits host; do "$CTRACE" top --json --view "$view" "$oom"; done >"$WORK/views.json"
	check "as the schema has them" /usr/bin/python3 -c 'import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
for line in open(sys.argv[2]):
    jsonschema.validate(json.loads(line), schema)' "$WORK/schema.json" "$WORK/views.json"
else
	skip_point "the schema" "python3-jsonschema is not installed"
fi
done_testing
