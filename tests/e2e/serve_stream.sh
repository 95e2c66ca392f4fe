#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# One tracer for several readers: they see what it sees, however late they come, however slow one of them is, and
# when it dies.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve
need runc jq
busybox_image || skip_all "no busybox image"

bundle "$WORK/b" /bin/true
bundle "$WORK/sleeper" sleep 60
socket=$CTRACE_RUN/trace.sock

# last_word FILE ID: the last timeline of that container.
last_word()
{
	jq -c --arg id "$2" 'select(.type == "timeline" and .id == $id)' "$1" | tail -n 1
}

# ended FILE ID
ended()
{
	jq -e --arg id "$2" 'select(.type == "timeline" and .id == $id and .change == "ended")' "$1" | grep -q .
}

existed=ex-$$
rc run --detach --bundle "$WORK/sleeper" "$existed" </dev/null >/dev/null 2>&1
on_exit rc delete --force "$existed"

serve_start || { done_testing; exit; }
is "$(stat -c '%a' "$socket")" 660 "the socket is root's and its group's"
"$CTRACE" serve --listen none >"$WORK/second" 2>&1
is "$?" 125 "a second ctrace serve does not start"
like "$(cat "$WORK/second")" "another tracer serves this host already" "and says why"

# ---- early and late readers ----

TRACE=$WORK/early.json
"$CTRACE" trace --json="$WORK/early.json" >"$WORK/early.out" 2>&1 &
early=$!
on_exit stop_process "$early" INT
wait_for 10 grep -q '"type":"header"' "$WORK/early.json"
is "$(grep -c . "$WORK/early.out")" 0 "a reader has nothing to complain about"
"$CTRACE" doctor >/dev/null 2>&1 # it loads programs of its own beside

run=ru-$$ half=ha-$$ gone=go-$$
rc run --bundle "$WORK/b" "$gone" </dev/null >/dev/null 2>&1
rc run --detach --bundle "$WORK/sleeper" "$run" </dev/null >/dev/null 2>&1
on_exit rc delete --force "$run"
rc create --bundle "$WORK/b" "$half" </dev/null >/dev/null 2>&1
on_exit rc delete --force "$half"
wait_for 10 ended "$WORK/early.json" "$gone"

"$CTRACE" trace --json="$WORK/late.json" --record "$WORK/late.ctrace" >/dev/null 2>&1 &
late=$!
on_exit stop_process "$late" INT
"$CTRACE" record "$WORK/recorded.ctrace" >/dev/null 2>&1 &
recorder=$!
on_exit stop_process "$recorder" INT
wait_for 10 grep -q "$half" "$WORK/late.json"
wait_for 10 test -s "$WORK/recorded.ctrace"
is "$(last_word "$WORK/late.json" "$gone")" "" "what ended before a reader came is not its business"
is "$(last_word "$WORK/late.json" "$existed" | jq .existed)" true "what was there before the server is known as such"

rc start "$half" </dev/null >/dev/null 2>&1
sleep 0.3
rc delete "$half" >/dev/null 2>&1
rc kill "$run" KILL >/dev/null 2>&1
sleep 0.3
rc delete --force "$run" >/dev/null 2>&1
for id in "$half" "$run"; do
	wait_for 10 ended "$WORK/early.json" "$id"
	wait_for 10 ended "$WORK/late.json" "$id"
done
for id in "$half:a container that was being made when the reader came" "$run:one that ran already"; do
	is "$(last_word "$WORK/late.json" "${id%%:*}")" "$(last_word "$WORK/early.json" "${id%%:*}")" \
		"${id#*:}: the late reader says what the early one says"
done
is "$(last_word "$WORK/late.json" "$run" | jq -c '[.existed, (.phases | map(.phase) | index("mounts") != null)]')" \
	'[false,true]' "and that is how it was made"

kill -INT "$late" "$recorder"
wait "$late"
is $? 0 "a reader ends as it is told"
wait "$recorder"
"$CTRACE" replay --json "$WORK/late.ctrace" | cmp -s - "$WORK/late.json"
is $? 0 "its recording replays byte for byte"
is "$("$CTRACE" show --json "$WORK/recorded.ctrace" "$half" | jq -c 'select(.type == "timeline") | .steps')" \
	"$(last_word "$WORK/early.json" "$half" | jq -c .steps)" "a recording made through the server has every step"
is "$("$CTRACE" show --json "$WORK/recorded.ctrace" | jq -r 'select(.type == "timeline") | .id' | grep -c "$gone")" 0 \
	"and shows what happened while it was made"

