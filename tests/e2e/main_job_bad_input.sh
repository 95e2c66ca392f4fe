#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# Bad input: each gives a clear error that names the object, the right exit code, and leaves nothing behind.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_root
need_ctrace run pull
busybox_image || skip_all "no busybox image"
export CTRACE_NO_FALLBACK=1 CTRACE_STALL_SECONDS=2
port=$(free_port)
export CTRACE_REGISTRY_MIRROR=http://127.0.0.1:$port

# What is on the host now, and must be so after each case.
host_state()
{
	cut -d' ' -f5 /proc/self/mountinfo | grep -F "$WORK" | sort
	find /sys/fs/cgroup -type d -path '*ctrace/*' | sort
	ls "$CTRACE_ROOT/tmp" "$CTRACE_ROOT/containers" 2>/dev/null
	ls /sys/class/net | grep -E '^veth[0-9a-f]{10}$' # ctrace's own: docker's have seven digits
}

# refused CODE REGEX WHAT COMMAND...: the command ends with the code and an error that matches.
refused()
{
	local wanted=$1 regex=$2 what=$3 before code

	shift 3
	before=$(host_state)
	timeout 60 "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
	code=$?
	is "$code" "$wanted" "$what: exit code"
	like "$(cat "$WORK/err")" "$regex" "$what: the error names it"
	unlike "$(cat "$WORK/err")" 'Sanitizer|Assertion|Segmentation' "$what: it did not crash"
	settled "$before"
	is "$(added "$before")" "" "$what: nothing is left behind"
}

# What is on the host now and was not before. What has gone meanwhile was left by nobody: a veth of an earlier
# container dies a moment after it.
added()
{
	comm -13 <(sort <<< "$1") <(host_state | sort)
}

nothing_added()
{
	[ -z "$(added "$1")" ]
}

# settled BEFORE: gives what goes asynchronously its time.
settled()
{
	wait_for 5 nothing_added "$1"
}


local_image=oci:$BUSYBOX_OCI
"$CTRACE" run --rm --trace=none "$local_image" true >"$WORK/out" 2>&1
is $? 0 "the image that the cases use is good"
[ "$tap_failed" = 0 ] || diag "$(cat "$WORK/out")"

refused 125 "127.0.0.1:$port|nosuchimage" "unreachable registry" "$CTRACE" run --rm --trace=none nosuchimage true
refused 125 'UPPER|lower' "invalid reference" "$CTRACE" run --rm --trace=none UPPER/case true
refused 125 'no-such-option' "unknown option" "$CTRACE" run --no-such-option "$local_image"
refused 1 'image|IMAGE|Usage' "no image at all" "$CTRACE" run --rm
refused 127 'no-such-program' "missing entrypoint" "$CTRACE" run --rm --trace=none --entrypoint /no-such-program "$local_image"
refused 125 'nosuchuser' "no such user" "$CTRACE" run --rm --trace=none -u nosuchuser "$local_image" true
refused 125 'memory|6' "a limit below what is accepted" "$CTRACE" run --rm --trace=none --memory 1m "$local_image" true
refused 125 'memory|12q' "a limit that is no number" "$CTRACE" run --rm --trace=none --memory 12q "$local_image" true
refused 125 'CPU' "more cpus than there are" "$CTRACE" run --rm --trace=none --cpus 100000 "$local_image" true
refused 125 'no-such-layout' "a layout that is not there" "$CTRACE" run --rm --trace=none "oci:$WORK/no-such-layout" true
refused 125 'no-bundle' "a bundle that is not there" "$CTRACE" run --trace=none --bundle "$WORK/no-bundle"
mkdir -p "$WORK/badbundle/rootfs"
echo '{"ociVersion": "1.0.2", "process": {' >"$WORK/badbundle/config.json"
refused 125 'config.json' "a bundle that cannot be read" "$CTRACE" run --trace=none --bundle "$WORK/badbundle"
echo 'not a tar' >"$WORK/bad.tar"
refused 125 'bad.tar' "an archive that is none" "$CTRACE" run --trace=none "docker-archive:$WORK/bad.tar"

