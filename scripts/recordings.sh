# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The runs of scripts/make-recordings.sh, which sources this.
# shellcheck disable=SC2016 # programs for inner shells
# shellcheck disable=SC2034 # OPTIONS and BEFORE are read by make-recordings.sh

limits='.linux.resources.memory = {limit: 67108864, reservation: 33554432}
	| .linux.resources.cpu = {shares: 512, quota: 50000, period: 100000} | .linux.resources.pids = {limit: 50}'
small='.linux.resources.memory = {limit: 33554432, swap: 33554432}'

record_runc()
{
	local run=(runc --root "$WORK/runc" run --bundle)

	JQ=$limits bundle "$WORK/start" sh -c 'exit 6'
	record runc-start 6 "${run[@]}" "$WORK/start" start-1
	truth runc-start "--same start-1=strace-1" "${run[@]}" "$WORK/start" strace-1
	JQ=$small bundle "$WORK/oom" stimulus eat=256
	record runc-oom 137 "${run[@]}" "$WORK/oom" oom-1
	JQ=$small bundle "$WORK/oom-child" stimulus child-eat=256 exit=5
	record runc-oom-child 5 "${run[@]}" "$WORK/oom-child" oom-child-1
	bundle "$WORK/no-program" /no/such/program
	record runc-no-program 1 "${run[@]}" "$WORK/no-program" no-program-1
	JQ='.linux.resources.cpu = {quota: 100, period: 100000}' bundle "$WORK/refused" true
	record runc-refused-limit 1 "${run[@]}" "$WORK/refused" refused-1
	truth runc-refused-limit "--same refused-1=strace-refused" "${run[@]}" "$WORK/refused" strace-refused
	JQ='.mounts += [{destination: "/mnt", type: "bind", source: "/no/such/directory", options: ["rbind"]}]' \
		bundle "$WORK/no-source" true
	record runc-no-source 1 "${run[@]}" "$WORK/no-source" no-source-1
	JQ='.mounts += [{destination: "/mnt", type: "nosuchfs", source: "none"}]' bundle "$WORK/bad-mount" true
	record runc-bad-mount 1 "${run[@]}" "$WORK/bad-mount" bad-mount-1
	truth runc-bad-mount "--same bad-mount-1=strace-mount" "${run[@]}" "$WORK/bad-mount" strace-mount
}

record_runc_more()
{
	local pid

	bundle "$WORK/sleep" sleep 60
	record runc-exec 0 sh -c 'r="runc --root $1/runc"
		$r run --detach --bundle "$1/sleep" exec-1 </dev/null >/dev/null 2>&1
		sleep 0.1
		$r exec exec-1 sh -c "exit 17"
		$r exec exec-1 /no/such/program
		$r kill exec-1 KILL
		while $r state exec-1 | grep -q running; do :; done
		$r delete exec-1' sh "$WORK"
	bundle "$WORK/true" true
	record runc-parallel 0 sh -c 'for i in $(seq 50); do
			runc --root "$1/runc" run --bundle "$1/true" "parallel-$i" &
		done
		wait' sh "$WORK"

	rc run --detach --bundle "$WORK/sleep" existing-1 </dev/null >/dev/null 2>&1
	on_exit rc delete --force existing-1
	pid=$(rc state existing-1 | jq .pid)
	OPTIONS=(--pid "$pid")
	record runc-existing 0 sh -c 'r="runc --root $1/runc"
		$r exec existing-1 sh -c "exit 18"
		$r kill existing-1 TERM
		$r kill existing-1 KILL
		while $r state existing-1 | grep -q running; do :; done
		$r delete existing-1' sh "$WORK"
	OPTIONS=()
}

# remove_below_v2 MOUNTPOINT: crun takes the directory below the v2 mount for a cgroup, and leaves files there.
remove_below_v2()
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -c 'umount "$1" && cd "$1" && rm -rf start-2 strace-2 oom-2 no-program-2' \
		sh "$1"
}

