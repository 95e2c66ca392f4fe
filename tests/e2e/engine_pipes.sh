#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Output that nobody takes: pipes whose reader has enough, a full disk, descriptors that the caller has closed. The exit codes
# are docker's where it looks at them; what was lost is told; nothing is left and nothing goes on for ever.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
have busybox || skip_all "busybox (static) is not installed"
engine_root

# codes TEXT: the exit codes of a pipeline of shell words, which has its time.
codes()
{
	timeout -k 1 $((15 * PATIENCE)) bash -c "ct() { [ \"\$1\" != run ] || set -- run --trace=none \"\${@:2}\"; \"$CTRACE\" \"\$@\"; }
		ON=(--network none --rootfs '$ROOTFS'); cd '$WORK'; $1; echo \"\${PIPESTATUS[*]}\"" 2>"$WORK/err" </dev/null
}

is "$(codes 'ct run --rm "${ON[@]}" busybox yes | head -1')" "y
1 0" "run: the program sees that its reader has enough"
is "$(codes 'ct run -t --rm "${ON[@]}" seq 100000 | head -1' | tr -d '\r' | head -1)" "1" "run -t into a pipe that is closed"
is "$(codes 'ct run --rm "${ON[@]}" echo hi >/dev/full')" "1" "run on a full disk: the program's code"
is "$(codes 'ct run --rm "${ON[@]}" sh -c "echo hi; exit 3" >&-')" "3" "run with stdout closed"
mkdir "$WORK/out"
for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- >&- 2>&-'; do
	eval '"$CTRACE" run --trace=none --rm -v "$WORK/out:/out" "${ON[@]}" sh -c "for i in 0 1 2; do readlink /proc/self/fd/\$i; done >/out/fds"' \
		"</dev/null >/dev/null 2>/dev/null $closed"
	is "$? $(sort -u "$WORK/out/fds" | tr '\n' ' ')" "0 /dev/null /out/fds " "run $closed: nothing of ours stands where it was closed"
	rm "$WORK/out/fds"
done
is "$(codes 'ct run -d --name full "${ON[@]}" sleep 100 >/dev/full')" 125 "run -d that cannot tell the id"
like "$(cat "$WORK/err")" 'No space left on device' "says why"
ct rm -f full >/dev/null
is "$(codes 'ct run -d --name quiet "${ON[@]}" sh -c "seq 100000; sleep 100" <&- >&- 2>&-')" 0 "run -d without any descriptor"
wait_for 10 is_status quiet running
is "$(of quiet .State.Status)" running "runs"

wait_for 10 sh -c '"$CTRACE" logs --tail 1 quiet | grep -q 100000'
is "$(codes 'ct logs quiet | head -1')" "1
141 0" "logs | head"
is "$(codes 'ct logs -f quiet | head -1')" "1
141 0" "logs -f | head"
is "$(codes "trap '' PIPE; ct logs -f quiet | head -1")" "1
0 0" "logs -f | head where SIGPIPE is ignored"
is "$(codes 'ct logs -f quiet >/dev/full') $(cat "$WORK/err")" "1 ctrace logs: cannot write the output: No space left on device" "logs -f on a full disk"
is "$(codes 'ct logs quiet >&-')" 0 "logs with stdout closed"
is "$(codes 'ct ps | head -0' | grep -c '^\(0\|141\) 0$')" 1 "ps | head -0"
is "$(codes 'ct ps >&-')" 0 "ps with stdout closed"
is "$(codes 'ct ps >/dev/full')" 125 "ps on a full disk"
like "$(cat "$WORK/err")" 'cannot write the output: No space left on device' "says why"
is "$(codes 'ct stats --no-stream quiet >/dev/full') $(cat "$WORK/err")" "1 ctrace stats: cannot write the output: No space left on device" "stats on a full disk"
is "$(codes 'ct stats quiet | head -1 >/dev/null')" "141 0" "stats | head"
is "$(codes "trap '' PIPE; ct stats quiet | head -1 >/dev/null")" "0 0" "stats | head where SIGPIPE is ignored"
is "$(codes 'ct exec quiet busybox yes | head -1')" "y
141 0" "exec | head"
is "$(codes 'ct exec quiet echo x >/dev/full')" 1 "exec on a full disk"
is "$(codes 'ct export quiet | head -c1 >/dev/null')" "141 0" "export | head"
is "$(codes 'ct export quiet >/dev/full') $(cat "$WORK/err")" "1 ctrace export: cannot write the archive: No space left on device" "export on a full disk"
is "$(codes 'ct cp quiet:/data/file - >/dev/full') $(cat "$WORK/err")" "1 ctrace cp: cannot write the archive: No space left on device" "cp on a full disk"

fails 1 "Invalid filter 'nosuch'" "a filter that there is not, without a container to try it on" ct ps -f nosuch=1 -f name=zzz
ct rm -f quiet >/dev/null
fails 1 "Invalid filter 'nosuch'" "and without any container" ct ps -f nosuch=1
fails 1 "Invalid filter 'status=nosuch" "a status that there is not" ct ps -f status=nosuch
fails 1 "Invalid filter 'nosuch'" "a filter of volumes that there is not" ct volume ls -f nosuch=1
is "$(engine_things)" "" "nothing is left"
done_testing
