# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # CONTAINERD_IMAGE and ENGINE_WHY are read by tests
# shellcheck shell=bash
# Engines and runtimes, each with directories of its own and a clean-up. Needs env.sh and images.sh.
# Every *_start returns 1 with ENGINE_WHY where the engine cannot run here.

ENGINE_WHY=

# docker_start [DOCKERD-OPTION...]: dockerd and its own containerd in a network namespace of its own (so that its bridge and its
# firewall rules die with it), busybox:latest loaded. Use it with `dock ...`.
docker_start()
{
	local dir=$WORK/docker

	if ! have dockerd || ! have docker; then
		ENGINE_WHY="docker is not installed"
		return 1
	fi
	busybox_image || return 1
	mkdir -p "$dir/config"
	echo '{}' >"$dir/daemon.json"
	DOCKER_SOCKET=$dir/sock
	unshare --net sh -c 'ip link set lo up; exec "$@"' sh \
		dockerd --config-file "$dir/daemon.json" --data-root "$dir/data" --exec-root "$dir/exec" \
		--pidfile "$dir/pid" --host "unix://$DOCKER_SOCKET" --storage-driver overlay2 "$@" >"$dir/log" 2>&1 &
	DOCKERD_PID=$!
	# Cgroups that docker leaves behind empty.
	on_exit remove_cgroup /docker
	on_exit umount -q "$dir/data/overlay2" "$dir/data"
	on_exit stop_process "$DOCKERD_PID"
	if ! wait_for 30 dock version; then
		ENGINE_WHY="dockerd did not start: $(grep -E 'level=(fatal|error)|failed' "$dir/log" | tail -n 1)"
		return 1
	fi
	gzip -dc "$(busybox_layer)" | dock import -c 'CMD ["sh"]' - busybox:latest >/dev/null
}

dock()
{
	DOCKER_CONFIG=$WORK/docker/config docker -H "unix://$DOCKER_SOCKET" "$@"
}

docker_stop()
{
	stop_process "$DOCKERD_PID"
}

# containerd_run TOML: containerd, configured by that besides its directories, with the busybox image (CONTAINERD_IMAGE)
# unpacked; use it with `cctr ...`.
containerd_run()
{
	local dir=$WORK/containerd

	if ! have containerd || ! have ctr; then
		ENGINE_WHY="containerd is not installed"
		return 1
	fi
	busybox_image || return 1
	mkdir -p "$dir"
	CONTAINERD_SOCKET=$dir/sock
	CONTAINERD_IMAGE=ctrace/busybox-local:latest
	cat >"$dir/config.toml" <<EOF
version = 2
root = "$dir/root"
state = "$dir/state"
$1
[grpc]
address = "$CONTAINERD_SOCKET"
EOF
	containerd -c "$dir/config.toml" >"$dir/log" 2>&1 &
	CONTAINERD_PID=$!
	on_exit remove_cgroup /default
	on_exit stop_process "$CONTAINERD_PID"
	if ! wait_for 20 cctr version; then
		ENGINE_WHY="containerd did not start: $(tail -n 1 "$dir/log")"
		return 1
	fi
	tar -C "$BUSYBOX_OCI" -cf "$dir/image.tar" . && cctr images import "$dir/image.tar" >/dev/null 2>&1
}

containerd_start()
{
	containerd_run 'disabled_plugins = ["io.containerd.grpc.v1.cri"]'
}

cctr()
{
	ctr --address "$CONTAINERD_SOCKET" "$@"
}

