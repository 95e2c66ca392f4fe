#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# A container that lies in wait for what enters it, and programs and users that lead astray.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/escape.sh
need_root
busybox_image || skip_all "busybox (static) is not installed"
before=$(sha256sum <"$CTRACE")
all_caps='.process.capabilities |= map_values(["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_CHROOT"])'

# The binary: as program, as interpreter, and of whatever enters (CVE-2019-5736, CVE-2016-9962).
escape_bundle 'attacker steal 12' "$all_caps"
printf '#!/proc/self/exe\n' >"$B/rootfs/shebang"
chmod 755 "$B/rootfs/shebang"
attack ctrace create --bundle "$B" --pid-file "$WORK/pid" victim >"$WORK/stolen" 2>&1
check "a container that lies in wait" attack ctrace start victim
wait_for 5 attack ctrace exec victim /bin/true
for _ in $(seq 25); do
	attack ctrace exec victim /bin/true
done >/dev/null 2>&1
for program in /proc/self/exe /shebang; do
	attack ctrace exec victim "$program" >"$WORK/out" 2>&1
	# 255: the name leads nowhere yet for who joins from outside of the pid namespace
	like "$?" '^(126|255)$' "exec of $program does not run the runtime"
done
wait_for 20 process_gone "$(cat "$WORK/pid")"
like "$(cat "$WORK/stolen")" '^done$' "it looked to the end"
is "$(grep -v '^done$' "$WORK/stolen")" "" "no process that enters lends its binary, memory, root or descriptors"
is "$(sha256sum <"$CTRACE")" "$before" "the runtime's binary is as it was"
attack ctrace delete --force victim
for program in /proc/self/exe /shebang; do
	escape_config '' '.process.args = ["'$program'"]'
	attack ctrace run --bundle "$B" victim >"$WORK/out" 2>&1
	is "$?" 126 "$program as a container's program does not run the runtime"
done

# Descriptors and directories of the host (CVE-2024-21626).
escape_config 'attacker descriptors; sleep 30'
is "$(escape_config 'attacker descriptors'; attack ctrace run --bundle "$B" victim 8</ 9</etc 2>&1)" done "run leaks no descriptor"
escape_config 'sleep 60'
attack ctrace run --detach --bundle "$B" victim >/dev/null 2>&1
is "$(attack ctrace exec victim /bin/attacker descriptors 8</ 9</etc 2>&1)" done "nor does exec"
# A caller's /dev/null on 0-2 is a node of the host's, which whoever holds it could change.
mknod -m 666 "$WORK/null" c 1 3
in_null()
{
	timeout -s KILL 20 "$CTRACE" oci --root "$WORK/state" "$@" 0<>"$WORK/null" 1>&0 2>&0
}
take='for fd in 0 1 2; do at=$(stat -L -c %d:%i /proc/$$/fd/$fd); echo $at >>/seen; chmod 600 /proc/$$/fd/$fd; done; stat -c %d:%i /dev/null >>/seen'
in_null exec victim /bin/sh -c "$take"
is "$(sort -u "$B/rootfs/seen" | wc -l) $(stat -c %a "$WORK/null")" "1 666" "exec: a null device on 0-2 is the container's own"
rm "$B/rootfs/seen"
attack ctrace delete --force victim
escape_config "$take"
in_null run --bundle "$B" victim
is "$(sort -u "$B/rootfs/seen" | wc -l) $(stat -c %a "$WORK/null")" "1 666" "run: so it is there"
escape_config 'sleep 60'
attack ctrace run --detach --bundle "$B" victim >/dev/null 2>&1
got=
for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	attack ctrace exec --cwd /proc/self/fd/$fd victim /bin/ls 8</ 9</etc >>"$WORK/out" 2>&1 && got="$got $fd"
	for prefix in /proc/1/cwd/../../.. /proc/self/fd/$fd/../..; do
		# shellcheck disable=SC2094 # 8 and 9 are directories of the host, not the output
		attack ctrace exec --cwd "$prefix" victim /bin/ls / 8</ 9</etc >"$WORK/out" 2>&1 &&
			grep -q lost+found "$WORK/out" && got="$got $prefix"
	done
done
is "$got" "" "no working directory outside of the root"

# Users that are none must not become root (CVE-2026-30892).
for user in 1000: ' 1' 4294967296 4294967295 1x 0x0 -1 '' 1000:1000:1000; do
	attack ctrace exec --user "$user" victim /bin/id >"$WORK/out" 2>&1
	is "$? $(grep -c uid= "$WORK/out")" "255 0" "exec --user '$user' is refused"
done

# A cgroup outside of the container's.
outside_cgroup()
{
	mkdir -p "$(cgroup_mount pids || cgroup_mount '')/ctrace-outside"
	attack "$1" exec --cgroup "$2" victim /bin/true >"$WORK/out" 2>&1
}
on_exit remove_cgroup /ctrace-outside
for path in ../outside ../../ctrace-outside .. /../../ctrace-outside; do
	if outside_cgroup ctrace "$path"; then not_ok "exec --cgroup $path is refused"; else ok "exec --cgroup $path is refused"; fi
done

# Capabilities do not wait in inheritable sets (CVE-2022-24769).
like "$(attack ctrace exec victim /bin/grep CapInh /proc/self/status)" 'CapInh:.0000000000000000' "exec: no inheritable capability"
attack ctrace delete --force victim
export CTRACE_RUN=$WORK/run CTRACE_ROOT=$WORK/store
like "$("$CTRACE" run --trace=none --rm --network none --rootfs "$BUSYBOX_ROOT" grep CapInh /proc/self/status)" \
	'CapInh:.0000000000000000' "run: no inheritable capability"

# No control socket in the abstract namespace, which a container with the host's network shares (CVE-2020-15257).
grep -o '@.*' /proc/net/unix | sort -u >"$WORK/abstract"
"$CTRACE" run --trace=none --rm --network host --rootfs "$BUSYBOX_ROOT" \
	sh -c 'grep -o "@.*" /proc/net/unix | sort -u' >"$WORK/inside"
like "$(comm -13 "$WORK/abstract" "$WORK/inside" | grep -c ctrace)" '^0$' "no abstract socket of ctrace's"

# Ids that are paths.
for id in .. . a/b ../../etc '' .hidden "$(printf 'a\nb')" "$(printf 'x%.0s' $(seq 256))"; do
	escape_config 'echo in'
	attack ctrace run --bundle "$B" "$id" >"$WORK/out" 2>&1
	is "$? $(grep -c '^in$' "$WORK/out")" "1 0" "id '${id:0:20}' is refused"
	attack ctrace delete --force "$id" >"$WORK/out" 2>&1
	is "$?" 1 "and not deleted"
done
check "nothing is left" nothing_left
done_testing
