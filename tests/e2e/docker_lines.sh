#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 1200
# The options of run and create in many forms, to docker and to ctrace alike: tests/lib/docker_lines.sh. What a container
# finds inside is compared by run_against_docker.sh. Every fourth of them; FULL=1: all.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/docker_lines.sh
need_root
lines_start
LINES_EACH=4

# ---- the environment ----
export SET_HERE=mine
unset NOT_SET_HERE
both "${run[@]}" -e A=1 -e B= -e SET_HERE -e NOT_SET_HERE "${box[@]}" 'echo "$A,$B,$SET_HERE,${NOT_SET_HERE-unset}"'
both "${run[@]}" -e 'A="x  y"' -e "B='q'" -e 'C=$HOME' -e 'A B=1' busybox sh -c 'env | sort'
both "${run[@]}" -e HOME=/x -e PATH=/bin -e HOSTNAME=h "${box[@]}" 'echo $HOME $PATH $HOSTNAME'
both "${run[@]}" -eA=1 --env=B=2 -e C=a=b=c "${box[@]}" 'echo $A$B$C'
refused '=x' "${run[@]}" -e =x busybox true
refused 'invalid environment variable' "${run[@]}" -e '' busybox true
printf '# comment\n  LEAD=1\nTRAIL=2  \n\tTAB=3\nQ="quoted"\nS=a # no comment\nEMPTY=\nSET_HERE\nNOT_SET_HERE\nCR=x\r\nEND=no newline' >odd.env
both "${run[@]}" --env-file odd.env busybox sh -c 'env | sort'
printf 'A B=1\n' >blank.env
refused "A B" "${run[@]}" --env-file blank.env busybox true
printf '=x\n' >noname.env
refused "=x" "${run[@]}" --env-file noname.env busybox true
refused nosuch.env "${run[@]}" --env-file nosuch.env busybox true
refused "$WORK/docker" "${run[@]}" --env-file "$WORK/docker" busybox true
printf 'A=file\n' >a.env
both "${run[@]}" -e A=option --env-file a.env "${box[@]}" 'echo $A'

# ---- working directory, user, entrypoint ----
both "${run[@]}" -w /made/for/it busybox pwd
both "${run[@]}" -w '' busybox pwd
both "${run[@]}" -w /a/../b//c busybox pwd
refused relative "${run[@]}" -w relative busybox pwd
refused /etc/passwd "${run[@]}" -w /etc/passwd busybox pwd
for user in 1000 1000:50 root root:root 0 :5 ''; do
	both "${run[@]}" -u "$user" "${box[@]}" 'id -u; id -g'
done
refused nobody-here "${run[@]}" -u nobody-here busybox true
refused nogroup-here "${run[@]}" -u root:nogroup-here busybox true
for user in -1 4294967296 0x10; do
	refused "" "${run[@]}" -u "$user" busybox true
done
# what is not USER[:GROUP] is a mistake, and was a way in once (CVE-2026-30892)
for user in root: 1:2:3; do
	meant 0 125 "${run[@]}" -u "$user" busybox true
done
both "${run[@]}" --entrypoint echo busybox hello
both "${run[@]}" --entrypoint '' busybox echo hello
refused 'no command specified' "${run[@]}" --entrypoint '' busybox
refused 'echo hello' "${run[@]}" --entrypoint 'echo hello' busybox

# ---- volumes ----
mkdir -p data/sub
echo text >data/file
for volume in "$WORK/data:/v" "./data:/v" "$WORK/data:/v:ro" "$WORK/data:/v:z" "$WORK/data:/v:ro,z" "$WORK/data/:/v/" named:/v named:/v:ro /v "$WORK/made:/v" \
	"$WORK/data/file:/etc/hostname"; do
	both "${run[@]}" -v "$volume" "${box[@]}" 'ls /v; cat /v/file /etc/hostname 2>/dev/null; touch /v/new 2>/dev/null; echo $?; rm -f /v/new'
