#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctrace run: docker's semantics and exit codes, and nothing left behind whatever fails.
set -u
CTRACE=${CTRACE:?}
work=$(mktemp -d /tmp/ctrace-run-e2e.XXXXXX)
export CTRACE_ROOT=$work/store CTRACE_RUN=$work/run
n=0
pids=()

cleanup() {
	local p

	for p in "${pids[@]}"; do kill -KILL "$p" 2>/dev/null; done
	wait 2>/dev/null
	"$CTRACE" run --rm --trace=none --network none --rootfs "$work/root" true >/dev/null 2>&1
	awk -v d="$work/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | tac |
		xargs -r -n1 umount -l
	rm -rf --one-file-system "$work"
}
trap cleanup EXIT

ok() { # ok STATUS WHAT [DETAIL]
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		[ -n "${3:-}" ] && sed 's/^/# /' <<<"$3"
	fi
}

is() { # is WHAT WANTED GOT
	[ "$2" = "$3" ]
	ok $? "$1" "wanted: $2
got: $3"
}

# A registered container is named by its id in every place that a run may leave something in.
things() {
	ls "$work/run/containers" "$work/run/names" "$work/run/oci" "$work/store/containers" \
		"$work/store/holds/"* 2>/dev/null | grep -E '[0-9a-z]' | grep -v ':$'
	grep -F "$work/store" /proc/self/mountinfo
	for id in $(cat "$work/ids" 2>/dev/null); do
		find /sys/fs/cgroup -type d -name "$id" 2>/dev/null
	done
}

run() { # output in $out, exit code in $code
	out=$("$CTRACE" run --rm --trace=none "$@" 2>&1 </dev/null)
	code=$?
}

fails() { # fails WHAT CODE TEXT ARGUMENTS...
	local what=$1 wanted=$2 text=$3

	shift 3
	run "$@"
	[ "$code" = "$wanted" ] && grep -qF -- "$text" <<<"$out"
	ok $? "$what: exit code $wanted and a clear error" "code $code: $out"
	is "$what: nothing is left" "" "$(things)"
}

make_root() {
	mkdir -p "$work/root"/{bin,etc,tmp}
	cp /bin/busybox "$work/root/bin/busybox"
	for applet in sh cat id ls true false kill sleep echo hostname env grep ping ip ps stat mount \
		touch head wc readlink pwd sed; do
		ln -sf busybox "$work/root/bin/$applet"
	done
	printf 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n' >"$work/root/etc/passwd"
	printf 'root:x:0:\nvideo:x:44:app\n' >"$work/root/etc/group"
	echo '#!/bin/nosuch' >"$work/root/bin/badinterpreter"
	chmod 755 "$work/root/bin/badinterpreter"
}

make_root
R=(--network none --rootfs "$work/root")

# ---- exit codes ----
run "${R[@]}" sh -c 'exit 7'; is "the exit code is the program's" 7 "$code"
run --init "${R[@]}" sh -c 'kill -TERM $$'
if grep -q 'no static init' <<<"$out"; then
	n=$((n + 1)); echo "ok $n - 128 + signal # SKIP $out"
else
	is "128 + signal" 143 "$code"
fi
run "${R[@]}" sh -c 'kill -9 $$'; is "pid 1 does not hear its own KILL" 0 "$code"
fails "a missing program" 127 'executable file not found in $PATH' "${R[@]}" nosuch
fails "a program that is not executable" 126 'permission denied' "${R[@]}" /etc/passwd
fails "a directory as program" 126 '' "${R[@]}" /etc
fails "a missing interpreter" 127 'no such file or directory' "${R[@]}" badinterpreter
fails "an unknown user" 125 'unable to find user ghost: no matching entries in passwd file' \
	-u ghost "${R[@]}" true
