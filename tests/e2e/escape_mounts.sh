#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# Images and volumes that try to make the runtime mount, make or write something outside of the root.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/escape.sh
need_root
busybox_image || skip_all "busybox (static) is not installed"
RUNS=15
[ -z "${SOAK-}" ] || RUNS=500
outside=$WORK/outside

fresh_outside()
{
	rm -rf --one-file-system "$outside"
	mkdir -p "$outside"
}

outside_touched()
{
	[ -n "$(ls -A "$outside")" ] || grep -q " $outside" /proc/self/mountinfo
}

# /dev is a symbolic link out of the root: nodes, links and mounts of /dev must not follow it (CVE-2026-41579,
# CVE-2026-47766).
dev_link()
{
	fresh_outside
	escape_bundle 'echo in' '.mounts |= map(select(.destination | startswith("/dev") | not))'
	rmdir "$B/rootfs/dev"/* "$B/rootfs/dev" 2>/dev/null || rm -rf "$B/rootfs/dev"
	ln -s "$outside" "$B/rootfs/dev"
	attack "$1" run --bundle "$B" attack >"$WORK/out" 2>&1
	outside_touched
}
if dev_link ctrace; then not_ok "/dev as a symbolic link reaches nothing outside (CVE-2026-41579)"; else
	ok "/dev as a symbolic link reaches nothing outside (CVE-2026-41579)"; fi
for peer in $(peers); do proven "$peer" "/dev as a symbolic link" dev_link "$peer"; done

# A masked path is covered by the container's null device, which a volume has replaced by a link to what it likes: the
# core_pattern of the host, say (CVE-2025-31133).
false_null()
{
	mkdir -p "$WORK/hostdev"/{pts,shm,mqueue}
	ln -sf /etc/target "$WORK/hostdev/null"
	escape_bundle 'cat /proc/timer_list' '.linux.maskedPaths = ["/proc/timer_list"]
		| .mounts |= map(select(.destination != "/dev"))
		| .mounts |= .[:1] + [{destination: "/dev", type: "bind", source: "'"$WORK/hostdev"'", options: ["rbind"]}] + .[1:]'
	echo chosen-by-the-image >"$B/rootfs/etc/target"
	attack "$1" run --bundle "$B" attack >"$WORK/out" 2>&1
	grep -q chosen-by-the-image "$WORK/out"
}
if false_null ctrace; then not_ok "a false null device masks nothing (CVE-2025-31133)"; else
	ok "a false null device masks nothing (CVE-2025-31133)"; fi
for peer in $(peers); do proven "$peer" "a false null device" false_null "$peer"; done

# The place of a mount leads out of the root (CVE-2021-30465, CVE-2024-45310).
for where in /lnk/newdir /lnk /up/tmp/x; do
	fresh_outside
	escape_bundle 'echo in' '.mounts += [{destination: "'$where'", type: "tmpfs", source: "tmpfs"}]'
	ln -s "$outside" "$B/rootfs/lnk"
	ln -s ../../../../../../../.. "$B/rootfs/up"
	attack ctrace run --bundle "$B" attack >"$WORK/out" 2>&1
	if outside_touched; then not_ok "a mount at $where stays inside"; else ok "a mount at $where stays inside"; fi
	fresh_outside
	escape_config 'echo in' '.process.cwd = "'$where'/cwd"'
	attack ctrace run --bundle "$B" attack >"$WORK/out" 2>&1
	if outside_touched; then not_ok "a working directory $where/cwd is made inside"; else
		ok "a working directory $where/cwd is made inside"; fi
done

# The same while another container exchanges a directory of a shared volume with the link, all the time.
fresh_outside
mkdir -p "$WORK/volume/x"
ln -s "$outside" "$WORK/volume/y"
escape_bundle 'echo in' '.mounts += [
	{destination: "/vol", type: "bind", source: "'"$WORK/volume"'", options: ["rbind"]},
	{destination: "/vol/x/new/dir", type: "tmpfs", source: "tmpfs"},
	{destination: "/vol/x", type: "bind", source: "'"$BUSYBOX_ROOT/etc"'", options: ["rbind"]}]'
"$ATTACKER" swap "$WORK/volume/x" "$WORK/volume/y" 200 >/dev/null &
swapper=$!
on_exit stop_process "$swapper" KILL
started=0
for _ in $(seq $RUNS); do
	attack ctrace run --bundle "$B" race >"$WORK/out" 2>&1 && started=$((started + 1))
done
stop_process "$swapper" KILL
if outside_touched; then not_ok "a volume that changes under $RUNS starts reaches nothing outside"; else
	ok "a volume that changes under $RUNS starts reaches nothing outside"; fi
diag "$started of them started, the others refused"
check "and leaves nothing" nothing_left

# A /proc that is none: what the runtime writes goes to the kernel's, or nowhere (CVE-2025-52881, CVE-2019-16884).
echo untouched >"$WORK/victim"
mkdir -p "$WORK/fakeproc"/{self/attr/apparmor,sys/net/ipv4,1}
for file in self/attr/exec self/attr/apparmor/exec self/oom_score_adj self/timens_offsets sys/net/ipv4/ip_forward; do
	ln -s "$WORK/victim" "$WORK/fakeproc/$file"
done
escape_bundle 'echo in' '.process.oomScoreAdj = 500 | .linux.sysctl = {"net.ipv4.ip_forward": "1"}
	| .process.selinuxLabel = "x" | .linux.readonlyPaths = []
	| .mounts |= map(if .destination == "/proc" then {destination: "/proc", type: "bind", source: "'"$WORK/fakeproc"'", options: ["rbind"]} else . end)'
attack ctrace run --bundle "$B" attack >"$WORK/out" 2>&1
is "$(cat "$WORK/victim")" untouched "a /proc of an image's own is not written to"
escape_config 'echo in' '.mounts += [{destination: "/proc/self/attr", type: "tmpfs", source: "tmpfs"}]'
attack ctrace run --bundle "$B" attack >"$WORK/out" 2>&1
is "$? $(grep -c 'inside of /proc' "$WORK/out")" "1 1" "a mount inside of /proc is refused"
escape_config 'cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj' \
	'.process.oomScoreAdj = 500 | .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
is "$(attack ctrace run --bundle "$B" attack 2>&1 | tr '\n' ' ')" "1 500 " "the kernel's own is"

# Files of the image that the runtime reads may block or fill it.
escape_bundle 'echo in'
rm -f "$B/rootfs/etc/passwd" "$B/rootfs/etc/group"
mkfifo "$B/rootfs/etc/passwd" "$B/rootfs/etc/group"
is "$(attack ctrace run --bundle "$B" attack 2>&1)" in "a fifo as /etc/passwd blocks nothing"
rm -f "$B/rootfs/etc/passwd"
truncate -s 10G "$B/rootfs/etc/passwd"
is "$(attack ctrace run --bundle "$B" attack 2>&1)" in "nor do 10 GB of it"
rm -f "$B/rootfs/etc/passwd"
ln -s "$WORK/secret" "$B/rootfs/etc/passwd"
echo 'root:x:0:0::/secret-home:/bin/sh' >"$WORK/secret"
unlike "$(attack ctrace run --bundle "$B" attack 2>&1)" secret "and a link to the host's is not followed"
escape_config 'echo "home $HOME"'
is "$(attack ctrace run --bundle "$B" attack 2>&1)" "home /" "not for the home directory either"

# The container's own cgroups are read-only, and no new ones can be mounted (CVE-2022-0492).
escape_bundle 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do echo x 2>/dev/null >$d/release_agent && echo open; done
	mkdir /m; mount -t cgroup -o memory none /m 2>/dev/null && echo mounted; mount -t cgroup2 none /m 2>/dev/null && echo mounted
	echo end' '.process.capabilities |= map_values(. - ["CAP_SYS_ADMIN"])'
is "$(attack ctrace run --bundle "$B" attack 2>&1)" end "no release_agent, no cgroup mount (CVE-2022-0492)"
check "nothing is left" nothing_left
done_testing
