#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 90
# A recording replays to the bytes that the live session printed, without root; a damaged one is read up to
# its damage.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need_ctrace show replay
need runc jq
busybox_image || skip_all "no busybox image"

JQ='.linux.resources.memory = {limit: 67108864}' bundle "$WORK/b" sh -c 'exit 8'
record=$WORK/r.ctrace
"$CTRACE" trace --json "$WORK/live.json" --record "$record" -- \
	runc --root "$WORK/runc" run --bundle "$WORK/b" "rec-$$" >"$WORK/out" 2>"$WORK/err"
is $? 8 "trace -- CMD exits as CMD did"
is "$(stat -c %a "$record")" 600 "the recording is its owner's alone"

"$CTRACE" replay --json "$record" >"$WORK/replay.json"
is $? 0 "replay"
if cmp -s "$WORK/live.json" "$WORK/replay.json"; then
	ok "it prints byte for byte what the live session printed"
else
	not_ok "it prints byte for byte what the live session printed"
	diag "$(diff <(jq -S . "$WORK/live.json") <(jq -S . "$WORK/replay.json") | head -n 40)"
fi
"$CTRACE" replay --json "$record" >"$WORK/again.json"
check "twice the same" cmp "$WORK/replay.json" "$WORK/again.json"

# Anyone may replay, with nothing of this host to look at: other user, empty root's /proc is not needed.
cp "$record" "$WORK/shared.ctrace"
chmod 644 "$WORK/shared.ctrace"
chmod 755 "$WORK"
mkdir "$WORK/bin"
cp "$CTRACE" "$CTRACE_OUTPUT/ctrace-trace" "$WORK/bin/"
setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
	"$WORK/bin/ctrace" replay --json "$WORK/shared.ctrace" >"$WORK/user.json" 2>"$WORK/user.err"
check "without root it is the same" cmp "$WORK/replay.json" "$WORK/user.json"

judge "$WORK/replay.json" "rec-$$" <<'EOF'
c = t.one(args[0])
p.start(c, "replayed", code=8)
p.check(t.header and t.summary, "a header and a summary")
EOF

out=$("$CTRACE" show "$record" "rec-$$" 2>&1)
is $? 0 "show"
like "$out" "rec-$$" "it shows the container"
like "$out" "pivot" "and its phases"
out=$("$CTRACE" show --explain "$record" "rec-$$" 2>&1)
like "$out" "CLONE_NEWPID|process ids|pid namespace" "show --explain teaches"

# run without a picture still writes the files that were asked for.
out=$("$CTRACE" run --trace=none --network none --json "$WORK/run.json" --record "$WORK/run.ctrace" --rootfs "$BUSYBOX_ROOT" \
	sh -c 'exit 9' 2>&1)
is "$?:$out" "9:" "run --trace=none draws nothing"
"$CTRACE" replay --json "$WORK/run.ctrace" >"$WORK/run.replay"
check "and leaves its JSON and its recording" cmp "$WORK/run.json" "$WORK/run.replay"

# Damage.
size=$(stat -c %s "$record")
head -c $((size / 2)) "$record" >"$WORK/short.ctrace"
out=$("$CTRACE" replay --json "$WORK/short.ctrace" 2>&1 >"$WORK/short.json")
[ $? != 0 ] && ok "a truncated recording is an error" || not_ok "a truncated recording is an error"
like "$out" "short.ctrace" "that names the file"
like "$(head -n 1 "$WORK/short.json")" '"type":"header"' "what is whole is printed"
cp "$record" "$WORK/flip.ctrace"
printf '\xff' | dd of="$WORK/flip.ctrace" bs=1 seek=$((size * 2 / 3)) conv=notrunc status=none
"$CTRACE" replay --json "$WORK/flip.ctrace" >/dev/null 2>"$WORK/flip.err"
[ $? != 0 ] && ok "a changed byte is an error" || not_ok "a changed byte is an error"
like "$(cat "$WORK/flip.err")" "flip.ctrace" "that names the file"
echo "no recording" >"$WORK/text"
"$CTRACE" replay "$WORK/text" >/dev/null 2>"$WORK/text.err"
[ $? != 0 ] && ok "a text file is an error" || not_ok "a text file is an error"
"$CTRACE" show "$WORK/nothing" >/dev/null 2>"$WORK/none.err"
[ $? != 0 ] && ok "a missing file is an error" || not_ok "a missing file is an error"
like "$(cat "$WORK/none.err")" "nothing" "that names the file"

# Whoever is killed while it records has written what it saw, but for the last moment.
"$CTRACE" record "$WORK/killed.ctrace" -- sh -c '"$@"; sleep 2; kill -KILL $PPID' sh \
	runc --root "$WORK/runc" run --bundle "$WORK/b" "killed-$$" >"$WORK/out" 2>&1
is $? 137 "a tracer is killed while it records"
"$CTRACE" replay --json "$WORK/killed.ctrace" >"$WORK/killed.json" 2>"$WORK/killed.err"
[ $? != 0 ] && ok "its recording is an error" || not_ok "its recording is an error"
like "$(cat "$WORK/killed.err")" "killed.ctrace" "that names the file"
is "$(grep '"type":"timeline"' "$WORK/killed.json" | jq -r 'select(.id == "killed-'$$'") | "\(.state) \(.exit.code)"' | tail -n 1)" "exited 8" \
	"it has the container's end"

# Two tracers at once do not disturb each other.
trace_start
"$CTRACE" trace --json "$WORK/second.json" -- \
	runc --root "$WORK/runc" run --bundle "$WORK/b" "two-$$" >/dev/null 2>&1
trace_stop
for file in "$TRACE" "$WORK/second.json"; do
	judge "$file" "two-$$" <<'EOF'
c = t.one(args[0])
p.equal((c["state"], c.exit.get("code"), t.lost()), ("exited", 8, 0), "two tracers at once: each sees all of it")
EOF
done

"$CTRACE" trace --json - -- sh -c 'exit 3' >"$WORK/none.json" 2>/dev/null
is $? 3 "a command without containers: its exit code"
judge "$WORK/none.json" <<'EOF'
p.equal([c.id for c in t.timelines], [], "and no container")
EOF
# Who expects a container where there is only a sandbox is told what there was.
like "$("$CTRACE" trace -- unshare --pid --fork true 2>&1)" '1 process began in new namespaces, made by unshare, but by no runtime' \
	"a sandbox is no container, and said to be none"
"$CTRACE" trace -- /no/such/command >/dev/null 2>"$WORK/nocmd.err"
is $? 127 "a command that is not there"
like "$(cat "$WORK/nocmd.err")" "/no/such/command" "is named"

# What ctrace does with signals is none of the command's affair. Of 32 and 33, which are the C library's own, that is not said.
for ignored in '' PIPE; do
	(
		[ -z "$ignored" ] || trap '' "$ignored"
		grep -E 'Sig(Blk|Ign)' /proc/self/status
		"$CTRACE" trace -- grep -E 'Sig(Blk|Ign)' /proc/self/status 2>/dev/null
		"$CTRACE" record "$WORK/signals.ctrace" -- grep -E 'Sig(Blk|Ign)' /proc/self/status 2>/dev/null
	) | sed -E 's/[0-9a-f]{9}([0-9a-f]{7})$/\1/' >"$WORK/signals"
	is "$(sort "$WORK/signals" | uniq -c | awk '{ print $1 }' | xargs)" "3 3" "a command has the signals that ctrace was given${ignored:+, with SIG$ignored ignored}"
done
done_testing