fails "an unknown group" 125 'unable to find group ghosts' --group-add ghosts "${R[@]}" true
fails "no command" 125 'No command specified' "${R[@]}"
fails "an unknown option" 125 'unknown flag: --frobnicate' --frobnicate "${R[@]}" true
fails "docker's option that is missing here" 125 '--gpus is not supported' --gpus all x
fails "a limit that is too low" 125 'Minimum memory limit allowed is 6MB' -m 1m "${R[@]}" true
fails "a missing root" 125 '/nonexistent' --rootfs /nonexistent true
fails "a root that is a file" 125 'Not a directory' --rootfs /etc/passwd true
fails "a missing bundle" 125 '/nonexistent' --bundle /nonexistent
fails "an image that is never pulled" 125 'No such image: nosuch' --pull=never nosuch
fails "a device that does not exist" 125 '/dev/nosuch' --device /dev/nosuch "${R[@]}" true
fails "a seccomp profile that is no JSON" 125 'seccomp profile' \
	--security-opt seccomp=/etc/passwd "${R[@]}" true
run -it "${R[@]}" true; is "-it without a terminal" "1 ctrace run: the input device is not a TTY" "$code $out"

# ---- what is inside ----
run "${R[@]}" sh -c 'id; pwd; hostname | wc -c; env | grep -c PATH=; ls /proc/self/fd | wc -l'
is "root, /, a 12 digit host name, PATH, no leaked descriptors" "uid=0(root) gid=0(root) groups=0(root)
/
13
1
4" "$out"
run -u app -w /made/here -e A=1 --hostname box --group-add 7 "${R[@]}" \
	sh -c 'id; pwd; hostname; cat /etc/hostname; echo $A $HOME'
is "user, groups, working directory, host name, environment" \
	"uid=1000(app) gid=1001 groups=7,44(video),1001
/made/here
box
box
1 /home/app" "$out"
run "${R[@]}" grep -E 'Cap(Inh|Eff|Bnd|Amb)|NoNewPrivs|Seccomp:' /proc/self/status
is "docker's capabilities and a seccomp filter" "CapInh:	0000000000000000
CapEff:	00000000a80425fb
CapBnd:	00000000a80425fb
CapAmb:	0000000000000000
NoNewPrivs:	0
Seccomp:	2" "$out"
run --cap-drop all --cap-add net_raw --security-opt no-new-privileges \
	--security-opt seccomp=unconfined "${R[@]}" grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status
is "capabilities, no_new_privs and seccomp as asked" "CapEff:	0000000000002000
NoNewPrivs:	1
Seccomp:	0" "$out"
run "${R[@]}" mount -t tmpfs x /tmp; [ "$code" != 0 ]; ok $? "mount is refused" "$out"
run --read-only --tmpfs /tmp:size=1m "${R[@]}" sh -c 'touch /x; touch /tmp/y && echo written'
grep -q 'Read-only' <<<"$out" && grep -q written <<<"$out"
ok $? "--read-only, and --tmpfs is writable" "$out"
mkdir "$work/vol"; echo v >"$work/vol/f"
run -v "$work/vol:/vol:ro" "${R[@]}" sh -c 'cat /vol/f; touch /vol/g'
grep -q '^v$' <<<"$out" && grep -q 'Read-only' <<<"$out"
ok $? "-v SRC:DST:ro" "$out"
run -v "$work/new/dir:/n" "${R[@]}" touch /n/made
[ -e "$work/new/dir/made" ]; ok $? "-v makes a missing source, and writes reach the host" "$out"
run "${R[@]}" sh -c 'touch /made'; [ ! -e "$work/root/made" ] && [ ! -e "$work/root/etc/hosts" ]
ok $? "--rootfs is never changed" "$(ls "$work/root" "$work/root/etc")"
printf '#c\nX="q"\n' >"$work/env"
run --env-file "$work/env" "${R[@]}" sh -c 'echo $X'; is "--env-file keeps quotes" '"q"' "$out"
run --ulimit nofile=100:200 "${R[@]}" sh -c 'ulimit -n; ulimit -Hn'; is "--ulimit" "100
200" "$out"
run --shm-size 1m "${R[@]}" sh -c 'grep " /dev/shm " /proc/mounts | grep -c size=1024k'
is "--shm-size" 1 "$out"
run --entrypoint echo "${R[@]}" hello; is "--entrypoint" hello "$out"
is "stdin with -i" hi "$(echo hi | "$CTRACE" run --rm --trace=none -i "${R[@]}" cat)"
is "no stdin without -i" "" "$(echo hi | "$CTRACE" run --rm --trace=none "${R[@]}" cat)"
is "a terminal with -t" "/dev/pts/0" "$("$CTRACE" run --rm --trace=none -t "${R[@]}" readlink /proc/self/fd/0 </dev/null | head -1 | tr -d '\r')"

