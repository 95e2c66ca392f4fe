# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of ctrace's commands, their options, and what the options take.

_ctrace_options()
{
	# The help of each command is the list of its options.
	ctrace "$1" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | sort -u
}

# The commands of container, image or system.
_ctrace_members()
{
	ctrace "$1" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

_ctrace_images()
{
	ctrace images --format "{{.Reference}}" 2>/dev/null
}

# Names and ids of the launcher's containers; $1: options of ctrace ps.
_ctrace_containers()
{
	# shellcheck disable=SC2086
	ctrace ps $1 --format '{{.Names}} {{.ID}}' 2>/dev/null
}

_ctrace()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} i

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(ctrace --help 2>/dev/null |
			sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p') --help --version" -- "$current")
		return
	fi
	# Behind -- another command begins, with completions of its own.
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = -- ]; then
			COMP_WORDS=("${COMP_WORDS[@]:i+1}")
			COMP_CWORD=$((COMP_CWORD - i - 1))
			if [ "$COMP_CWORD" = 0 ]; then
				mapfile -t COMPREPLY < <(compgen -c -- "$current")
			elif declare -F _command_offset >/dev/null; then
				_command_offset 0
			fi
			return
		fi
	done
	# container, image, system: the word behind is docker's name for one of the others.
	case $command in
	container | image | system)
		if [ "$COMP_CWORD" = 2 ]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_members "$command")" -- "$current")
			return
		fi
		case $command:${COMP_WORDS[2]} in
		container:ls) command='ps' ;;
		image:ls) command=images ;;
		image:rm) command=rmi ;;
		*) command=${COMP_WORDS[2]} ;;
		esac
		;;
	esac
	# -a of other commands takes nothing.
	case $command:$previous in
	run:--attach | run:-a | create:--attach | create:-a)
		mapfile -t COMPREPLY < <(compgen -W "stdin stdout stderr" -- "$current")
		return
		;;
	esac
	case $previous in
	--network) mapfile -t COMPREPLY < <(compgen -W "bridge none host container:" -- "$current") ;;
	--volumes-from) mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_containers -a)" -- "$current") ;;
	--ipc) mapfile -t COMPREPLY < <(compgen -W "private shareable none host container:" -- "$current") ;;
	--restart) mapfile -t COMPREPLY < <(compgen -W "no on-failure always unless-stopped" -- "$current") ;;
	--pull) mapfile -t COMPREPLY < <(compgen -W "missing always never" -- "$current") ;;
	--view) mapfile -t COMPREPLY < <(compgen -W "containers timeline events limits host" -- "$current") ;;
	--trace) mapfile -t COMPREPLY < <(compgen -W "none summary full" -- "$current") ;;
	--compat) mapfile -t COMPREPLY < <(compgen -W "cadvisor" -- "$current") ;;
	--bundle | -b | --rootfs) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
	--format) mapfile -t COMPREPLY < <(compgen -W "json docker-events" -- "$current") ;;
	--filter) mapfile -t COMPREPLY < <(compgen -o nospace -W "cont~ image~ type= phase= actor= dur\> exit= error!=-" -- "$current") ;;
	--env-file | --json | --record | --output | -o | --input) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	*)
		if [[ $current == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_options "$command")" -- "$current")
			return
		fi
		case $command in
		run | create | rmi | tag | pull | images | history | save)
			mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_images)" -- "$current")
			;;
		exec | attach | stop | kill | pause | unpause | stats | port)
			mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_containers)" -- "$current")
			;;
		start | restart | rm | logs | wait | rename | inspect | export)
			mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_containers -a)" -- "$current")
			;;
		cp)
			mapfile -t COMPREPLY < <(compgen -S : -W "$(_ctrace_containers -a)" -- "$current"; compgen -f -- "$current")
			compopt -o nospace 2>/dev/null
			;;
		volume) mapfile -t COMPREPLY < <(compgen -W "create ls inspect rm prune
			$(ctrace volume ls -q 2>/dev/null)" -- "$current") ;;
		load | show | replay | record | explain | diff | top) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
		oci)
			mapfile -t COMPREPLY < <(compgen -W "create start run exec state kill delete list ps pause
				resume update events spec features" -- "$current")
			;;
		esac
		;;
	esac
}

complete -o default -F _ctrace ctrace
