#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# timeout: 300
# Recordings of real runs replay to their golden output, byte for byte, for anyone; damaged ones are read up to
# their damage; and what they tell holds together. README.md says how each was made and checked.
. tests/lib/env.sh
need python3 xz
[ -x "$CTRACE" ] || skip_all "$CTRACE is not built"

here=$TOP/tests/replay
mkdir "$WORK/bin" "$WORK/out"
cp "$CTRACE" "$CTRACE_OUTPUT/ctrace-trace" "$WORK/bin/"

# As root, replay as nobody, who can read neither the source tree nor /root.
plain=()
if [ "$(id -u)" = 0 ]; then
	plain=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --no-new-privs)
	chmod 755 "$WORK" "$WORK/bin"
fi

# as_nobody COMMAND...: ctrace as an unprivileged user with an empty environment, far from the source tree.
as_nobody()
{
	(cd / && env -i LC_ALL=C.UTF-8 ${GCOV_ERROR_FILE:+GCOV_ERROR_FILE="$GCOV_ERROR_FILE"} "${plain[@]}" "$WORK/bin/ctrace" "$@")
}

golden_json()
{
	if [ -f "$1.json.xz" ]; then xz -dc "$1.json.xz"; else cat "$1.json"; fi
}

# same NAME WHAT WANTED GOT
same()
{
	if cmp -s "$3" "$4"; then
		ok "$1: $2"
	else
		not_ok "$1: $2"
		diag "$(diff <(tr ',' '\n' <"$3") <(tr ',' '\n' <"$4") | head -n 20)"
		cp "$4" "$TEST_TMP/" 2>/dev/null
	fi
}

check_golden()
{
	local name=$1 recording=$2

	golden_json "$here/$name" >"$WORK/out/$name.json"
	as_nobody replay --json "$recording" >"$WORK/out/got.json" 2>"$WORK/err"
	is "$?:$(cat "$WORK/err")" "0:" "$name: it replays"
	same "$name" "the JSON, byte for byte" "$WORK/out/$name.json" "$WORK/out/got.json"
	as_nobody show --width 120 --color=never "$recording" >"$WORK/out/got.txt" 2>"$WORK/err"
	same "$name" "the picture" "$here/$name.txt" "$WORK/out/got.txt"
}

# damaged NAME WHAT FILE [yes, if it lacks only its end]: a clear error with exit code 1, behind what came before the damage.
damaged()
{
	local code wrong=

	as_nobody replay --json "$3" >"$WORK/out/damaged.json" 2>"$WORK/err"
	code=$?
	[ "$code" = 1 ] || wrong+=" exit code $code;"
	grep -qF "$3" "$WORK/err" || wrong+=" the error does not name the file;"
	[ "$(wc -l <"$WORK/err")" = 1 ] || wrong+=" the error is not one line;"
	/usr/bin/python3 -B "$LIB/golden.py" damaged "$WORK/out/$1.json" "$WORK/out/damaged.json" \
		"${4:-no}" >"$WORK/why" 2>&1 ||
		wrong+=" $(tail -n 1 "$WORK/why")"
	if [ -z "$wrong" ]; then
		ok "$1: $2"
	else
		not_ok "$1: $2"
		diag "$wrong $(cat "$WORK/err")"
	fi
}

check_damage()
{
	local name=$1 recording=$2 size copy=$WORK/$1.damaged

	size=$(stat -c %s "$recording")
	head -c $((size * 2 / 3)) "$recording" >"$copy"
	chmod 644 "$copy"
	damaged "$name" "cut at two thirds" "$copy"
	head -c $((size - 16)) "$recording" >"$copy"
	damaged "$name" "without its end" "$copy" yes
	/usr/bin/python3 -B "$LIB/golden.py" flip "$recording" "$copy" $((size / 2))
	damaged "$name" "with one bit changed" "$copy"
}

/usr/bin/python3 -c 'import jsonschema' 2>/dev/null ||
	skip_point "the schema of every line" "python3-jsonschema is not installed"
for recording in "$here"/*.ctrace; do
	[ -f "$recording" ] || skip_all "there are no recordings"
	name=$(basename "$recording" .ctrace)
	cp "$recording" "$WORK/$name.ctrace"
	chmod 644 "$WORK/$name.ctrace"
	check_golden "$name" "$WORK/$name.ctrace"
	check_damage "$name" "$WORK/$name.ctrace"
	# What it tells: the table of README.md is what it must say.
	as_nobody show --json-schema >"$WORK/schema.json"
	check "$name: it says what README.md says, and what JSON_SCHEMA.md allows" \
		/usr/bin/python3 -B "$LIB/golden.py" judge "$here/README.md" "$WORK/schema.json" "$name" "$WORK/out/$name.json"
	rm -f "$WORK/out/"* "$WORK/$name".*
done
done_testing
