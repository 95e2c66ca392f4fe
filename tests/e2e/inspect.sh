#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
# ctrace inspect: a running container's namespaces, limits, layers and network, against what /proc says.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_root
need_ctrace inspect
need runc jq

id=ct-inspect-$$
# shellcheck disable=SC2016
JQ='.linux.cgroupsPath = "/'$id'" | .linux.resources.memory = {limit: 67108864}
	| .linux.resources.pids = {limit: 50}' bundle "$WORK/b" sleep 60
on_exit remove_cgroup "/$id"
on_exit rc delete --force "$id"
rc run --detach --bundle "$WORK/b" "$id" </dev/null >/dev/null 2>"$WORK/runc.err"
is $? 0 "a container of runc runs"
pid=$(rc state "$id" | jq .pid)

"$CTRACE" inspect --json "$id" >"$WORK/one.json" 2>"$WORK/err"
is $? 0 "inspect finds it by its id"
get() { jq -r "$1" "$WORK/one.json"; }
is "$(get .id)" "$id" "its id"
is "$(get .pid)" "$pid" "its init"
for ns in mnt pid net uts ipc; do
	is "$(get ".namespaces.$ns.inode")" "$(stat -Lc %i "/proc/$pid/ns/$ns")" "namespace $ns"
	is "$(get ".namespaces.$ns.host")" false "namespace $ns is its own"
done
is "$(get .namespaces.user.host)" true "the user namespace is the host's"
is "$(get .resources.memory_limit_bytes)" 67108864 "its memory limit"
is "$(get .resources.tasks_limit)" 50 "its limit of tasks"
is "$(get .resources.tasks)" 1 "it has one task"
is "$(get '.network.interfaces | map(.name) | join(" ")')" lo "its only interface is lo"
is "$(get .command)" "sleep 60" "its command"

"$CTRACE" inspect --json "$pid" >"$WORK/pid.json" 2>/dev/null
is "$(jq -r .id "$WORK/pid.json")" "$id" "inspect finds it by its pid"
like "$("$CTRACE" inspect "$id" 2>&1)" "net .*its own" "text says which namespaces are its own"

"$CTRACE" inspect "no-such-$$" >"$WORK/out" 2>"$WORK/err"
is $? 1 "an unknown container: exit code 1"
like "$(cat "$WORK/err")" "no running container no-such-$$" "an unknown container is named"
is "$(wc -c <"$WORK/out" | tr -d ' ')" 0 "and nothing is on stdout"
done_testing
