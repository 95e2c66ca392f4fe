#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Starts the engines that are here and prints, one JSON object a line, how each runs `true`; then "ready". Cleans up
# when its stdin closes. @ID@ in a command is replaced by a new id for each run.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh

# offer NAME LABEL COMMAND...
offer()
{
	local name=$1 label=$2

	shift 2
	jq -nc --arg name "$name" --arg shown "$label" --argjson env "${OFFER_ENV:-{\}}" \
		'{name: $name, label: $shown, env: $env, command: $ARGS.positional}' --args -- "$@"
}

missing()
{
	jq -nc --arg name "$1" --arg why "$2" '{name: $name, why: $why}'
}

busybox_image || exit 1

# With a network namespace of its own, as every runtime here, and docker's limits; no seccomp profile, as runc spec.
JQ='.linux.resources.memory = {limit: 268435456}' bundle "$WORK/b" /bin/true

if have runc; then
	offer runc "runc run (bundle)" runc --root "$WORK/runc" run --bundle "$WORK/b" @ID@
else
	missing runc "not installed"
fi

# In a mount namespace that lasts: what is measured is crun, not the making of the namespace.
if have crun; then
	if is_v1 && cgroup_mount '' >/dev/null; then
		unshare --mount --propagation private sh -c 'umount "$1" && echo ok && exec sleep infinity' sh \
			"$(cgroup_mount '')" >"$WORK/crun.ready" &
		crun_namespace=$!
		on_exit stop_process $!
		wait_for 5 grep -q ok "$WORK/crun.ready"
		offer crun "crun run (bundle; through nsenter)" nsenter --mount="/proc/$!/ns/mnt" crun --root "$WORK/crun" run --bundle "$WORK/b" @ID@
	else
		offer crun "crun run (bundle)" crun --root "$WORK/crun" run --bundle "$WORK/b" @ID@
	fi
else
	missing crun "not installed"
fi

image=oci:$BUSYBOX_OCI
if "$CTRACE" run --rm --trace=none --network none "$image" true >"$WORK/out" 2>&1; then
	export OFFER_ENV
	OFFER_ENV=$(jq -nc --arg root "$CTRACE_ROOT" '{CTRACE_ROOT: $root}')
	offer ctrace "ctrace run --trace=none (image)" "$CTRACE" run --rm --trace=none --network none "$image" true
	offer "ctrace traced" "ctrace run (image, traced)" "$CTRACE" run --rm --network none "$image" true
	offer "ctrace bundle" "ctrace run --trace=none --bundle" "$CTRACE" run --rm --trace=none --bundle "$WORK/b"
	unset OFFER_ENV
else
	missing ctrace "it does not run a container: $(tail -n 1 "$WORK/out")"
fi

if podman_start >/dev/null; then
	OFFER_ENV=$(jq -nc --arg c "$WORK/podman/containers.conf" --arg s "$WORK/podman/storage.conf" \
		'{CONTAINERS_CONF: $c, CONTAINERS_STORAGE_CONF: $s}')
	offer podman "podman run --network none (runc)" podman --tmpdir "$WORK/podman/tmp" run --rm --network none localhost/busybox true
	unset OFFER_ENV
else
	missing podman "$ENGINE_WHY"
fi

if docker_start >/dev/null; then
	offer docker "docker run" docker -H "unix://$DOCKER_SOCKET" run --rm busybox true
	offer "docker none" "docker run --network none" docker -H "unix://$DOCKER_SOCKET" run --rm --network none busybox true
else
	missing docker "$ENGINE_WHY"
	missing "docker none" "$ENGINE_WHY"
fi

# ctrace oci, crun and runc on the same bundles: with docker's own profile, and with many mounts.
bundles=$(jq -nc --arg dir "$WORK/b" '{plain: $dir}')
if [ -n "${DOCKER_SOCKET-}" ] && id=$(dock run --detach busybox sleep 60 2>/dev/null); then
	jq -c .linux.seccomp "$WORK/docker/exec/containerd/daemon/io.containerd.runtime.v2.task/moby/$id/config.json" >"$WORK/profile"
	dock rm --force "$id" >/dev/null
	JQ='.linux.seccomp = '$(cat "$WORK/profile") bundle "$WORK/bs" /bin/true
	bundles=$(jq -c --arg dir "$WORK/bs" '.seccomp = $dir' <<<"$bundles")
fi
mkdir -p "$WORK/places"
for count in 1 10 100; do
	JQ='.mounts = [.mounts[] | select(.destination == "/proc")] + [range('$((count - 1))') |
		{destination: "/tmp/m\(.)", type: "bind", source: "'"$WORK/places"'", options: ["bind", "ro"]}]
		| .mounts |= if length > 1 then .[:1] + [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}] + .[2:] else . end
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []' bundle "$WORK/m$count" /bin/true
	bundles=$(jq -c --arg dir "$WORK/m$count" --arg name "mounts-$count" '.[$name] = $dir' <<<"$bundles")
done
OFFER_ENV=$(jq -nc --arg all "$bundles" '{BENCH_BUNDLES: $all}')
offer "oci ctrace" "ctrace oci" "$CTRACE" oci --root "$WORK/ctrace-oci" @VERB@
unset OFFER_ENV
if have runc; then offer "oci runc" "runc" runc --root "$WORK/runc" @VERB@; else missing "oci runc" "not installed"; fi
if [ -s "$WORK/crun.ready" ]; then
	offer "oci crun" "crun" nsenter --mount="/proc/$crun_namespace/ns/mnt" crun --root "$WORK/crun" @VERB@
elif have crun; then
	offer "oci crun" "crun" crun --root "$WORK/crun" @VERB@
else
	missing "oci crun" "not installed"
fi

echo ready
cat >/dev/null