done
refused data/sub "${run[@]}" -v data/sub:/v busybox true
refused invalid "${run[@]}" -v "$WORK/data:/v:foo" busybox true
refused relative "${run[@]}" -v "$WORK/data:relative" busybox true
refused "'/'" "${run[@]}" -v "$WORK/data:/" busybox true
refused "$WORK/data:" "${run[@]}" -v "$WORK/data:" busybox true
refused ":/v" "${run[@]}" -v ":/v" busybox true
refused /v "${run[@]}" -v "$WORK/data:/v" -v named:/v busybox true
refused "a:b:c:d" "${run[@]}" -v "a:b:c:d" busybox true
refused "ro,rw" "${run[@]}" -v "$WORK/data:/v:ro,rw" busybox true
refused "" "${run[@]}" -v '' busybox true
refused /etc/passwd "${run[@]}" -v "$WORK/data:/etc/passwd" busybox true
refused "bad name" "${run[@]}" -v "bad name:/v" busybox true

for mount in "type=bind,src=$WORK/data,dst=/v" "type=bind,source=$WORK/data,target=/v,readonly" "type=bind,source=$WORK/data,destination=/v,ro=true" \
	"type=volume,src=named,dst=/v" "src=named,dst=/v" "dst=/v" "type=tmpfs,dst=/v" "type=tmpfs,dst=/v,tmpfs-size=1m,tmpfs-mode=700" \
	"type=bind,src=$WORK/data,dst=/v,readonly=false" "type=bind,src=./data,dst=/v"; do
	both "${run[@]}" --mount "$mount" "${box[@]}" 'ls /v; touch /v/new 2>/dev/null; echo $?; rm -f /v/new; stat -c %a /v'
done
refused nosuchdir "${run[@]}" --mount "type=bind,src=$WORK/nosuchdir,dst=/v" busybox true
refused target "${run[@]}" --mount "type=bind,src=$WORK/data" busybox true
refused nosuchtype "${run[@]}" --mount "type=nosuchtype,src=$WORK/data,dst=/v" busybox true
refused nosuchkey "${run[@]}" --mount "type=bind,src=$WORK/data,dst=/v,nosuchkey=1" busybox true
refused nosuchvalue "${run[@]}" --mount "type=bind,src=$WORK/data,dst=/v,readonly=nosuchvalue" busybox true
refused "" "${run[@]}" --mount "type=bind,dst=/v" busybox true
refused relative "${run[@]}" --mount "type=bind,src=$WORK/data,dst=relative" busybox true
refused source "${run[@]}" --mount "type=tmpfs,src=/a,dst=/v" busybox true
refused tmpfs-size "${run[@]}" --mount "type=tmpfs,dst=/v,tmpfs-size=lots" busybox true
refused tmpfs-mode "${run[@]}" --mount "type=tmpfs,dst=/v,tmpfs-mode=9" busybox true
refused volume "${run[@]}" --mount "type=bind,src=$WORK/data,dst=/v,volume-nocopy" busybox true
refused tmpfs "${run[@]}" --mount "type=bind,src=$WORK/data,dst=/v,tmpfs-size=1m" busybox true
refused '' "${run[@]}" --mount '' busybox true
refused justaword "${run[@]}" --mount justaword busybox true

for tmpfs in /t /t:size=1m /t:mode=700,uid=5 /t:ro /t:exec,nosuid /t:size=10% /t:nr_inodes=1k,noatime; do
	both "${run[@]}" --tmpfs "$tmpfs" "${box[@]}" 'stat -c "%a %u" /t; touch /t/new 2>/dev/null; echo $?; grep " /t " /proc/mounts | tr , "\n" | sort'
done
refused foo "${run[@]}" --tmpfs /t:foo busybox true
refused bar "${run[@]}" --tmpfs /t:size=1m,bar=1 busybox true
refused relative "${run[@]}" --tmpfs relative busybox true
refused "" "${run[@]}" --tmpfs / busybox true
refused "" "${run[@]}" --tmpfs /t:size=lots busybox true