# Images that lie or attack, made as layouts.
/usr/bin/python3 "$LIB/bad_images.py" "$BUSYBOX_OCI" "$WORK/bad" "$WORK/victim"
bad()
{
	# a store of its own: a layer that is there already is not read again
	refused 125 "$2" "$3" env CTRACE_ROOT="$WORK/bad-root" "$CTRACE" run --rm --trace=none "oci:$WORK/bad/$1" true
	is "$(cat "$WORK/victim/file" 2>&1; ls "$WORK/victim")" "$victim" "$3: no file outside is touched"
}
victim=$(cat "$WORK/victim/file"; ls "$WORK/victim")
bad wrong-digest 'sha256|digest' "a blob with another digest"
bad truncated 'sha256|size|truncat|short' "a truncated layer"
bad corrupt-gzip 'gzip|sha256|decompress|inflate|damaged|corrupt' "a corrupt gzip stream"
bad wrong-diff-id 'diff_id|sha256|digest' "a layer that is not its diff_id"
bad no-layer 'sha256|missing|No such file' "a layer that is missing"

# A name that climbs out of the root: refused, or kept inside. Either way nothing outside changes.
for name in dotdot absolute-symlink relative-symlink hardlink-out whiteout-dotdot; do
	before=$(host_state)
	CTRACE_ROOT=$WORK/bad-root timeout 60 "$CTRACE" run --rm --trace=none "oci:$WORK/bad/$name" true >"$WORK/out" 2>"$WORK/err"
	code=$?
	[ "$code" = 125 ] || [ "$code" = 0 ] && ok "layer with $name: ends with $code" || not_ok "layer with $name: exit code $code"
	[ "$code" = 0 ] || like "$(cat "$WORK/err")" '.' "layer with $name: says why"
	is "$(cat "$WORK/victim/file" 2>&1; ls "$WORK/victim")" "$victim" "layer with $name: no file outside is touched"
	settled "$before"
	is "$(added "$before")" "" "layer with $name: nothing is left behind"
done

# A disk that is full.
mkdir "$WORK/small"
mount -t tmpfs -o size=1m none "$WORK/small"
on_exit umount "$WORK/small"
CTRACE_ROOT=$WORK/small/root timeout 60 "$CTRACE" run --rm --trace=none "$local_image" true >"$WORK/out" 2>"$WORK/err"
is $? 125 "no space left: exit code"
like "$(cat "$WORK/err")" 'space' "no space left: it says so"
is "$(find "$WORK/small" -type f -size +0 -path '*layers*' | head -n 3)" "" "no space left: no half layer remains"
is "$(find "$WORK/small" -path '*/root/tmp/*' | head -n 3)" "" "no space left: no temporary file remains"

# A root that is no mount point cannot be made private.
mkdir "$WORK/chroot"
cat >"$WORK/in-chroot" <<'SCRIPT'
for dir in usr bin sbin lib lib64 etc dev sys proc run tmp; do
	[ ! -d "/$dir" ] || { mkdir -p "$1/$dir" && mount --rbind "/$dir" "$1/$dir"; } || exit 1
done
mkdir -p "$1/ctrace" && mount --bind "$2" "$1/ctrace" || exit 1
shift 2
exec chroot "$WORK/chroot" /ctrace/ctrace "$@"
SCRIPT
export WORK
refused 125 'in a chroot' "in a chroot" unshare --mount sh "$WORK/in-chroot" "$WORK/chroot" "$(realpath "$CTRACE_OUTPUT")" \
	run --rm --trace=none --network none "$local_image" true

# Registries that answer badly.
if have docker-registry && registry_start; then
	export CTRACE_REGISTRY_MIRROR=http://$REGISTRY
	refused 125 'nosuchimage' "unknown image" "$CTRACE" run --rm --trace=none nosuchimage true
else
	skip_point "unknown image" "docker-registry is not installed"
fi
stall_port=$(free_port)
/usr/bin/python3 -c 'import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(8)
time.sleep(300)' "$stall_port" &
stall=$!
on_exit stop_process "$stall"
export CTRACE_REGISTRY_MIRROR=http://127.0.0.1:$stall_port
start=$SECONDS
refused 125 "127.0.0.1:$stall_port|stall|time" "a registry that stalls" "$CTRACE" run --rm --trace=none busybox true
[ $((SECONDS - start)) -lt 50 ] && ok "and it is given up" || not_ok "and it is given up"

done_testing