# ---- limits ----
if [ -d /sys/fs/cgroup/memory ]; then
	run -m 256m --memory-reservation 100m --cpus 0.5 -c 512 --pids-limit 20 --cpuset-cpus 0 "${R[@]}" \
		sh -c 'cd /sys/fs/cgroup && cat memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes \
		memory/memory.soft_limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.shares pids/pids.max \
		cpuset/cpuset.cpus' # what docker writes on v1
	is "limits reach the cgroup" "268435456
536870912
104857600
50000
512
20
0" "$out"
fi

# ---- network ----
run "${R[@]}" sh -c 'ip -o link | wc -l; ip -o addr show lo | grep -c 127.0.0.1'
is "--network none: lo, and it is up" "1
1" "$out"
run --network host --rootfs "$work/root" hostname; is "--network host: the host's name" "$(hostname)" "$out"
run --rootfs "$work/root" sh -c 'ip -o -4 addr show eth0 | grep -c inet; ip route | grep -c default;
	grep -c "$HOSTNAME" /etc/hosts; ping -c1 -w2 $(ip route | sed -n "s/default via \([^ ]*\).*/\1/p") >/dev/null && echo reached'
is "bridge: address, default route, /etc/hosts, the gateway answers" "1
1
1
reached" "$out"

# ---- names, signals, killed supervisors ----
"$CTRACE" run --rm --trace=none --name one "${R[@]}" --init sleep 60 >/dev/null 2>&1 &
pids+=($!)
for _ in $(seq 50); do [ -e "$work/run/names/one" ] && break; sleep 0.05; done
sleep 0.3
run --name one "${R[@]}" true
[ "$code" = 125 ] && grep -q 'Conflict. The container name "/one" is already in use' <<<"$out"
ok $? "a name that is taken: 125" "$code: $out"
kill -TERM "${pids[0]}"; wait "${pids[0]}"; is "TERM is forwarded" 143 "$?"
is "nothing is left after the signal" "" "$(things)"
"$CTRACE" run --rm --trace=none --name two "${R[@]}" sleep 60 >/dev/null 2>&1 &
victim=$!
for _ in $(seq 50); do [ -e "$work/run/names/two" ] && break; sleep 0.05; done
sleep 0.3
ls "$work/run/containers" >"$work/ids"
kill -KILL $victim; wait $victim 2>/dev/null
[ -n "$(things)" ]; ok $? "a killed ctrace leaves its container behind"
run --name two "${R[@]}" true; is "... and the next one gets its name" 0 "$code"
is "... and everything else is removed" "" "$(things)"

# ---- no space ----
mkdir "$work/small"
mount -t tmpfs -o size=1m,nr_inodes=40 none "$work/small"
export CTRACE_ROOT=$work/small/store
run "${R[@]}" true
is "a small store is enough" 0 "$code"
i=0
while touch "$work/small/$i" 2>/dev/null; do i=$((i + 1)); done
for spare in 0 1 2 3 4; do # the next thing that is made finds no room
	[ $spare -gt 0 ] && rm "$work/small/$spare"
	run "${R[@]}" true
	[ "$code" = 125 ] && grep -qi 'no space' <<<"$out"
	ok $? "no space left, $spare files before: 125" "$code: $out"
	is "... and nothing is registered" "" \
		"$(ls "$work/run/containers" "$work/run/names" "$CTRACE_ROOT/containers" | grep '^[^/]')"
done
export CTRACE_ROOT=$work/store

# ---- several at once ----
for i in 1 2 3 4 5 6 7 8; do
	"$CTRACE" run --rm --trace=none "${R[@]}" sh -c "exit $i" >/dev/null 2>&1 &
	pids[i]=$!
done
codes=
for i in 1 2 3 4 5 6 7 8; do wait "${pids[i]}"; codes+="$? "; done
is "eight at once" "1 2 3 4 5 6 7 8 " "$codes"
is "nothing is left at the end" "" "$(things)"
echo "1..$n"
