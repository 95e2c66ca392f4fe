#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# The same options, the same container: what a program finds inside of `ctrace run` and of `docker run` (a real
# dockerd), fact by fact, and the exit codes of both. Differences that are meant are listed in meant(), each with its reason.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
need_root
need jq
docker_start || skip_all "$ENGINE_WHY"
export CTRACE_ROOT=$WORK/ctrace CTRACE_RUN=$WORK/run
probe=$(cat "$LIB/probe.sh")

# What docker 20.10 with runc 1.1 does in another way, and we do not want to.
meant()
{
	# the file systems that mask a directory are read-only by another flag; a newer docker masks /proc/interrupts, too
	grep -v '^mount /proc/\(acpi\|interrupts\|scsi\|asound\) \|^mount /sys/firmware \|^masked /proc/interrupts ' |
		# sysfs and the directory of the v1 hierarchies are read-only as mounts; docker leaves the latter writable
		grep -v '^mount /sys ro\|^mount /sys/fs/cgroup \|^writable /sys/fs/cgroup yes' |
		# a hybrid hierarchy is shown whole, and the container has a cgroup namespace
		grep -v '^mount /sys/fs/cgroup/unified \|^cgroup path ' |
		# runc 1.1 still lets everybody have /dev/net/tun; later ones do not
		grep -v '^cgroup devices/devices.list c 10:200 rwm' |
		# docker 20.10 turns IPv6 off even on lo; later ones do not
		grep -v '^sysctl net/ipv6/conf/all/disable_ipv6'
}

# same LABEL [OPTION...]: the facts of both, then a point per group that differs, or one that says they are alike
same()
{
	local label=$1 side docker

	shift
	dock run --rm "$@" busybox sh -c "$probe" </dev/null >"$WORK/docker.facts" 2>"$WORK/docker.err" &
	docker=$!
	"$CTRACE" run --rm --trace=none "$@" "oci:$BUSYBOX_OCI" sh -c "$probe" </dev/null >"$WORK/ctrace.facts" 2>"$WORK/ctrace.err"
	wait $docker
	if ! grep -q '^fd open' "$WORK/docker.facts" || ! grep -q '^fd open' "$WORK/ctrace.facts"; then
		not_ok "$label: both run"
		diag "$(tail -n 3 "$WORK/docker.err"; tail -n 3 "$WORK/ctrace.err")"
		return
	fi
	for side in docker ctrace; do
		tr -d '\r' <"$WORK/$side.facts" | meant | sort >"$WORK/$side.sorted"
	done
	diff "$WORK/docker.sorted" "$WORK/ctrace.sorted" | grep '^[<>]' >"$WORK/differences"
	is "$(cat "$WORK/differences")" "" "$label: as in docker (< docker, > ctrace)"
}

none=(--network none)
same "no options" "${none[@]}"
same "the bridge"
same "-u UID" "${none[@]}" -u 1000
same "-u UID:GID --group-add" "${none[@]}" -u 1000:50 --group-add 7 --group-add 8
same "-u NAME" "${none[@]}" -u root:root
same "--read-only" "${none[@]}" --read-only
same "--init" "${none[@]}" --init
same "--ulimit" "${none[@]}" --ulimit nofile=100:200 --ulimit core=0 --ulimit stack=4194304
printf '# a comment\nA=1\nB="quoted"\nHOME\nEMPTY=\nNOT_SET_HERE\nSPACES=a b  c\n' >"$WORK/env-file"
same "--env-file" "${none[@]}" --env-file "$WORK/env-file" -e A=2
SET_HERE=yes same "-e NAME" "${none[@]}" -e SET_HERE -e NOT_SET -e PATH=/bin
same "--tmpfs" "${none[@]}" --tmpfs /scratch:size=1m,mode=700 --tmpfs /plain --tmpfs /run:exec
same "--cpuset-cpus" "${none[@]}" --cpuset-cpus 0
same "--memory" "${none[@]}" --memory 64m
same "--memory-swap" "${none[@]}" --memory 64m --memory-swap 100m
same "--memory-swap -1" "${none[@]}" --memory 64m --memory-swap -1
same "--memory-reservation" "${none[@]}" --memory 64m --memory-reservation 32m
same "--cpu-shares --cpus" "${none[@]}" --cpu-shares 512 --cpus 0.5
same "--pids-limit" "${none[@]}" --pids-limit 50
same "--pids-limit -1" "${none[@]}" --pids-limit -1
same "--cap-drop ALL --cap-add" "${none[@]}" --cap-drop ALL --cap-add NET_ADMIN --cap-add cap_chown
same "--cap-add with a user" "${none[@]}" --cap-add SYS_ADMIN -u 1000
same "--hostname --workdir" "${none[@]}" --hostname web.example.org --workdir /made/for/it
same "--security-opt no-new-privileges" "${none[@]}" --security-opt no-new-privileges
same "--security-opt seccomp=unconfined" "${none[@]}" --security-opt seccomp=unconfined
same "--shm-size" "${none[@]}" --shm-size 16m
same "--oom-score-adj" "${none[@]}" --oom-score-adj 100
same "--device" "${none[@]}" --device /dev/fuse --device /dev/zero:/dev/nothing:r
mkdir -p "$WORK/data"
same "--volume" "${none[@]}" -v "$WORK/data:/data" -v "$WORK/data:/data-ro:ro"
same "--tty" "${none[@]}" --tty

