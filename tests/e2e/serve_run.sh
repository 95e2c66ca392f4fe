#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# ctrace run beside a ctrace serve: it is traced through the server, misses no step, and does not load a program.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve run
need jq
busybox_image || skip_all "no busybox image"

run_it()
{
	"$CTRACE" run --json "$1" "${@:2}" --network none --rootfs "$BUSYBOX_ROOT" /bin/true >"$WORK/out" 2>"$WORK/err"
}

# What was done, apart from names that differ each time: kinds of steps with how often, in order of kind.
kinds()
{
	jq -rs '[.[] | select(.type == "timeline")] | last | .steps | group_by(.kind) |
		map("\(.[0].kind) \(length)") | join(", ")' "$1"
}

last()
{
	jq -s '[.[] | select(.type == "timeline")] | last' "$1" | jq -c "$2"
}

run_it "$WORK/first.json" # it makes the cgroups that all of them share
run_it "$WORK/alone.json"
is $? 0 "a run without a server"
serve_start || { done_testing; exit; }
sleep 2 # the detail tier, if it was armed, is not any more
# An execution of ctrace-trace that loads programs makes maps: the server's clients do not.
loaded_before=$(ls /proc/"$SERVE_PID"/fd | wc -l)
for i in 1 2 3; do
	run_it "$WORK/served$i.json"
	is "$?:$(cat "$WORK/out")" "0:" "run $i with one"
	is "$(last "$WORK/served$i.json" '[.state, .exit.code, .lost, .inferred_front]')" '["exited",0,0,0]' \
		"run $i: known to its end, nothing lost, nothing inferred"
	sleep 1.5
done
is "$(metric ctrace_stream_clients)" 0 "its tracers have gone"
check "and they were the server's clients" test "$(ls /proc/"$SERVE_PID"/fd | wc -l)" -le $((loaded_before + 2))
is "$(last "$WORK/served3.json" '[.steps[] | select(.kind == "mount" or .kind == "cgroup_mkdir" or
	.kind == "cgroup_write")] | length > 50')" true "steps of the start were seen"
for kind in mount umount cgroup_mkdir cgroup_write cgroup_rmdir pivot_root seccomp clone unshare setgroups; do
	for i in 1 2 3; do
		count() { last "$1" "[.steps[] | select(.kind == \"$kind\")] | length"; }
		# it sees more: what ctrace run does before its own tracer would be ready
		[ "$(count "$WORK/served$i.json")" -ge "$(count "$WORK/alone.json")" ] || missing+=("run $i: $kind")
	done
done
is "${missing[*]-}" "" "no step is missing that a run traced by itself sees ($(kinds "$WORK/alone.json"))"
check "the server counted them" test "$(metric 'ctrace_container_starts_total{runtime="ctrace",result="started"}')" -ge 3
"$CTRACE" run --json "$WORK/own.json" --trace none --network none --rootfs "$BUSYBOX_ROOT" /bin/sh -c 'exit 7' 2>/dev/null
is $? 7 "the program's exit code is the run's"

# ---- what only the launcher knows ----

trace=0af7651916cd43dd8448eb211c80319c span=b7ad6b7169203331
on=(--network none --rootfs "$BUSYBOX_ROOT")
TRACEPARENT=00-$trace-$span-01 "$CTRACE" run -d --trace none --name "named-$$" --label team=a --label "odd=x=y" --restart always \
	"${on[@]}" /bin/sh -c 'sleep 1' >"$WORK/id" 2>"$WORK/err"
id=$(cat "$WORK/id")
on_exit "$CTRACE" rm -f "$id"
sees()
{
	[ "$("$CTRACE" show --json "$id" 2>/dev/null | jq -rs "[.[] | select(.type == \"timeline\")] | last | $1")" = "$2" ]
}
check "the server knows the name of a container that ctrace run made" wait_for 10 sees .name "named-$$"
check "its image" sees .image "$BUSYBOX_ROOT"
check "its labels" sees '[.labels[] | .name + "=" + .value] | sort | join(",")' 'odd=x=y,team=a'
check "and whose trace it is a part of" sees '.trace_id + .parent_span_id' "$trace$span"
sleep 3
is "$("$CTRACE" top --json -n 1 --filter "id=$id" | jq -r '.containers[0].name')" "named-$$" "started anew it has kept its name"
"$CTRACE" rm -f "$id" >/dev/null
run_it "$WORK/quick.json" --rm --name "quick-$$" --trace none
check "one of milliseconds has its name, too" wait_for 10 eval \
	'"$CTRACE" show --json "quick-$$" 2>/dev/null | grep -q "\"type\":\"timeline\""'

serve_stop KILL
run_it "$WORK/after.json"
is $? 0 "a run beside a dead server's socket"
is "$(last "$WORK/after.json" '[.state, .exit.code, .lost]')" '["exited",0,0]' "it traces itself"

done_testing