# cri_start: containerd as a kubelet uses it, its pods in networks that the CNI plugins make; CRI_IMAGE can be used. `kube ...`
# calls it (tests/lib/cri.py).
cri_start()
{
	local dir=$WORK/containerd cni=/usr/lib/cni

	CRI_IMAGE=docker.io/ctrace/busybox-local:latest
	mkdir -p "$dir/cni"
	cat >"$dir/cni/10-bridge.conf" <<EOF
{"cniVersion": "0.4.0", "name": "ctrace-cri", "type": "bridge", "bridge": "ctcri0", "isGateway": true,
	"ipam": {"type": "host-local", "subnet": "10.199.0.0/24", "dataDir": "$dir/ipam"}}
EOF
	on_exit remove_cgroup /k8s.io
	on_exit ip link delete ctcri0
	containerd_run "
[plugins.\"io.containerd.grpc.v1.cri\"]
sandbox_image = \"docker.io/ctrace/pause:latest\"
restrict_oom_score_adj = true
[plugins.\"io.containerd.grpc.v1.cri\".cni]
bin_dir = \"$cni\"
conf_dir = \"$dir/cni\"" || return 1
	PYTHONPATH=tests/lib python3 -c 'import oci, sys
oci.write_layout(sys.argv[2], oci.read_blob_layers(sys.argv[1]), {"Cmd": ["/bin/sleep", "600"]})' "$BUSYBOX_OCI" "$dir/pause" &&
		tar -C "$dir/pause" -cf "$dir/pause.tar" . &&
		cctr -n k8s.io images import --index-name docker.io/ctrace/pause:latest "$dir/pause.tar" &&
		cctr -n k8s.io images import --index-name "$CRI_IMAGE" "$dir/image.tar" && wait_for 10 kube ready
}

kube()
{
	tests/lib/cri.py "$CONTAINERD_SOCKET" "$@"
}

# Where a hierarchy is not mounted podman makes its directories and files in what is there instead.
podman_remove_directories()
{
	local made

	for made in /sys/fs/cgroup/*/libpod_parent; do
		mountpoint -q "${made%/*}" || ! [ -d "$made" ] || rm -r -- "$made"
		rmdir --ignore-fail-on-non-empty -- "${made%/*}" 2>/dev/null
	done
	return 0
}

# podman_start: storage of our own, runc, cgroupfs; busybox:latest imported as localhost/busybox. `pod ...`
podman_start()
{
	local dir=$WORK/podman

	if ! have podman || ! have runc; then
		ENGINE_WHY="podman or runc is not installed"
		return 1
	fi
	busybox_image || return 1
	mkdir -p "$dir"
	# Limits that a caller without CAP_SYS_RESOURCE can set.
	cat >"$dir/containers.conf" <<EOF
[containers]
default_ulimits=["nofile=$(ulimit -Hn):$(ulimit -Hn)","nproc=32768:32768"]
log_driver="k8s-file"
[engine]
cgroup_manager="cgroupfs"
runtime="runc"
events_logger="file"
EOF
	printf '[storage]\ndriver="overlay"\nrunroot="%s"\ngraphroot="%s"\n' "$dir/run" "$dir/root" >"$dir/storage.conf"
	on_exit remove_cgroup /libpod_parent
	on_exit podman_remove_directories
	# Podman keeps its storage mounted on itself.
	on_exit umount -q "$dir/root/overlay"
	# Who cleans up after a container mounts it anew, and may be late.
	on_exit wait_for 10 eval "! pgrep -f '$dir/root' >/dev/null"
	on_exit pod rm --all --force --time 0
	if ! gzip -dc "$(busybox_layer)" | pod import -c 'CMD ["sh"]' - localhost/busybox:latest >"$dir/log" 2>&1; then
		ENGINE_WHY="podman cannot import an image: $(tail -n 1 "$dir/log")"
		return 1
	fi
}

pod()
{
	CONTAINERS_CONF=$WORK/podman/containers.conf CONTAINERS_STORAGE_CONF=$WORK/podman/storage.conf \
		podman --tmpdir "$WORK/podman/tmp" "$@"
}

# bundle DIR COMMAND...: an OCI bundle of the busybox tree (shared, read-only) that runs the command. JQ, when
# set, is a jq program that changes config.json afterwards.
bundle()
{
	local dir=$1

	shift
	busybox_image || return 1
	mkdir -p "$dir"
	if [ ! -f "$WORK/spec.json" ]; then
		runc spec --bundle "$WORK" && mv "$WORK/config.json" "$WORK/spec.json" || return 1
	fi
	jq --arg root "$BUSYBOX_ROOT" '
		.process.terminal = false | .process.args = $ARGS.positional | .process.rlimits = []
		| .root = {path: $root, readonly: true} | .hostname = "bundle"' "$WORK/spec.json" --args -- "$@" |
		jq "${JQ:-.}" >"$dir/config.json"
}

# Like runc, with a state directory of our own.
rc()
{
	runc --root "$WORK/runc" "$@"
}

# runc_storm COUNT PREFIX: that many `runc run`, 8 at a time, of containers PREFIX-0 and so on that end at once. Prints what fails.
runc_storm()
{
	local i slot slots=()

	for slot in 0 1 2 3 4 5 6 7; do
		bundle "$WORK/storm$slot" /bin/true
		{
			for ((i = slot; i < $1; i += 8)); do
				rc run --bundle "$WORK/storm$slot" "$2-$i" || echo "$2-$i: exit $?"
			done
		} >"$WORK/storm$slot.out" 2>&1 </dev/null &
		slots+=($!)
	done
	wait "${slots[@]}"
	cat "$WORK"/storm?.out
}

# Like crun, with a state directory of our own. It refuses a hybrid hierarchy, so it runs in a mount
# namespace without the v2 mount where v1 has the controllers.
cr()
{
	mkdir -p "$WORK/crun"
	if is_v1 && cgroup_mount '' >/dev/null; then
		unshare --mount --propagation private sh -c 'umount "$1" && shift && exec "$@"' sh \
			"$(cgroup_mount '')" crun --root "$WORK/crun" "$@"
	else
		crun --root "$WORK/crun" "$@"
	fi
}