# exits LABEL ARGUMENT...: the exit code, and what docker says of it, up to the program's name
exits()
{
	local label=$1 docker docker_code ctrace_code i args=()

	shift
	dock run --rm --network none "$@" </dev/null >/dev/null 2>"$WORK/docker.err" &
	docker=$!
	for i; do
		[ "$i" != busybox ] || i=oci:$BUSYBOX_OCI
		args+=("$i")
	done
	"$CTRACE" run --rm --trace=none --network none "${args[@]}" </dev/null >/dev/null 2>"$WORK/ctrace.err"
	ctrace_code=$?
	wait $docker
	docker_code=$?
	is "$ctrace_code" "$docker_code" "exit code: $label" || diag "$(tail -n 1 "$WORK/docker.err")" "$(tail -n 1 "$WORK/ctrace.err")"
}

exits "the command's" busybox sh -c 'exit 3'
exits "255" busybox sh -c 'exit 255'
exits "no such program" busybox no-such-program
exits "no such path" busybox /no/such/program
exits "a directory" busybox /etc
exits "a file that is no program" busybox /etc/passwd
# Not compared: docker 20.10 gives 125 for a path through a file (127 in ctrace, and in later ones), and 127 for a
# --device that is not there, whose message has "no such file" in it (125 in ctrace).
exits "a signal" busybox sh -c 'sh -c "kill -SEGV \$\$"; exit $?'
exits "killed for want of memory" --memory 16m busybox sh -c 'head -c 64m /dev/zero | tail -n 1 >/dev/null; exit $?'
exits "an unknown option" --no-such-option busybox true
exits "too little memory" --memory 1m busybox true
exits "--memory-swap without --memory" --memory-swap 64m busybox true
exits "--memory-swap below --memory" --memory 64m --memory-swap 32m busybox true
exits "too many CPUs" --cpus 1000 busybox true
exits "a CPU that is not there" --cpuset-cpus 999 busybox true
exits "an unknown capability" --cap-add NO_SUCH_CAP busybox true
exits "an unknown user" --user nobody-here busybox true
exits "a bad ulimit" --ulimit nofile=200:100 busybox true
exits "an env file that is not there" --env-file "$WORK/no-such-file" busybox true
exits "--workdir that is no path" --workdir relative busybox true
exits "a bad --memory" --memory lots busybox true
exits "a read-only root" --read-only busybox touch /file
exits "two accesses of a volume" -v "$WORK/data:/data:ro,rw" busybox true
exits "a user number out of range" -u 4294967296 busybox true
exits "negative CPU shares" --cpu-shares -3 busybox true
exits "an entrypoint" --entrypoint false busybox
exits "--pull never" --pull never busybox true
exits "an image that is not there" --pull never no-such-image:latest true

# Images go there and back: with a whiteout, an opaque directory, a hard link and a setuid bit.
dock run --name above --network none busybox sh -c 'rm -r /bin/vi /root && mkdir /root && cd /root && echo new >a && chmod 4755 a && ln a b'
dock commit -c 'ENV SAVED=yes' -c 'CMD ["sh", "-c", "exec 2>&1; echo $SAVED; ls -l /bin/vi; ls -ldn /root /root/*"]' above ship:1 >/dev/null
dock run --rm --network none ship:1 >"$WORK/docker.listed" 2>&1
dock save ship:1 | "$CTRACE" load >"$WORK/out" 2>&1
is "$(cat "$WORK/out")" "Loaded image: ship:1" "ctrace load takes what docker save writes"
"$CTRACE" run --rm --trace=none --network none ship:1 >"$WORK/ctrace.listed" 2>&1
is "$(cat "$WORK/ctrace.listed")" "$(cat "$WORK/docker.listed")" "the same files as in docker"
dock rm above >/dev/null
dock rmi ship:1 >/dev/null
"$CTRACE" save ship:1 | dock load >"$WORK/out" 2>&1
like "$(cat "$WORK/out")" 'Loaded image: ship:1$' "docker load takes what ctrace save writes"
dock run --rm --network none ship:1 >"$WORK/back.listed" 2>&1
is "$(cat "$WORK/back.listed")" "$(cat "$WORK/docker.listed")" "the same files again"

# An image without layers: nothing but what every container gets.
for layers in '[]' null; do
	printf '{"os":"linux","architecture":"amd64","config":{"Cmd":["/x"]},"rootfs":{"type":"layers"}}' >"$WORK/config.json"
	printf '[{"Config":"config.json","RepoTags":["nothing:latest"],"Layers":%s}]' "$layers" >"$WORK/manifest.json"
	tar -cf "$WORK/nothing.tar" -C "$WORK" config.json manifest.json
	is "$("$CTRACE" load -i "$WORK/nothing.tar" 2>&1)" "$(dock load -i "$WORK/nothing.tar" 2>&1)" "load of an image without layers: $layers"
done
exits "an image without layers" nothing
"$CTRACE" run --rm --trace=none --network none -v "$BUSYBOX_ROOT/bin/busybox:/busybox" nothing /busybox ls -1 / /etc >"$WORK/ctrace.listed" 2>&1
is "$(xargs <"$WORK/ctrace.listed")" "/: busybox dev etc proc sys /etc: hostname hosts resolv.conf" "what is in it, with a volume"

done_testing
