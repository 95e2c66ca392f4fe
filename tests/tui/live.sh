#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# ctrace top on this host: a container's figures, limits of its own and of its parents, the held screen, its end.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/tui.sh
need_tracing
need tmux pgrep runc jq
busybox_image || skip_all "no busybox image"

one=tui-one-$$ two=tui-two-$$ parent=/ctrace-tui-$$
memory=$(cgroup_mount memory || cgroup_mount '')

# What the list says of a container, once it says a number of its memory.
row_of()
{
	tui_screen | grep "^$1 "
}

tui_start 120x40 -- --filter "id~tui-" --color=always
check "the dashboard comes up" tui_wait 'NAME +STATE' 60

# ---- a container of its own limit, seen from its start ----

JQ='.linux.resources.memory = {limit: 67108864}' bundle "$WORK/one" sleep 100
rc run --detach --bundle "$WORK/one" "$one" </dev/null >/dev/null 2>&1
on_exit rc delete --force "$one"
check "a container that starts appears" tui_wait "^$one +running" 20
check "with its memory and its limit" tui_wait "^$one .* [0-9.]+[KM]/64M +0 +0 " 20
check "and its CPU" tui_wait "^$one .* [0-9]+\.[0-9] +" 20
like "$(row_of "$one")" ' [0-9.]+ms ' "how long its start took is told"

# ---- a parent's limit ----

mkdir "$memory$parent" && on_exit remove_cgroup "$parent"
echo 33554432 >"$memory$parent/$(memory_limit_file)"
cpu=$(cgroup_mount cpu || cgroup_mount '')$parent pids=$(cgroup_mount pids || cgroup_mount '')$parent
mkdir -p "$cpu" "$pids"
if [ -e "$cpu/cpu.max" ]; then echo '20000 100000' >"$cpu/cpu.max"; else echo 20000 >"$cpu/cpu.cfs_quota_us"; fi
echo 50 >"$pids/pids.max"
JQ=".linux.cgroupsPath = \"$parent/child\" | .linux.resources.memory = {limit: 67108864}" bundle "$WORK/two" sh -c 'while :; do :; done'
tui_keys p
check "p holds the screen" tui_wait 'HELD'
rc run --detach --bundle "$WORK/two" "$two" </dev/null >/dev/null 2>&1
on_exit rc delete --force "$two"
sleep 1
unlike "$(tui_screen)" "$two" "what starts meanwhile is not shown"
tui_keys p
check "and appears afterwards, nothing lost" tui_wait "^$two +running" 20
like "$(tui_screen | head -n 1)" 'lost 0$' "nothing was lost"
if [ -e "$memory$parent/child" ]; then
	check "its limit is its parent's, the narrower one" tui_wait "^$two .*/32M " 20
	tui_keys / "$two" Enter 4
	check "which binds" tui_wait "[KM] +BINDS $parent\$" 20
	check "so does its parent's of CPU time" tui_wait "% of 20% +BINDS $parent\$" 20
	check "by which it is throttled" tui_wait '^cpu .* of 20% .*throttled [1-9][0-9]*% of periods' 20
	check "and of tasks" tui_wait "1 of 50 +BINDS $parent\$" 20
	tui_keys x C-u "$WORK/limits.json" Enter
	wait_for 5 test -s "$WORK/limits.json"
	is "$(jq -c --arg id "$two" '.containers[] | select(.id == $id) | [.memory_limit_cgroup, .cpu_limit_millicores, .cpu_limit_cgroup, .pids_limit, .pids_limit_cgroup]' "$WORK/limits.json")" \
		"[\"$parent\",200,\"$parent\",50,\"$parent\"]" "and the JSON tells whose limits they are"
	check "with the history" jq -e '.chosen.history | length > 1' "$WORK/limits.json"
else
	skip_point "a parent's limit" "runc has put the container elsewhere"
fi

# ---- the same without a terminal ----

"$CTRACE" top --json -n 1 --filter "id=$one" >"$WORK/top.json" 2>"$WORK/err"
is "$?:$(cat "$WORK/err")" 0: "--json beside it"
check "says the same of it" jq -e '.containers | length == 1 and .[0].memory_limit_bytes == "67108864" and
	(.[0].memory_bytes | tonumber) > 0 and .[0].cpu_millicores != null and .[0].pids == 1' "$WORK/top.json"
if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
	"$CTRACE" show --json-schema >"$WORK/schema.json"
	"$CTRACE" top --json -n 1 --view host >>"$WORK/top.json"
	check "as the schema allows" /usr/bin/python3 -c 'import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
for line in open(sys.argv[2]):
    jsonschema.validate(json.loads(line), schema)' "$WORK/schema.json" "$WORK/top.json"
else
	skip_point "the schema" "python3-jsonschema is not installed"
fi
like "$("$CTRACE" top --batch -n 1 --filter "id=$one" --width 90)" "^$one +running" "--batch prints it"

# ---- its end, by the user's hand ----

tui_keys 1 / "$one" Enter F9
check "F9 asks" tui_wait "end $one \(pid [0-9]+\)\?"
tui_keys n
tui_settle
like "$(row_of "$one")" running "no is no"
tui_keys F9 k
check "k ends it" tui_wait "^$one +exit 137" 20
rc delete --force "$one" 2>/dev/null
rc run --detach --bundle "$WORK/one" "$one" </dev/null >/dev/null 2>&1
check "started anew it runs again, and the restart is counted" tui_wait "^$one +running .*M +0 +1 " 20
tui_keys 2 d
check "d compares with the start before" tui_wait "was .* for $one" 10

# ---- beside a tracer that serves ----

export CTRACE_RUN=$WORK/run
mkdir "$CTRACE_RUN"
"$CTRACE" serve --listen none >"$WORK/serve" 2>&1 &
serving=$!
on_exit stop_process "$serving"
wait_for 30 grep -q ready "$WORK/serve"
pid=$(tui_pid)
tui_keys q
wait_for 10 process_gone "$pid"
tui_start 120x40 "CTRACE_RUN=$CTRACE_RUN" -- --filter "id~tui-"
check "it reads a serving tracer's events" tui_wait "^$one +running" 30
is "$(find "/proc/$(tui_pid)/fd" -lname '*bpf*' | wc -l)" 0 "and loads no program of its own"
stop_process "$serving"
check "when that ends it says so" tui_wait 'tracer that served this host has ended' 20

pid=$(tui_pid)
tui_keys q
check "q ends it" tui_wait 'EXIT 0' 20
check "all of it" wait_for 10 process_gone "$pid"
done_testing
