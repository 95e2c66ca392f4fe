#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes recordings of real runs by every engine that is here, with their timelines beside them:
#   make-recordings.sh OUTPUT [DIRECTORY]     (tests/replay)
# A recording holds what ran on the machine when it was made (command lines, cgroup paths, the host's name): make those that
# are to be shared on a machine, or in a guest, that has nothing else on it. Look at each new .json before it becomes what
# tests/replay/replay.sh compares with.
cd "$(dirname "$0")/.." || exit 1
CTRACE_OUTPUT=$(realpath "$1")
CTRACE=$CTRACE_OUTPUT/ctrace
into=$(realpath -m "${2:-tests/replay}")
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh

busybox_image || exit 1
cp "$CTRACE_OUTPUT/tests/stimulus" "$BUSYBOX_ROOT/bin/" || exit 1
mkdir -p "$into"

# record NAME COMMAND...
record()
{
	local name=$1

	shift
	"$CTRACE" record "$WORK/$name.ctrace" -- "$@" >"$WORK/out" 2>&1 </dev/null
	if ! "$CTRACE" replay --json "$WORK/$name.ctrace" >"$WORK/$name.json"; then
		echo "$name: the recording does not replay; kept nothing" >&2
		return 1
	fi
	mv "$WORK/$name.ctrace" "$WORK/$name.json" "$into/"
	echo "$name: $(stat -c %s "$into/$name.ctrace") bytes, $(grep -c '"type":"timeline"' "$into/$name.json") timelines"
}

limit='.linux.resources.memory = {limit: 33554432, swap: 33554432}'
JQ=$limit bundle "$WORK/start" true
JQ=$limit bundle "$WORK/oom" stimulus eat=256
JQ=$limit bundle "$WORK/child" stimulus child-eat=256 exit=5
bundle "$WORK/fails" /no/such/program
bundle "$WORK/sleeps" sleep 60

if have runc; then
	export RUNC_ROOT=$WORK/runc
	record runc-start runc --root "$RUNC_ROOT" run --bundle "$WORK/start" start
	record runc-oom runc --root "$RUNC_ROOT" run --bundle "$WORK/oom" oom
	record runc-oom-child runc --root "$RUNC_ROOT" run --bundle "$WORK/child" oom-child
	record runc-failed runc --root "$RUNC_ROOT" run --bundle "$WORK/fails" failed
	record runc-exec sh -c 'runc --root "$0" run -d --bundle "$1" sleeps >/dev/null 2>&1
		runc --root "$0" exec sleeps sh -c "exit 7"
		runc --root "$0" kill sleeps KILL; sleep 0.2; runc --root "$0" delete sleeps' "$RUNC_ROOT" "$WORK/sleeps"
	record runc-parallel sh -c 'for i in $(seq 50); do
		runc --root "$0" run --bundle "$1" "parallel-$i" & done; wait' "$RUNC_ROOT" "$WORK/start"
fi
if have crun; then
	export -f cr is_v1 cgroup_mount
	export WORK
	record crun-start bash -c 'cr run --bundle "$WORK/start" start'
	record crun-oom bash -c 'cr run --bundle "$WORK/oom" oom'
fi
record ctrace-start "$CTRACE" oci --root "$WORK/oci" run --bundle "$WORK/start" start
if docker_start; then
	docker=(docker -H "unix://$DOCKER_SOCKET" run --rm)
	record docker-start "${docker[@]}" --memory 256m busybox true
	record docker-oom "${docker[@]}" --memory 32m --memory-swap 32m -v "$BUSYBOX_ROOT/bin/stimulus:/stimulus" busybox /stimulus eat=256
	record docker-failed "${docker[@]}" busybox /no/such/program
fi
if containerd_start; then
	record ctr-start ctr --address "$CONTAINERD_SOCKET" run --rm --memory-limit 67108864 "$CONTAINERD_IMAGE" start true
fi
if podman_start; then
	export CONTAINERS_CONF=$WORK/podman/containers.conf CONTAINERS_STORAGE_CONF=$WORK/podman/storage.conf
	record podman-start podman --tmpdir "$WORK/podman/tmp" run --rm --network none --memory 64m localhost/busybox true
fi
