#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# ctrace explain and ctrace diff on recordings of real runs: what they find, and what they say of wrong arguments.
. tests/lib/env.sh
[ -x "$CTRACE" ] || skip_all "$CTRACE is not built"
recordings=$TOP/tests/replay

# says WHAT PATTERN COMMAND...: its output has that line.
says()
{
	local what=$1 pattern=$2

	shift 2
	"$@" >"$WORK/out" 2>"$WORK/err"
	if grep -qE -- "$pattern" "$WORK/out"; then
		ok "$what"
	else
		not_ok "$what"
		diag "$(cat "$WORK/err"; head -n 60 "$WORK/out")"
	fi
}

# fails WHAT TEXT COMMAND...: exit code 1 or 125 and an error with that text, on one line.
fails()
{
	local what=$1 text=$2 code

	shift 2
	"$@" >"$WORK/out" 2>"$WORK/err"
	code=$?
	if [ "$code" != 0 ] && grep -qF -- "$text" "$WORK/err"; then
		ok "$what"
	else
		not_ok "$what"
		diag "exit code $code: $(cat "$WORK/err")"
	fi
}

explain()
{
	"$CTRACE" explain "$recordings/$1.ctrace" "${@:2}"
}

says "the limit that killed it" "^  the limit is the container's own: memory.limit_in_bytes was set to 33554432 " explain docker-oom
says "a child was killed, not the first process" "; it was not the first process$" explain runc-oom-child
says "who sent the signal" "^  the signal came from runc kill [0-9]+:" explain docker-exec
says "and who asked for it" "^  somebody asked for it: POST /v1.41/containers/execs/kill .* by docker [0-9]+" explain docker-exec
says "why a start failed" "^  did not start: mount .*: ENODEV" explain runc-bad-mount
says "a start against the others" "^  691 ms in all, the others' median is [0-9]+ ms" explain runc-parallel
says "what made it slow" "unshare .*, by runc:\[1:CHILD\]" explain runc-parallel parallel-20
says "the rest is counted" "^49 more containers neither failed nor took longer" explain runc-parallel
fails "a container that is not there" "; it has 50: ..., parallel-41, parallel-42" explain runc-parallel nobody
fails "no recording" "which recording?" "$CTRACE" explain

d()
{
	"$CTRACE" diff "$@"
}
many=$recordings/runc-parallel.ctrace
says "two of one recording" "^ +303 µs → +42.5 ms  unshare" d "$many" parallel-1 parallel-20
says "two recordings" "^  memory.limit_in_bytes: 268435456 → 33554432" d "$recordings/docker-run.ctrace" "$recordings/docker-oom.ctrace"
says "with the names of both" "^steps only in B" d "$recordings/docker-run.ctrace" web "$recordings/docker-oom.ctrace" eater
says "the other way round" "^steps only in A" d "$recordings/docker-oom.ctrace" "$recordings/docker-run.ctrace" web
d "$many" parallel-1 parallel-1 >"$WORK/out"
is "$(grep -c 'steps\|limits' "$WORK/out")" 0 "one against itself: no difference"
fails "which of many" "has 50 containers: say which" d "$many" "$recordings/docker-run.ctrace"
fails "not a recording" "is no recording" d "$many" parallel-1 "$WORK/nothing" x
fails "one argument" "which two?" d "$many"
head -c 3000 "$recordings/docker-run.ctrace" >"$WORK/cut.ctrace"
fails "a damaged recording: what is there, and that it is damaged" "$WORK/cut.ctrace" d "$WORK/cut.ctrace" "$recordings/docker-run.ctrace"
done_testing
