# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ctrace top in tmux: a server of its own, screens of a fixed size. Needs env.sh.

TMUX_SOCKET=$WORK/tmux.0
tmux_servers=0
unset TMUX

mux()
{
	tmux -S "$TMUX_SOCKET" -f /dev/null "$@"
}

tui_cleanup()
{
	mux kill-server
	return 0
}

# tui_start COLUMNSxROWS [NAME=VALUE...] -- ARGUMENT...: ctrace top in a new terminal.
tui_start()
{
	tui_command=top tui_command_start "$@"
}

# tui_run COLUMNSxROWS [NAME=VALUE...] -- ARGUMENT...: ctrace run --tui.
tui_run()
{
	tui_command='run --tui' tui_command_start "$@"
}

# What it leaves behind stays in sight: its exit code, and whether the terminal is as it was.
tui_command_start()
{
	local size=$1 environment=() command

	shift
	while [ "$1" != -- ]; do
		environment+=("$1")
		shift
	done
	shift
	command="exec 2>&1; before=\$(stty -g); env TZ=UTC LC_ALL=C.UTF-8 ${environment[*]} $CTRACE $tui_command $*; code=\$?; "
	command+="echo; echo EXIT \$code; [ \"\$(stty -g)\" = \"\$before\" ] && echo TERMINAL AS BEFORE; sleep 1000"
	mux kill-server 2>/dev/null
	# another socket: a server that is going still answers on its own
	tmux_servers=$((tmux_servers + 1))
	TMUX_SOCKET=$WORK/tmux.$tmux_servers
	mux new-session -d -x "${size%x*}" -y "${size#*x}" "$command"
	mux set-option -g remain-on-exit on
	on_exit tui_cleanup
}

# The screen as text; with -e as it was coloured.
tui_screen()
{
	mux capture-pane -p "$@"
}

screen_has()
{
	tui_screen | grep -Eq -- "$1"
}

# tui_wait REGEX [SECONDS]: until the screen shows it.
tui_wait()
{
	wait_for "${2:-10}" screen_has "$1"
}

tui_keys()
{
	mux send-keys "$@"
}

# The process of ctrace top.
tui_pid()
{
	pgrep -P "$(mux display-message -p '#{pane_pid}')" -f 'top' | head -n 1
}

# Waits until the screen has not changed for a while.
tui_settle()
{
	local before='' now i

	for i in $(seq 50); do
		now=$(tui_screen)
		[ "$now" = "$before" ] && [ "$i" -gt 3 ] && return
		before=$now
		sleep 0.12
	done
}