# ---- limits ----
for limit in nofile=100 nofile=100:200 core=0 stack=4194304 cpu=100:200; do
	both "${run[@]}" --ulimit "$limit" "${box[@]}" 'cat /proc/self/limits'
done
for limit in nofile=200:100 nosuchlimit=1 nofile nofile=a nofile=1:2:3 ''; do
	refused "$limit" "${run[@]}" --ulimit "$limit" busybox true
done
memory='cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null'
for size in 6m 6291456 1.5g 64M 64mb 64MiB 0 10000k '64 m'; do
	both "${run[@]}" --memory "$size" "${box[@]}" "$memory"
done
refused 6MB "${run[@]}" -m 512 busybox true
refused 6MB "${run[@]}" -m 6291455 busybox true
for size in -1 bad 1x '' 64mm; do
	refused "invalid" "${run[@]}" --memory "$size" busybox true
done
cpus='cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null'
for n in 0.5 .5 1 1.50 0; do
	both "${run[@]}" --cpus "$n" "${box[@]}" "$cpus"
done
for n in -1 1000; do
	refused "Range of CPUs" "${run[@]}" --cpus "$n" busybox true
done
refused "x" "${run[@]}" --cpus x busybox true
refused "CPU" "${run[@]}" --cpus 0.5 --cpu-quota 10000 busybox true
refused "period" "${run[@]}" --cpu-period 10 busybox true
refused "quota" "${run[@]}" --cpu-quota 10 busybox true
both "${run[@]}" --cpuset-cpus 0 "${box[@]}" 'grep Cpus_allowed_list /proc/self/status'
for list in 99 x 1-0 0-; do
	refused "$list" "${run[@]}" --cpuset-cpus "$list" busybox true
done
pids='cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null'
for n in 0 -1 10; do
	both "${run[@]}" --pids-limit "$n" "${box[@]}" "$pids"
done
refused x "${run[@]}" --pids-limit x busybox true
both "${run[@]}" --cpu-shares 0 busybox true
refused "-1" "${run[@]}" --blkio-weight -1 busybox true
refused "101" "${run[@]}" --memory-swappiness 101 busybox true
refused "1001" "${run[@]}" --oom-score-adj 1001 busybox true
refused "x" "${run[@]}" --shm-size x busybox true
both "${run[@]}" --shm-size 1m "${box[@]}" 'df -k /dev/shm | tail -n 1 | awk "{ print \$2 }"'

# ---- names, hosts ----
both "${run[@]}" --add-host a:1.2.3.4 --add-host b:::1 --add-host c=5.6.7.8 "${box[@]}" 'grep -v "localhost\|ip6\|$(hostname)" /etc/hosts'
refused "1.2.3" "${run[@]}" --add-host a:1.2.3 busybox true
refused "a" "${run[@]}" --add-host a busybox true
both "${run[@]}" --dns 1.2.3.4 --dns 5.6.7.8 --dns-search x.y --dns-opt ndots:3 "${box[@]}" 'grep -v "^#" /etc/resolv.conf | grep .'
refused bad "${run[@]}" --dns bad busybox true
refused "" "${run[@]}" --dns '' busybox true
both "${run[@]}" --dns-search . "${box[@]}" 'grep -c search /etc/resolv.conf'
both "${run[@]}" -h web.example.org "${box[@]}" 'hostname; cat /etc/hostname'
both "${run[@]}" -h a_b "${box[@]}" 'hostname'
both "${run[@]}" -h "$(printf 'a%.0s' {1..64})" "${box[@]}" 'hostname'
refused hostname "${run[@]}" -h "$(printf 'a%.0s' {1..65})" busybox true
# it goes into /etc/hosts
meant 0 125 "${run[@]}" -h 'a b' busybox true
for name in 'a b' -x a '' x/y; do
	[ -z "$name" ] || refused "$name" "${run[@]}" --name "$name" busybox true