"$CTRACE" show --json "$gone" >"$WORK/show" 2>&1
is "$?:$(jq -c 'select(.type == "timeline") | [.id, .exit.code]' "$WORK/show")" "0:[\"$gone\",0]" \
	"ctrace show asks the server about a container that has ended"
"$CTRACE" show "no-such-$$" >"$WORK/show" 2>&1
is "$?" 1 "and says when it does not know one"

# ---- a slow reader ----

coproc slow { exec /usr/bin/python3 "$LIB/slow_reader.py" "$socket"; }
slow_pid=$!
on_exit stop_process "$slow_pid"
read -r -t 10 line <&"${slow[0]}"
is "$line" connected "a reader that does not read is connected"
before=$(jq -s 'map(select(.change == "ended")) | length' "$WORK/early.json")
for i in 1 2 3 4 5 6 7 8; do
	rc run --bundle "$WORK/b" "s$i-$$" </dev/null >/dev/null 2>&1
done
wait_for 15 ended "$WORK/early.json" "s8-$$"
after=$(jq -s 'map(select(.change == "ended")) | length' "$WORK/early.json")
check "the others see everything meanwhile" test "$after" -ge $((before + 8))
echo go >&"${slow[1]}"
read -r -t 20 line <&"${slow[0]}"
like "$line" '^events [0-9]+ lost [0-9]+$' "it can read later what its queue had room for: $line"
wait "$slow_pid" 2>/dev/null

# ---- the server dies ----

serve_stop KILL
wait_for 10 process_gone "$early"
wait "$early"
is $? 125 "a reader of a server that dies ends with an error"
like "$(cat "$WORK/early.out")" "has ended" "that says so"
is "$(tail -n 1 "$WORK/early.json" | jq -r '.type + " " + (.error | tostring)' | cut -c1-20)" "summary the tracer t" \
	"after it has written what it had"
check "the dead socket lies there" test -S "$socket"
trace_start && ok "ctrace trace loads the programs itself then"
trace_stop
serve_start && ok "and another ctrace serve takes its place"
serve_stop
is "$SERVE_CODE" 0 "it ends with 0 when it is told to"
check "and takes its socket along" test ! -e "$socket"

# ---- a reader that stops for a while ----

CTRACE_STREAM_QUEUE=262144 serve_start
trace_start
stopped=$TRACE_PID stopped_json=$TRACE
trace_start
kill -STOP "$stopped"
for ((i = 1; i <= 24; i++)); do
	rc run --bundle "$WORK/b" "t$i-$$" </dev/null >/dev/null 2>&1
done
wait_for 20 ended "$TRACE" "t24-$$"
kill -CONT "$stopped"
sleep 0.5 # it reads what its queue had room for
rc run --bundle "$WORK/b" "after-$$" </dev/null >/dev/null 2>&1
wait_for 20 ended "$TRACE" "after-$$"
wait_for 20 ended "$stopped_json" "after-$$"
trace_stop
TRACE_PID=$stopped
trace_stop
serve_stop
is "$(tail -n 1 "$TRACE" | jq -c '[.type, .lost]')" '["summary",0]' "a reader beside one that stops misses nothing"
is "$(tail -n 1 "$stopped_json" | jq -c '[.type, .lost > 0, ([.losses[].reason] | unique)]')" '["summary",true,["stream"]]' \
	"the one that stopped is told how much it missed, and why"
is "$(last_word "$stopped_json" "after-$$" | jq -c '[.lost, (.steps | length)]')" \
	"$(last_word "$TRACE" "after-$$" | jq -c '[.lost, (.steps | length)]')" "and misses nothing later"
jq -c --arg end "-$$" 'select(.type == "timeline" and .change == "ended" and (.id | endswith($end))) | [.id, (.steps | length)]' \
	"$TRACE" >"$WORK/whole"
jq -r --slurpfile whole "$WORK/whole" --arg end "-$$" '($whole | map({(.[0]): .[1]}) | add) as $steps
	| select(.type == "timeline" and .change == "ended" and (.id | endswith($end)) and .lost == 0
		and (.steps | length) < $steps[.id]) | .id' "$stopped_json" >"$WORK/unmarked"
is "$(cat "$WORK/unmarked")" "" "no timeline of its is shorter and says that nothing was lost"

judge "$WORK/early.json" "$half" <<'PYTHON'
c = t.one(args[0])
p.equal(c.missing_phases(tl.START_PHASES), [], "all phases of a start that a reader saw")
p.equal(c.disorder(), "", "in order")
PYTHON

done_testing
