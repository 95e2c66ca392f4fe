#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# The default seccomp profile against docker's own, call by call: the config.json that a real dockerd hands to its
# runtime beside the one that ctrace run makes, for the default capabilities and for each that docker's profile has
# a condition on. There is no intended difference.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
need_root
need docker dockerd
docker_start || skip_all "$ENGINE_WHY"
export CTRACE_RUN=$WORK/run CTRACE_ROOT=$WORK/store
caller=$(awk '/^CapEff/ { print $2 }' /proc/self/status)

# docker_profile CAPABILITY-OPTION...: linux.seccomp of a docker container
docker_profile()
{
	local id

	id=$(dock run --detach "$@" busybox sleep 60) || return 1
	jq .linux.seccomp "$WORK/docker/exec/containerd/daemon/io.containerd.runtime.v2.task/moby/$id/config.json"
	dock rm --force "$id" >/dev/null
}

# The same of ctrace's: its bundle is there while the container runs.
ctrace_profile()
{
	local pid

	rm -f "$WORK/ctrace.json"
	"$CTRACE" run --trace=none --network none --name compare "$@" --rootfs "$BUSYBOX_ROOT" \
		sleep 60 </dev/null >"$WORK/ctrace.log" 2>&1 &
	pid=$!
	wait_for 20 copy_bundle
	stop_process "$pid" KILL
	"$CTRACE" rm --force compare >/dev/null 2>&1
	cat "$WORK/ctrace.json"
}

copy_bundle()
{
	jq -e .linux.seccomp "$CTRACE_RUN"/containers/*/config.json >"$WORK/ctrace.json"
}

holds()
{
	/usr/bin/python3 - "$caller" "$1" <<'PY'
import sys
numbers = {"SYS_ADMIN": 21, "DAC_READ_SEARCH": 2, "SYS_BOOT": 22, "SYS_CHROOT": 18, "SYS_MODULE": 16,
           "SYS_PACCT": 20, "SYS_PTRACE": 19, "SYS_RAWIO": 17, "SYS_TIME": 25, "SYS_TTY_CONFIG": 26,
           "SYS_NICE": 23, "SYSLOG": 34}
sys.exit(not int(sys.argv[1], 16) >> numbers[sys.argv[2]] & 1)
PY
}

# What each call gets: the set of its (action, errno, conditions), and what all others get.
compare()
{
	/usr/bin/python3 - "$1" "$2" <<'PY'
import json, sys

def answers(path):
    with open(path, encoding="utf-8") as f:
        profile = json.load(f)
    table = {}
    for rule in profile["syscalls"]:
        args = tuple(sorted((a["index"], a["op"], a["value"], a.get("valueTwo", 0)) for a in rule.get("args") or []))
        action = rule["action"]
        errno = rule.get("errnoRet", 1) if action == "SCMP_ACT_ERRNO" else None
        for name in rule["names"]:
            table.setdefault(name, set()).add((action, errno, args))
    for name, rules in table.items():
        # an allowance without conditions covers those with
        if ("SCMP_ACT_ALLOW", None, ()) in rules:
            table[name] = {("SCMP_ACT_ALLOW", None, ())}
    rest = (profile["defaultAction"], profile.get("defaultErrnoRet", 1), tuple(sorted(profile["architectures"])))
    return rest, table

(rest_a, a), (rest_b, b) = answers(sys.argv[1]), answers(sys.argv[2])
if rest_a != rest_b:
    print("default:", rest_a, rest_b)
for name in sorted(set(a) | set(b)):
    if a.get(name) != b.get(name):
        print("%s: docker %s, ctrace %s" % (name, a.get(name), b.get(name)))
if len(a) < 300:
    print("only %d calls in docker's profile" % len(a))
PY
}

compare_with() # WHAT OPTION...
{
	local what=$1

	shift
	docker_profile "$@" >"$WORK/docker.json" || { skip_point "$what" "docker does not start it"; return; }
	ctrace_profile "$@" >/dev/null
	is "$(compare "$WORK/docker.json" "$WORK/ctrace.json" 2>&1)" "" "$what: every call is answered alike"
}

compare_with "default capabilities"
compare_with "without SYS_CHROOT" --cap-drop SYS_CHROOT
for cap in SYS_ADMIN DAC_READ_SEARCH SYS_BOOT SYS_MODULE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_TIME SYS_TTY_CONFIG SYS_NICE SYSLOG; do
	if holds "$cap"; then
		compare_with "with $cap" --cap-add "$cap"
	else
		skip_point "with $cap" "this caller does not hold it"
	fi
done

# And in the flesh: calls that are refused, calls that are newer than the profile, and the usual.
probe='import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for name, number in (("keyctl", 250), ("mount", 165), ("clone3", 435), ("newest", 510), ("getpid", 39)):
    ctypes.set_errno(0)
    libc.syscall(number, 0, 0, 0, 0, 0)
    print(name, errno.errorcode.get(ctypes.get_errno(), 0))'
if [ "$(uname -m)" = x86_64 ]; then
	got=$("$CTRACE" run --trace=none --rm --network none --rootfs / --read-only /usr/bin/python3 -c "$probe" 2>"$WORK/err")
	is "$got" "keyctl EPERM
mount EPERM
clone3 ENOSYS
newest ENOSYS
getpid 0" "refused with EPERM, unknown with ENOSYS" || diag "$(cat "$WORK/err")"
fi

# Compiled once: the second start reads the program from the cache and libseccomp does nothing.
"$CTRACE" run --trace=none --rm --network none --rootfs "$BUSYBOX_ROOT" true
count=$(strace -f -c -E "$NO_LEAK_CHECK" -e trace=memfd_create "$CTRACE" run --trace=none --rm --network none --rootfs "$BUSYBOX_ROOT" true 2>&1 |
	awk '/memfd_create/ { print $4 }')
is "$count" 1 "a cached program is not compiled again (one memfd: the stub's)"
done_testing
