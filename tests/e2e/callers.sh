#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 1200
# ctrace as the OCI runtime of docker, containerd and podman, and the timeline of every container so made. Then
# containers 8 at a time, killed at random: 24, with SOAK=1 500.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need jq
busybox_image || skip_all "no busybox image"

RUNTIME=$CTRACE_OUTPUT/ctrace-oci
tag=call-$$
runs=()
trace_start || skip_all "no trace"

docker_calls()
{
	local d=(--runtime ctrace --network none) id volume

	is "$(dock run --rm "${d[@]}" busybox sh -c 'echo out; exit 7'; echo "$?")" "out
7" "docker run: output and exit code"
	is "$(echo in | dock run --rm -i "${d[@]}" busybox cat)" in "docker run -i"
	is "$(script -qec "DOCKER_CONFIG=$WORK/docker/config docker -H unix://$DOCKER_SOCKET run --rm -it ${d[*]} busybox sh -c 'tty; stty size'" \
		/dev/null </dev/null | tr -cd '[:print:]\n' | sed 's/^\^[@D]//' | head -n 1)" /dev/pts/0 "docker run -it"
	dock run --rm "${d[@]}" busybox nosuch >/dev/null 2>&1
	is "$?" 127 "docker run of a program that is missing"
	for volume in /etc:/etc/passwd /etc/passwd:/etc; do
		like "$(dock run --rm "${d[@]}" --volume "$volume" busybox true 2>&1)" 'Are you trying to mount a directory onto a file' \
			"docker sees what is wrong with --volume $volume"
	done
	dock run --rm "${d[@]}" busybox /etc >/dev/null 2>&1
	is "$?" 126 "and of one that cannot be executed"
	is "$(dock run --rm "${d[@]}" --memory 64m --pids-limit 50 --read-only --user 1000:1000 --hostname here \
		--cap-drop ALL --ulimit nofile=100:200 --workdir /tmp --tmpfs /run --shm-size 8m busybox sh -c \
		'id -u; hostname; ulimit -n; pwd; grep CapEff /proc/self/status | cut -f2; touch /x 2>/dev/null || echo ro')" \
		"1000
here
100
/tmp
0000000000000000
ro" "docker's options arrive"

	is "$(dock run --rm "${d[@]}" --user 1000 busybox sh -c 'echo out >/dev/stdout')" out "docker run --user: /dev/stdout can be opened"
	id=$(dock run -d --name "$tag" "${d[@]}" busybox sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done')
	runs+=("$id:docker:3")
	is "$(dock exec "$tag" sh -c 'echo $PPID; exit 5' >/dev/null; echo "$?")" 5 "docker exec"
	is "$(echo in | dock exec -i -u 1000 -w /tmp -e A=b "$tag" sh -c 'cat; id -u; pwd; echo $A' | tr '\n' ' ')" "in 1000 /tmp b " \
		"docker exec with options"
	is "$(dock exec --user 1000 "$tag" sh -c 'echo out >/dev/stdout')" out "docker exec --user: too"
	dock exec "$tag" nosuch >/dev/null 2>&1
	like "$?" '^12[67]$' "docker exec of a program that is missing"
	like "$(dock top "$tag")" 'sleep 0.1' "docker top"
	check "docker pause" dock pause "$tag"
	is "$(dock inspect -f '{{.State.Status}}' "$tag")" paused "it is paused"
	check "docker unpause" dock unpause "$tag"
	check "docker update" dock update --memory 50m --memory-swap 100m "$tag"
	like "$(dock stats --no-stream --format '{{.MemUsage}}' "$tag")" '/ 50MiB' "docker stats shows the new limit"
	check "docker update of swap alone" dock update --memory-swap 120m "$tag"
	check "docker stop" dock stop -t 10 "$tag"
	is "$(dock inspect -f '{{.State.ExitCode}}' "$tag")" 3 "by its own handler"
	check "docker start again" dock start "$tag"
	check "docker kill" dock kill "$tag"
	is "$(dock wait "$tag")" 137 "docker wait"
	check "docker rm" dock rm "$tag"
}

