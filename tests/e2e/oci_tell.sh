#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# What ctrace oci tells engines of a container: ps, events, features, update's document.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/oci.sh
need_root
need jq
oci_bundle
id=tell$$
on_exit oci delete --force "$id"

jq '.process.terminal = false | .process.args = ["sleep", "60"] | .linux.resources.memory = {limit: 67108864}' "$BASE" >"$B/config.json"
oci create --bundle "$B" "$id" >/dev/null 2>&1
is $? 0 "a container is created"
oci start "$id"
pid=$(oci state "$id" | jq .pid)

is "$(oci ps --format json "$id")" "[$pid]" "ps as JSON: its processes"
out=$(oci ps "$id")
like "$out" 'PID' "ps: a table with a head"
is "$(awk 'NR > 1' <<<"$out" | wc -l)" 1 "of its one process"
like "$out" " $pid .*sleep 60" "which it names"
like "$(oci ps "$id" -o pid,args)" "^ *PID +COMMAND" "ps takes ps's own arguments"
oci ps "$id-none" >/dev/null 2>"$WORK/err"
is $? 1 "ps of none is an error"
like "$(cat "$WORK/err")" "$id-none" "which names it"

stats=$(oci events --stats "$id")
is "$(jq -r '.type + " " + .id' <<<"$stats")" "stats $id" "events --stats: of this container"
is "$(jq '.data.memory.usage.limit' <<<"$stats")" 67108864 "its memory limit"
is "$(jq '.data.pids.current' <<<"$stats")" 1 "the number of its processes"
check "what it uses of memory" test "$(jq '.data.memory.usage.usage' <<<"$stats")" -gt 0
timeout 20 "$CTRACE" oci --root "$WORK/state" events --interval 100ms "$id" </dev/null >"$WORK/events" 2>"$WORK/err" &
follower=$!
on_exit stop_process "$follower"
check "events come again and again" wait_for 10 eval '[ "$(grep -c "\"type\":\"stats\"" "$WORK/events")" -ge 3 ]'
oci events --interval nonsense "$id" >/dev/null 2>&1
isnt=$?
check "an interval that is none is an error" test "$isnt" != 0

echo '{"memory": {"limit": 50331648}, "pids": {"limit": 9}}' | timeout 30 "$CTRACE" oci --root "$WORK/state" update --resources - "$id"
is $? 0 "update takes a document"
is "$(oci events --stats "$id" | jq -c '[.data.memory.usage.limit, .data.pids.limit]')" '[50331648,9]' "and it holds"
oci update --memory 40m --pids-limit 11 "$id"
is $? 0 "update takes runc's options"
is "$(oci events --stats "$id" | jq -c '[.data.memory.usage.limit, .data.pids.limit]')" '[41943040,11]' "and they hold"
for wrong in 4q 99999999999g nothing ''; do
	like "$(oci update --memory "$wrong" "$id" 2>&1)" '--memory: ".*" is no number' "a memory limit of \"$wrong\" is an error"
done

# One half of a pair: the other stays. dockerd sends 0 for what its user has not named.
update()
{
	timeout -s KILL 30 "$CTRACE" oci --root "$WORK/state" update --resources - "$id" <<<"$1"
}
limit_of() # CONTROLLER V1-FILE V2-FILE
{
	local mount file

	if mount=$(cgroup_mount "$1"); then file=$2; else mount=$(cgroup_mount '') && file=$3; fi
	cat "$(find "$mount" -type d -name "$id" | head -n 1)/$file"
}
update '{"memory": {"limit": 41943040, "swap": 62914560}, "cpu": {"quota": 20000, "period": 50000}}'
is $? 0 "update: memory and swap, quota and period"
update '{"memory": {"limit": 0, "swap": 83886080}, "cpu": {"quota": 0, "period": 40000}}'
is $? 0 "update: swap and period alone, the others 0"
is "$(oci events --stats "$id" | jq .data.memory.usage.limit)" 41943040 "the memory limit stays"
like "$(limit_of memory memory.memsw.limit_in_bytes memory.swap.max)" '^(83886080|41943040)$' "the new swap holds"
is "$(limit_of cpu cpu.cfs_quota_us cpu.max | cut -d' ' -f1)" 20000 "the quota stays"
update '{"cpu": {"quota": 10000}}'
is "$(limit_of cpu cpu.cfs_period_us cpu.max | sed 's/.* //')" 40000 "and the period, where the quota is named"
like "$(limit_of cpu cpu.cfs_quota_us cpu.max)" '^10000' "which holds"

oci kill "$id" KILL
check "events end with their container" wait_for 15 process_gone "$follower"

features=$(oci features)
is "$(jq -r '.linux.seccomp.enabled' <<<"$features")" true "features is JSON"
is "$(jq '[.linux.capabilities[], .mountOptions[]] | length == (unique | length)' <<<"$features")" true "without doubles"
like "$(jq -c '.mountOptions' <<<"$features")" '"rbind"' "it lists mount options"
like "$(jq -c '.linux.capabilities' <<<"$features")" '"CAP_SYS_ADMIN"' "and capabilities"
done_testing
