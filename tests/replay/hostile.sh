#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# Names, images, command lines and paths that containers chose to be hostile: no view passes on a byte that a terminal obeys,
# or one that is no UTF-8; where the locale has ASCII alone, the views for people have nothing else.
. tests/lib/env.sh
need python3 jq
[ -x "$CTRACE" ] || skip_all "$CTRACE is not built"

source=$TOP/tests/replay/docker-run.ctrace
id=$("$CTRACE" show --json "$source" | jq -r 'select(.type == "timeline").id')
/usr/bin/python3 -B "$LIB/hostile.py" "$source" "$WORK/hostile.ctrace" "$id"

# view MODE ARGUMENT...
view()
{
	local mode=$1

	shift
	"$CTRACE" "$@" >"$WORK/out" 2>"$WORK/err"
	is "$?" 0 "$*" || diag "$(cat "$WORK/err")"
	check "is clean for $mode" /usr/bin/python3 -B "$LIB/clean.py" "$WORK/out" "$mode"
}

cd "$WORK" || exit 1
for locale in C.UTF-8 C; do
	export LC_ALL=$locale
	mode=people
	[ $locale = C ] && mode=ascii
	view $mode show hostile.ctrace
	view $mode show --explain hostile.ctrace
	view $mode replay hostile.ctrace
	view $mode explain hostile.ctrace
	view $mode diff hostile.ctrace "$source"
	for page in containers timeline events limits host; do
		view $mode top --batch --view=$page hostile.ctrace
	done
done
view programs replay --json --events hostile.ctrace
view programs replay --format docker-events hostile.ctrace
view programs top --json hostile.ctrace

# A directory is no recording, though it may be called like a container.
many=$TOP/tests/replay/runc-parallel.ctrace
mkdir web
export CTRACE_RUN=$WORK/nowhere
"$CTRACE" show web >out 2>err
is $? 1 "a directory that is called like a container is no recording"
like "$(cat err)" "^ctrace show: there is no recording web, and no ctrace serve runs" "and show asks the server"
mapfile -t ids < <("$CTRACE" show --json "$many" | jq -r 'select(.type == "timeline").id' | sort -u | head -n 2)
mkdir "${ids[@]}"
check "nor for diff" "$CTRACE" diff "$many" "${ids[@]}"
done_testing