# crun refuses a hybrid hierarchy: there it runs where the v2 mount is not to be seen, and so does its tracer.
record_crun()
{
	if ! have crun; then
		skip_point "crun" "it is not installed"
		return
	fi
	JQ=$limits bundle "$WORK/start" sh -c 'exit 6'
	mkdir -p "$WORK/crun"
	if is_v1 && cgroup_mount '' >/dev/null; then
		BEFORE=("$WORK/without-v2")
		cat >"${BEFORE[0]}" <<-END
			#!/bin/sh
			exec unshare --mount --propagation private sh -c \
				'umount "$(cgroup_mount '')" && exec "\$@"' sh "\$@"
		END
		chmod 755 "${BEFORE[0]}"
	fi
	record crun-start 6 crun --root "$WORK/crun" run --bundle "$WORK/start" start-2
	truth crun-start "--same start-2=strace-2" crun --root "$WORK/crun" run --bundle "$WORK/start" strace-2
	bundle "$WORK/no-program" /no/such/program
	JQ=$small bundle "$WORK/oom" stimulus eat=256
	record crun-oom 137 crun --root "$WORK/crun" run --bundle "$WORK/oom" oom-2
	record crun-no-program 1 crun --root "$WORK/crun" run --bundle "$WORK/no-program" no-program-2
	[ "${#BEFORE[@]}" = 0 ] || remove_below_v2 "$(cgroup_mount '')"
	BEFORE=()
}

record_ctrace()
{
	JQ=$limits bundle "$WORK/start" sh -c 'exit 6'
	record ctrace-oci 6 ctrace-oci --root "$WORK/oci" run --bundle "$WORK/start" start-3
	truth ctrace-oci "--same start-3=strace-3" ctrace-oci --root "$WORK/oci" run --bundle "$WORK/start" strace-3
	is_wanted ctrace-run || return 0
	OPTIONS=(--mine "$WORK" --host-links)
	check ctrace-run try_record ctrace-run 6 "$CTRACE" run --rm --memory 256m \
		--json "$WORK/ctrace-run.json" --record "$WORK/ctrace-run.raw" "oci:$BUSYBOX_OCI" sh -c 'exit 6'
	OPTIONS=()
	truth ctrace-run "" "$CTRACE" run --rm --trace=none --memory 256m "oci:$BUSYBOX_OCI" sh -c 'exit 6'
}

record_docker()
{
	if ! docker_start; then
		skip_point "docker" "$ENGINE_WHY"
		return
	fi
	export DOCKER_HOST=unix://$DOCKER_SOCKET DOCKER_CONFIG=$WORK/docker/config
	# The first container of a daemon has more to make: the cgroup /docker in every hierarchy.
	docker run --rm busybox true
	OPTIONS=(--mine "$WORK/docker")
	record docker-run 6 docker run --rm --name web --memory 256m busybox sh -c 'exit 6'
	record docker-no-program 127 docker run --rm --name broken busybox no-such-program
	record docker-oom 137 docker run --rm --name eater --memory 32m --memory-swap 32m \
		-v "$BUSYBOX_ROOT/bin/stimulus:/stimulus:ro" busybox /stimulus eat=256
	record docker-exec 0 sh -c 'docker run -d --rm --name execs busybox sleep 60 >/dev/null
		docker exec execs sh -c "exit 9"
		docker kill execs >/dev/null'
	record docker-parallel 0 sh -c 'for i in $(seq 50); do
			docker run --rm --name "parallel-$i" busybox true &
		done
		wait'
	OPTIONS=()
	truth_of_daemons docker-run "--same web=strace" "$DOCKERD_PID,$(pgrep -P "$DOCKERD_PID" containerd)" \
		docker run --rm --name strace --memory 256m busybox sh -c 'exit 6'
	unset DOCKER_HOST DOCKER_CONFIG
}

record_containerd()
{
	if ! containerd_start; then
		skip_point "containerd" "$ENGINE_WHY"
		return
	fi
	export CONTAINERD_ADDRESS=$CONTAINERD_SOCKET
	OPTIONS=(--mine "$WORK/containerd")
	record ctr-run 6 ctr run --rm --memory-limit 67108864 "$CONTAINERD_IMAGE" ctr-1 sh -c 'exit 6'
	OPTIONS=()
}

record_podman()
{
	if ! podman_start; then
		skip_point "podman" "$ENGINE_WHY"
		return
	fi
	export CONTAINERS_CONF=$WORK/podman/containers.conf CONTAINERS_STORAGE_CONF=$WORK/podman/storage.conf
	record podman-run 6 podman --tmpdir "$WORK/podman/tmp" run --rm --network none --memory 64m --name pod-1 \
		localhost/busybox sh -c 'exit 6'
}

PATH=$WORK/bin:$PATH
record_runc
record_runc_more
record_crun
record_ctrace
record_docker
record_containerd
record_podman
