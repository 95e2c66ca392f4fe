#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# What bash, zsh and fish offer behind the same words, each asked by itself.
. tests/lib/env.sh
[ -x "$CTRACE" ] || skip_all "$CTRACE is not built"
cd "$TOP" || exit 1
PATH=$(dirname "$CTRACE"):$PATH

ask_bash() # LINE: one answer a line
{
	bash --norc -c '. completions/ctrace.bash
		read -ra COMP_WORDS <<<"$1"
		[ "${1% }" = "$1" ] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_ctrace
		printf "%s\n" "${COMPREPLY[@]}"' bash "$1"
}

ask_fish()
{
	fish --no-config -c 'source completions/ctrace.fish; complete -C $argv[1]' "$1" | cut -f1
}

# The completion system itself wants a terminal: its functions only print here what they would offer.
ask_zsh()
{
	# shellcheck disable=SC2016 # zsh's
	zsh -f -c '
		words=(${(Q)${(z)1}})
		[[ $1 == *" " ]] && words+=("")
		CURRENT=$#words
		offer() { print -rl -- ${(M)@:#${words[CURRENT]##--*=}*}; }
		compadd() { while [[ $1 != -- ]]; do shift; done; shift; offer "$@"; }
		_describe() { offer "${(@)${(P@)@[-1]}%%:*}"; }
		_files() { offer ${words[CURRENT]}*(N); }
		compset() { :; }
		_normal() { source completions/_ctrace; }
		source completions/_ctrace' zsh "$1"
}

for shell in bash zsh fish; do
	if ! have $shell; then
		skip_point "$shell completes ctrace" "$shell is not installed"
		continue
	fi
	ask() { "ask_$shell" "$1" | sort | paste -sd ' '; }
	is "$(ask 'ctrace tr')" trace "$shell: a command"
	is "$(ask 'ctrace re' | wc -w)" 4 "$shell: all commands that begin so"
	is "$(ask 'ctrace run --cap')" "--cap-add --cap-drop" "$shell: options of docker's form"
	is "$(ask 'ctrace serve --otlp')" "--otlp-endpoint" "$shell: options of the other form"
	is "$(ask 'ctrace top --view ')" "containers events host limits timeline" "$shell: what an option takes"
	is "$(ask 'ctrace oci sta')" "start state" "$shell: a command of a command"
	is "$(ask 'ctrace container un')" unpause "$shell: one of docker's other names"
	is "$(ask 'ctrace image p')" "prune pull" "$shell: of another group"
	is "$(ask 'ctrace container run --cap')" "--cap-add --cap-drop" "$shell: and its options"
	is "$(ask 'ctrace image ls --dig')" "--digests" "$shell: of one that has another name itself"
	like " $(ask 'ctrace show READ') " " README.md " "$shell: files"
done
done_testing