containerd_calls()
{
	is "$(cctr run --rm --runc-binary "$RUNTIME" "$CONTAINERD_IMAGE" "$tag-ctr" sh -c 'echo out; exit 12'; echo "$?")" \
		"out
12" "ctr run"
	runs+=("$tag-ctr:containerd:12")
	check "ctr run --detach" cctr run --detach --runc-binary "$RUNTIME" "$CONTAINERD_IMAGE" "$tag-ctrd" sleep 60
	is "$(cctr tasks exec --exec-id e "$tag-ctrd" sh -c 'echo in; exit 4'; echo "$?")" "in
4" "ctr tasks exec"
	check "ctr tasks pause" cctr tasks pause "$tag-ctrd"
	like "$(cctr tasks ls)" "$tag-ctrd.*PAUSED" "it is paused"
	check "ctr tasks resume" cctr tasks resume "$tag-ctrd"
	like "$(cctr tasks ps "$tag-ctrd")" '[0-9]' "ctr tasks ps"
	check "ctr tasks kill" cctr tasks kill --signal KILL "$tag-ctrd"
	check "ctr tasks delete" wait_for 10 cctr tasks delete "$tag-ctrd"
	cctr containers delete "$tag-ctrd"
	runs+=("$tag-ctrd:containerd:137")
}

podman_calls()
{
	local p=(--runtime "$RUNTIME") id

	is "$(pod "${p[@]}" run --rm --network none localhost/busybox sh -c 'echo out; exit 13'; echo "$?")" "out
13" "podman run"
	id=$(pod "${p[@]}" create --network none --name "$tag-pod" localhost/busybox sh -c 'echo started; trap "exit 6" TERM; while :; do sleep 0.1; done')
	runs+=("$id:podman:6")
	check "podman start" pod "${p[@]}" start "$tag-pod"
	is "$(pod "${p[@]}" exec "$tag-pod" sh -c 'echo in; exit 5'; echo "$?")" "in
5" "podman exec"
	is "$(pod "${p[@]}" logs "$tag-pod")" started "podman logs"
	check "podman pause" pod "${p[@]}" pause "$tag-pod"
	check "podman unpause" pod "${p[@]}" unpause "$tag-pod"
	check "podman stop" pod "${p[@]}" stop "$tag-pod"
	is "$(pod "${p[@]}" inspect -f '{{.State.ExitCode}}' "$tag-pod")" 6 "by its own handler"
	check "podman rm" pod "${p[@]}" rm "$tag-pod"
}

if docker_start --add-runtime "ctrace=$RUNTIME"; then docker_calls; else skip_point docker "$ENGINE_WHY"; fi
if containerd_start; then containerd_calls; else skip_point containerd "$ENGINE_WHY"; fi
if podman_start; then podman_calls; else skip_point podman "$ENGINE_WHY"; fi
sleep 0.5
trace_stop

judge "$TRACE" "${runs[@]}" <<'PY'
for container, engine, code in (r.split(":") for r in args):
    found = t.find(container)
    if not p.check(found, "%s's container has a timeline" % engine):
        continue
    c = found[0]
    p.check(c["runtime"].startswith("ctrace"), "%s: its runtime is ctrace" % engine)
    p.equal((c.exit or {}).get("code"), int(code), "%s: its exit code" % engine)
    p.equal(c.missing_phases(tl.START_PHASES), [], "%s: all phases of a start" % engine)
    p.equal(len(c.actors("init")), 1, "%s: one init" % engine)
    p.equal(c.disorder(), "", "%s: times in order" % engine)
PY

# Whatever moment the runtime dies at: delete --force takes everything away.
count=24
[ -z "${SOAK-}" ] || count=500
bundle "$WORK/b" sleep 0.3
kill_at_random() # SLOT
{
	local i pid

	for ((i = $1; i < count; i += 8)); do
		"$CTRACE" oci --root "$WORK/killed" run --bundle "$WORK/b" "$tag-k$i" </dev/null >/dev/null 2>&1 &
		pid=$!
		sleep "0.0$((RANDOM % 100 + 100))"
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		"$CTRACE" oci --root "$WORK/killed" delete --force "$tag-k$i" || echo "$tag-k$i: delete $?"
	done
}
slots=()
for slot in 0 1 2 3 4 5 6 7; do
	kill_at_random "$slot" >"$WORK/kill$slot" 2>&1 &
	slots[slot]=$!
done
wait "${slots[@]}"
is "$(cat "$WORK"/kill?)" "" "$count runtimes killed at random: delete --force succeeds"
is "$(ls -A "$WORK/killed" 2>/dev/null)" "" "no state is left"
is "$(find /sys/fs/cgroup -maxdepth 4 -type d -name "$tag-k*" 2>/dev/null)" "" "no cgroup"
is "$(grep -c " $WORK/b" /proc/self/mountinfo)" 0 "no mount"
done_testing
