#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctrace oci: lifecycle, limits, hooks, exit codes, and the escapes that a runtime must withstand.
# Needs root, busybox (static) and python3; CTRACE names the binary.
set -u
CTRACE=${CTRACE:-.output/ctrace}
CTRACE=$(realpath "$CTRACE")
work=$(mktemp -d /tmp/runtime-e2e.XXXXXX)
id=rt$$
n=0
trap cleanup EXIT

cleanup() {
	local c
	for c in $("$CTRACE" oci --root "$work/state" list -q 2>/dev/null); do
		"$CTRACE" oci --root "$work/state" delete --force "$c" >/dev/null 2>&1
	done
	rm -rf --one-file-system "$work"
}

oci() { timeout -s KILL 20 "$CTRACE" oci --root "$work/state" "$@"; }

check() { # description, then a condition that has been evaluated: 0 is true
	n=$((n + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		[ -f "$work/out" ] && sed 's/^/# /' "$work/out" | head -20
	fi
}

skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

make_bundle() {
	local b=$work/b tool
	rm -rf --one-file-system "$b"
	mkdir -p "$b"/rootfs/{bin,proc,sys,dev,tmp,etc}
	cp "$(command -v busybox)" "$b/rootfs/bin/busybox"
	for tool in sh cat ls id grep sleep echo mkdir wc tr readlink mount; do
		ln -s busybox "$b/rootfs/bin/$tool"
	done
	"$CTRACE" oci spec --bundle "$b"
	mv "$b/config.json" "$b/base.json"
}

config() { # python statements on c
	python3 - "$work/b" "$@" <<'PY'
import json, sys
b = sys.argv[1]
c = json.load(open(b + "/base.json"))
c["process"]["terminal"] = False
c["root"]["readonly"] = False
for s in sys.argv[2:]:
    exec(s)
json.dump(c, open(b + "/config.json", "w"))
PY
}

shell() { # a script for the container, then statements
	local script=$1
	shift
	config "c['process']['args'] = ['/bin/sh', '-c', '''$script''']" "$@"
}

run() { oci run --bundle "$work/b" "$id" >"$work/out" 2>&1; }

left_behind() { # true when something is
	[ -n "$(ls -A "$work/state" 2>/dev/null)" ] && return 0
	ls -d /sys/fs/cgroup/*/ctrace/"$id" /sys/fs/cgroup/ctrace/"$id" >/dev/null 2>&1 && return 0
	grep -q "$work" /proc/self/mountinfo
}

make_bundle

# Lifecycle
shell 'echo hello; exit 7'
run; rc=$?
[ $rc = 7 ] && grep -qx hello "$work/out"; check "run passes output and exit code on" $?
! left_behind; check "run leaves nothing behind" $?

config "c['process']['args'] = ['/bin/sleep', '60']"
oci create --bundle "$work/b" --pid-file "$work/pid" "$id" </dev/null >"$work/out" 2>&1; check "create" $?
oci state "$id" | grep -q '"status":"created"'; check "state says created" $?
[[ "$(readlink /proc/"$(cat "$work/pid")"/exe)" == */memfd:ctrace-init* ]]; check "the pid file names init, which waits, no longer the runtime" $?
oci start "$id" >"$work/out" 2>&1; check "start" $?
! oci start "$id" >/dev/null 2>&1; check "a second start is refused" $?
oci state "$id" | grep -q '"status":"running"'; check "state says running" $?
oci exec "$id" /bin/sh -c 'grep CapInh /proc/self/status; ls /proc/self/fd | wc -l; echo $$; exit 5' >"$work/out" 2>&1
[ $? = 5 ] && grep -q 'CapInh:.0000000000000000' "$work/out" && [ "$(sed -n 2p "$work/out")" = 4 ]
check "exec: exit code, no inheritable capability, no leaked descriptor" $?
oci exec "$id" nosuch >"$work/out" 2>&1; [ $? = 255 ] && grep -q "not found" "$work/out"; check "exec of a missing program gives 255, as runc" $?
for user in 1000: ' 1' 4294967296 1x 0x0 -1; do
	! oci exec --user "$user" "$id" /bin/id >"$work/out" 2>&1; check "exec --user '$user' is refused" $?
done
oci exec --user 1000:1001 "$id" /bin/id >"$work/out" 2>&1; grep -q 'uid=1000 gid=1001' "$work/out"
check "exec --user 1000:1001" $?
oci pause "$id" && oci state "$id" | grep -q '"status":"paused"' && oci resume "$id"; check "pause, resume" $?
! oci delete "$id" >/dev/null 2>&1; check "a running container is not deleted" $?
oci kill "$id" KILL; for _ in 1 2 3 4 5 6 7 8 9 10; do
	oci state "$id" | grep -q '"status":"stopped"' && break; sleep 0.1; done
oci state "$id" | grep -q '"status":"stopped"'; check "kill" $?
oci delete "$id" >"$work/out" 2>&1; check "delete" $?
oci delete --force "$id"; check "delete --force of an unknown id is no error" $?
! oci state "$id" >/dev/null 2>&1; check "state of an unknown id is one" $?
! left_behind; check "delete leaves nothing behind" $?

# A cgroup shared with another container: a failed create, and a delete, take only their own processes
config "c['process']['args'] = ['/bin/sleep', '60']" "c['linux']['cgroupsPath'] = '/ctrace/$id-shared'"
oci run -d --bundle "$work/b" --pid-file "$work/pid" "$id" </dev/null >"$work/out" 2>&1
config "c['process']['args'] = ['/bin/sleep', '60']" "c['linux']['cgroupsPath'] = '/ctrace/$id-shared'" \
	"c['hooks'] = {'createRuntime': [{'path': '/bin/false'}]}"
! oci create --bundle "$work/b" "$id-2" </dev/null >"$work/out" 2>&1 && kill -0 "$(cat "$work/pid")" &&
	oci state "$id" | grep -q '"status":"running"'
check "a create that fails in a shared cgroup leaves the processes of others alone" $?
config "c['process']['args'] = ['/bin/sleep', '60']" "c['linux']['cgroupsPath'] = '/ctrace/$id-shared'"
oci --log "$work/log" --log-format json create --bundle "$work/b" "$id-2" </dev/null >"$work/out" 2>&1 &&
	grep -q "cgroup is not empty: 1 process" "$work/out" && grep -q '"level":"warning"' "$work/log"
check "a cgroup with processes in it is warned about" $?
oci delete --force "$id-2" >"$work/out" 2>&1 && oci state "$id" | grep -q '"status":"running"'
check "nor does delete --force take them" $?
oci delete --force "$id" >"$work/out" 2>&1 && ! ls -d /sys/fs/cgroup/*/ctrace/"$id-shared" >/dev/null 2>&1
check "the cgroup goes with its maker" $?

# Exit codes and docker's words
config "c['process']['args'] = ['nosuch']"
run; [ $? = 127 ] && grep -q 'executable file not found in $PATH' "$work/out"; check "missing program: 127" $?
config "c['process']['args'] = ['/etc']"
run; [ $? = 126 ] && grep -q 'permission denied' "$work/out"; check "a directory as program: 126" $?
config "c['process']['args'] = ['/x']"
run; [ $? = 127 ] && grep -q 'no such file or directory' "$work/out"; check "missing path: 127" $?

# Limits
shell 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max 2>/dev/null || cat memory.max pids.max' \
	"c['linux']['resources'].update({'memory': {'limit': 67108864}, 'pids': {'limit': 20}})"
run; [ "$(tr '\n' ' ' <"$work/out")" = "67108864 20 " ]; check "memory and pids limits arrive" $?
shell 'echo no' "c['linux']['resources']['cpu'] = {'quota': 5}"
! run && grep -q 'cannot write "5.*to .*cpu.*Invalid argument' "$work/out"
check "a limit that the kernel refuses names file, value and reason" $?
! left_behind; check "and leaves nothing behind" $?

# Mounts, descriptors and the rest of the process
mkdir "$work/src"; echo x >"$work/src/f"
shell 'cat /vol/f; echo y 2>/dev/null >/vol/g || echo ro; echo x 2>/dev/null >/x || echo rootro; pwd; cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward; ulimit -n; cat <&3' \
	"c['mounts'].append({'destination': '/vol', 'type': 'bind', 'source': '$work/src', 'options': ['rbind', 'ro']})" \
	"c['root']['readonly'] = True" "c['process']['cwd'] = '/new/dir'" "c['process']['oomScoreAdj'] = 500" \
	"c['linux']['sysctl'] = {'net.ipv4.ip_forward': '1'}" \
	"c['process']['rlimits'] = [{'type': 'RLIMIT_NOFILE', 'soft': 100, 'hard': 200}]"
oci run --bundle "$work/b" --preserve-fds 1 "$id" 3<"$work/src/f" >"$work/out" 2>&1
[ "$(tr '\n' ' ' <"$work/out")" = "x ro rootro /new/dir 500 1 100 x " ]
check "read-only bind and root, new working directory, sysctl, rlimit, oom score, preserved descriptor" $?
# 4 and 6 are not open: what is open arrives under its number, nothing else does, and the caller is told
# (no pipe and no directory is opened to look: they would be descriptors, too)
shell 'for n in 3 4 5 6 7; do [ ! -e /proc/1/fd/$n ] || printf "$n "; done; cat <&5'
oci run --bundle "$work/b" --preserve-fds 4 "$id" 3<"$work/src/f" 4<&- 5<"$work/src/f" 6<&- >"$work/out" 2>"$work/err"
[ "$(cat "$work/out")" = "3 5 x" ] && grep -q 'preserve-fds 4: 2 of the descriptors from 3 on are not open' "$work/err"
check "preserve-fds passes on what is open, tells what is not, and nothing of ours takes its place" $? || cat "$work/out" "$work/err"

# Hooks
shell 'cat /sc' "hook = lambda s: [{'path': '/bin/sh', 'args': ['sh', '-c', s]}]" \
	"c['hooks'] = {k: hook('echo %s >>$work/hooks; cat >>$work/hooks.state' % k) for k in ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop']}" \
	"c['hooks']['startContainer'] = hook('echo startContainer >/sc')"
run
[ "$(tr '\n' ' ' <"$work/hooks")" = "prestart createRuntime createContainer poststart poststop " ]
check "hooks run in order" $?
grep -qx startContainer "$work/out"; check "startContainer hooks run in the container" $?
grep -q "\"id\":\"$id\"" "$work/hooks.state"; check "hooks get the state" $?
shell 'echo no' "c['hooks'] = {'createRuntime': [{'path': '/bin/sleep', 'args': ['sleep', '20'], 'timeout': 1}]}"
! run && grep -q 'did not end within 1 s' "$work/out" && ! left_behind; check "a hook's timeout undoes the start" $?

# Confinement
shell 'grep -E "Cap(Inh|Amb)" /proc/self/status | grep -vc 0000000000000000; cat /proc/timer_list | wc -c; echo x 2>/dev/null >/proc/sys/kernel/core_pattern || echo ro'
run; [ "$(tr '\n' ' ' <"$work/out")" = "0 0 ro " ]; check "no inheritable capabilities, timer_list masked, /proc/sys read-only" $?
shell 'mkdir /x' "c['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['mkdir', 'mkdirat'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 122}]}"
! run && grep -qi 'quota exceeded' "$work/out"; check "seccomp (compiled or cached)" $?
! run && grep -qi 'quota exceeded' "$work/out"; check "seccomp (cached)" $?

# Escapes (launcher.md 4)
shell 'for d in /sys/fs/cgroup /sys/fs/cgroup/memory; do echo x 2>/dev/null >$d/release_agent && echo open; done; mkdir /m; mount -t cgroup -o memory none /m 2>/dev/null && echo mounted; echo end'
run; [ "$(cat "$work/out")" = end ]; check "CVE-2022-0492: no release_agent, no cgroup mount" $?

mkdir -p "$work/outside"
printf '#!/proc/self/exe\n' >"$work/b/rootfs/shebang"; chmod 755 "$work/b/rootfs/shebang"
before=$(sha256sum <"$CTRACE")
for program in /proc/self/exe /shebang; do
	config "c['process']['args'] = ['$program']"
	run; rc=$?
	[ $rc = 126 ] && [ "$before" = "$(sha256sum <"$CTRACE")" ]
	check "CVE-2019-5736: $program as program does not run the runtime" $?
done

shell 'ls /proc/self/fd | wc -l'
run 8</ 9</etc; [ "$(cat "$work/out")" = 4 ]; check "CVE-2024-21626: no descriptor leaks" $?
bad=0
for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	config "c['process']['args'] = ['/bin/ls']" "c['process']['cwd'] = '/proc/self/fd/$fd'"
	run 8</ 9</etc && bad=1
done
check "CVE-2024-21626: a working directory outside is refused" $bad

mkdir "$work/hostdev"; ln -s /etc/passwd "$work/hostdev/null"; mkdir "$work/hostdev/pts" "$work/hostdev/shm" "$work/hostdev/mqueue"
shell 'cat /proc/timer_list' \
	"c['mounts'] = [m for m in c['mounts'] if m['destination'] != '/dev']" \
	"c['mounts'].insert(1, {'destination': '/dev', 'type': 'bind', 'source': '$work/hostdev', 'options': ['rbind']})"
! run && ! grep -q root: "$work/out"; check "CVE-2025-31133: a false /dev/null masks nothing, the start fails" $?

rmdir "$work/b/rootfs/dev"; ln -s "$work/outside" "$work/b/rootfs/dev"
shell 'echo in'
run; [ -z "$(ls -A "$work/outside")" ]; check "CVE-2026-41579: /dev as a symlink reaches nothing outside" $?
rm "$work/b/rootfs/dev"; mkdir "$work/b/rootfs/dev"

ln -s "$work/outside" "$work/b/rootfs/lnk"
shell 'echo in' "c['mounts'].append({'destination': '/lnk/newdir', 'type': 'tmpfs', 'source': 'tmpfs'})"
run; [ -z "$(ls -A "$work/outside")" ]; check "CVE-2021-30465: a symlink in a mount target stays inside" $?
shell 'echo in' "c['mounts'].append({'destination': '/proc/sys', 'type': 'tmpfs', 'source': 'tmpfs'})"
! run; check "CVE-2019-19921: no mount inside of /proc" $?
rmdir "$work/b/rootfs/proc"; ln -s /tmp "$work/b/rootfs/proc"
shell 'echo in'
! run; check "CVE-2019-19921: /proc as a symlink is refused" $?
rm "$work/b/rootfs/proc"; mkdir "$work/b/rootfs/proc"
shell 'echo in' "c['linux']['sysctl'] = {'kernel.core_pattern': 'x'}"
! run; check "CVE-2025-52881: a sysctl of the host's is refused" $?
for bad in .. . a/b '' .hidden; do
	! oci run --bundle "$work/b" "$bad" >/dev/null 2>&1; check "id '$bad' is refused" $?
done
shell 'echo in' "c['linux']['cgroupsPath'] = '/ctrace/../../x'"
! run; check "cgroupsPath with .. is refused" $?
! left_behind; check "nothing is left behind after all of these" $?

# A creator that dies takes a container with it that was not started
config "c['process']['args'] = ['/bin/sleep', '61']" "c['hooks'] = {'createRuntime': [{'path': '/bin/sleep', 'args': ['sleep', '3']}]}"
"$CTRACE" oci --root "$work/state" run --bundle "$work/b" "$id" >/dev/null 2>&1 &
creator=$!
sleep 0.5; kill -KILL $creator; wait $creator 2>/dev/null
sleep 0.2
procs=$(cat /sys/fs/cgroup/*/ctrace/"$id"/cgroup.procs /sys/fs/cgroup/ctrace/"$id"/cgroup.procs 2>/dev/null)
[ -z "$procs" ]; check "init dies with its creator" $?
oci delete --force "$id" && ! left_behind; check "delete --force cleans up after it" $?
echo "1..$n"
