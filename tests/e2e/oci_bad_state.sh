#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the runtime kept of a container, broken: state.json that is cut, garbage, of wrong types or of another version, and a
# config.json that is none. Every verb says which file, and why; none crashes; delete --force leaves nothing.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/oci.sh
need_root
oci_bundle

# start NAME: a container that runs, and its pid in PID.
start()
{
	jq --arg c "/ctrace/$1" '.process.terminal = false | .process.args = ["sleep", "300"] | .linux.cgroupsPath = $c' \
		"$BASE" >"$B/config.json"
	on_exit oci delete --force "$1"
	oci run --detach --bundle "$B" --pid-file "$WORK/pid" "$1" >/dev/null 2>"$WORK/error" || cat "$WORK/error"
	PID=$(cat "$WORK/pid")
}

# says WORD VERB...: the verb fails, in one line that has the file and the word.
says()
{
	local word=$1 output code

	shift
	output=$(oci "$@" 2>&1)
	code=$?
	[ "$code" = 1 ] || [ "$code" = 255 ] || { echo "# code $code"; return 1; }
	[ "$(wc -l <<<"$output")" = 1 ] && grep -q "$FILE" <<<"$output" && grep -qE -e "$word" <<<"$output" ||
		{ echo "# $output"; return 1; }
}

gone()
{
	! [ -e "$WORK/state/$1" ] && process_gone "$PID" && ! cgroup_exists "/ctrace/$1"
}

number=0
every="state start kill delete pause resume ps exec update"
# broken WHAT WORD JQ_FILTER|TEXT [VERBS]: state.json so, and what verbs make of it.
broken()
{
	local id=bs$$-$((number += 1)) good

	start "$id"
	FILE=$WORK/state/$id/state.json
	good=$(cat "$FILE")
	case $3 in
	.*) jq -c "$3" <<<"$good" >"$FILE" ;;
	cut) printf %s "${good:0:$((${#good} / 2))}" >"$FILE" ;;
	*) printf %b "$3" >"$FILE" ;;
	esac
	for verb in ${4:-state kill}; do
		case $verb in
		exec) set -- "$1" "$2" "$3" exec "$id" true ;;
		update) set -- "$1" "$2" "$3" update --pids-limit 5 "$id" ;;
		*) set -- "$1" "$2" "$3" "$verb" "$id" ;;
		esac
		check "$1: $verb names the file and says why" says "$2" "${@:4}"
	done
	oci list >"$WORK/list" 2>"$WORK/list.error"
	is $? 0 "$1: list works"
	like "$(cat "$WORK/list.error")" "$FILE.*$2" "$1: and says which container it cannot tell of"
	check "$1: delete --force" oci delete --force "$id"
	check "$1: nothing is left" gone "$id"
}

start "witness$$"
witness=$PID
broken "cut" "a string without end" cut "$every"
broken "garbage" "not a JSON object" '\0001\0377\0000garbage' "$every"
broken "an array" "not a JSON object" '[1]'
broken "text behind it" "not a JSON object" '{} {}'
broken "an empty object" "bundle: it is missing" '{}'
broken "a pid that is a string" "pid: it is not an integer" '.pid = "1"'
broken "a negative pid" "pid: -1 is outside" '.pid = -1'
broken "a pid too large" "pid: .* is outside" '.pid = 4294967297'
broken "no start time" "start_time: it is missing" '. | del(.start_time)'
broken "the start time of nothing" "start_time: 0 is outside" '.start_time = 0'
broken "a bundle too long" "bundle: it is too long" '.bundle = "/" + ("x" * 5000)'
broken "another version" "version 2 is another ctrace" '.version = 2' "$every"
broken "a version of another type" "version: it is not an integer" '.version = "new"'

like "$(oci list -q 2>&1)" "^witness$$\$" "the container beside them is listed"
check "and lives" kill -0 "$witness"

# Without a version: of a ctrace before there was one.
FILE=$WORK/state/witness$$/state.json
jq -c 'del(.version)' "$FILE" >"$WORK/old" && cp "$WORK/old" "$FILE"
is "$(oci state "witness$$" | jq -r .status)" running "a state.json without a version is the first version's"

# A cgroup that others are in, too: they are not ours to kill.
start "shared$$"
FILE=$WORK/state/shared$$/state.json
jq -c '.linux.cgroupsPath = "/ctrace/witness'$$'"' "$WORK/state/shared$$/config.json" >"$WORK/kept"
cp "$WORK/kept" "$WORK/state/shared$$/config.json"
cp "$FILE" "$WORK/good"
echo '{' >"$FILE"
check "a cgroup with another's name: delete --force does not guess" says "which of the 1 processes" delete --force "shared$$"
check "who is in it lives" kill -0 "$witness"
cp "$WORK/good" "$FILE"
check "with its state it is deleted" oci delete --force "shared$$"

# The copy of config.json
for kind in cut garbage; do
	id=bc$$$kind
	jq --arg c "/ctrace/$id" '.process.terminal = false | .process.args = ["sleep", "300"] | .linux.cgroupsPath = $c' \
		"$BASE" >"$B/config.json"
	on_exit oci delete --force "$id"
	oci create --bundle "$B" --pid-file "$WORK/pid" "$id" >/dev/null 2>&1
	PID=$(cat "$WORK/pid")
	FILE=$WORK/state/$id/config.json
	case $kind in cut) truncate -s 200 "$FILE" ;; *) printf 'x\000' >"$FILE" ;; esac
	check "config.json $kind: start names the file" says "not a JSON object|without end" start "$id"
	check "config.json $kind: exec, too" says "not a JSON object|without end" exec "$id" true
	is "$(oci state "$id" | jq -r .status)" created "config.json $kind: state knows without it"
	check "config.json $kind: delete --force" oci delete --force "$id"
	check "config.json $kind: nothing is left" gone "$id"
done
done_testing