done
LINES_EACH=1 # each needs the one before
both create --name used --network none busybox true
refused used create --name used --network none busybox true
refused used "${run[@]}" --name used busybox true
both rm used
both "${run[@]}" -l a -l b=c -l d= --label e=f=g busybox true
both create --name labelled --network none -l a -l b=c -l d= --label e=f=g busybox true
both inspect -f '{{json .Config.Labels}}' labelled
both ps -a --filter label=b=c --format '{{.Names}} {{.Label "e"}}'
both rm labelled
LINES_EACH=4

# ---- security ----
capabilities='grep "^Cap\|^NoNewPrivs\|^Seccomp:" /proc/self/status'
for option in --cap-add=NET_ADMIN --cap-add=cap_net_admin --cap-add=net_admin --cap-drop=ALL --cap-drop=chown --security-opt=no-new-privileges \
	--security-opt=no-new-privileges:true --security-opt=no-new-privileges=false --security-opt=seccomp=unconfined --security-opt=apparmor=unconfined \
	--security-opt=label=disable; do
	both "${run[@]}" "$option" "${box[@]}" "$capabilities"
done
refused NOSUCH "${run[@]}" --cap-add NOSUCH busybox true
refused NOSUCH "${run[@]}" --cap-drop NOSUCH busybox true
refused nosuchopt "${run[@]}" --security-opt nosuchopt busybox true
refused nosuchopt "${run[@]}" --security-opt nosuchopt=1 busybox true
refused nosuchfile "${run[@]}" --security-opt seccomp=nosuchfile busybox true
refused nosuchvalue "${run[@]}" --security-opt no-new-privileges=nosuchvalue busybox true
both "${run[@]}" --device /dev/null:/dev/x:rwm "${box[@]}" 'stat -c "%t %T %a" /dev/x'
both "${run[@]}" --device /dev/null:r "${box[@]}" 'ls -l /dev/null | cut -c 1'
refused invalidmode "${run[@]}" --device /dev/null:/dev/x:invalidmode busybox true
refused null "${run[@]}" --device null busybox true
# docker takes "no such file" in the message for that of a program
meant 127 125 "${run[@]}" --sysctl net.nosuch=1 busybox true
refused kernel.nosuch "${run[@]}" --sysctl kernel.nosuch=1 busybox true
refused nosuchvalue "${run[@]}" --privileged=nosuchvalue busybox true

# ---- restart, signals ----
for policy in nosuch unless-stopped:3 on-failure:x on-failure:-1 always:1; do
	refused "" run --network none --restart "$policy" busybox true
done
refused "--restart" "${run[@]}" --restart always busybox true
both "${run[@]}" --restart no busybox true
for name in TERM SIGTERM 15 sigusr1; do
	both "${run[@]}" --stop-signal "$name" busybox true
done
# an option that is wrong is 125, whoever finds it out
meant 1 125 create --network none --stop-signal NOSUCH busybox true
meant 0 125 create --network none --stop-signal 999 busybox true
# what the kernel refuses is told by the option that was typed, and what docker's runtime happens to say is its 127
named()
{
	local option=$1 value=$2

	shift 2
	sides "${run[@]}" "$@" busybox true
	is "$ctrace_code $(grep -F -- "$option" ctrace.err | grep -cF -- "$value")" "125 1" "$* names $option and $value" || explain
	is "$(grep -cE 'linux\.|process\.|mounts\[' ctrace.err)" 0 "and no member of config.json" || explain
}
named "--sysctl net.ipv4.ip_forward" '"abc"' --sysctl net.ipv4.ip_forward=abc
named "--sysctl net.nosuch" "no such sysctl" --sysctl net.nosuch=1
named --ulimit 99999999999 --ulimit nofile=99999999999
named --pids-limit 'at most 4194304' --pids-limit 99999999999
named --tmpfs huge=foo --tmpfs /t:huge=foo
named -- /tmp -v "$WORK/data/file:/tmp"
lines_done
