# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# Runs inside of a container (busybox sh) and says what it finds, a fact per line: "GROUP KEY VALUE".
# tests/e2e/run_against_docker.sh compares what two engines give.
each()
{
	while IFS= read -r line; do
		[ -z "$line" ] || echo "$1 $line"
	done
}

echo "id - $(id)"
echo "cwd - $(pwd)"
echo "umask - $(umask)"
echo "host name $(hostname | sed 's/[0-9a-f]\{12\}/ID/')"
env | grep -v '^_=\|^SHLVL=\|^PWD=\|^OLDPWD=' | sed 's/^HOSTNAME=[0-9a-f]\{12\}$/HOSTNAME=ID/' | sort | each env
# mount point, options, type, options of the file system
# shellcheck disable=SC2034 # not all of the fields are wanted
sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* //; s/ \(shared\|master\):[0-9]*//g' /proc/self/mountinfo | while read -r point options dash type source more; do
	case $type in
	overlay) more=${more%%,lowerdir*} ;;
	tmpfs) more=$(echo "$more" | sed 's/,inode64//') ;;
	cgroup | ext4) more= ;;
	esac
	echo "mount $point $options $type $more"
done | sort
grep '^Cap\|^NoNewPrivs\|^Seccomp:\|^Groups' /proc/self/status | tr '\t' ' ' | each status
sed 1d /proc/self/limits | tr -s ' ' | each limit
ls -l /dev /dev/pts /dev/shm /dev/mqueue 2>/dev/null | sed 's/ \(Jan\|Feb\|Mar\|Apr\|May\|Jun\|Jul\|Aug\|Sep\|Oct\|Nov\|Dec\) .*[0-9:]\{4,5\} / /; /^total/d' |
	awk '{ if ($1 ~ /^[cb]/) print "dev", $7, $1, $3, $4, $5 $6; else if (NF > 2) { $2 = $5 = ""; print "dev", $0 } }' | sort
for path in /proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/sched_debug \
	/proc/scsi /sys/firmware /sys/devices/virtual/powercap; do
	if [ -d "$path" ]; then
		echo "masked $path dir with $(ls "$path" | wc -l)"
	elif [ -e "$path" ]; then
		echo "masked $path $(head -c 1 "$path" 2>/dev/null | wc -c) bytes"
	fi
done
for path in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/irq /sys/kernel/mm /sys/fs/cgroup/memory /sys/fs/cgroup /; do
	mkdir "$path/probe" 2>/dev/null && echo "writable $path yes" && rmdir "$path/probe"
	[ ! -f "$path" ] || { (: >>"$path") 2>/dev/null && echo "writable $path yes"; }
done
sed 's/ID/&/; s/[0-9a-f]\{12\}/ID/; s/172\.[0-9]*\.[0-9]*\.[0-9]*\|10\.[0-9]*\.[0-9]*\.[0-9]*/ADDRESS/' /etc/hosts | tr '\t' ' ' | each hosts
sed 's/[0-9a-f]\{12\}/ID/' /etc/hostname | each hostname
grep -v '^#' /etc/resolv.conf | each resolv
for file in memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes cpu/cpu.shares \
	cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpuset/cpuset.cpus cpuset/cpuset.mems pids/pids.max blkio/blkio.weight \
	memory/memory.swappiness memory/memory.oom_control devices/devices.list \
	memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max; do
	[ ! -f "/sys/fs/cgroup/$file" ] || each "cgroup $file" <"/sys/fs/cgroup/$file"
done
echo "cgroup path $(sed 's/[0-9a-f]\{64\}/ID/; s/^[0-9]*://' /proc/self/cgroup | grep '^memory' | cut -d: -f2)"
for name in net/ipv4/ip_unprivileged_port_start net/ipv4/ping_group_range net/ipv6/conf/all/disable_ipv6 kernel/shmmax fs/mqueue/msg_max; do
	[ ! -f "/proc/sys/$name" ] || echo "sysctl $name $(tr '\t' ' ' <"/proc/sys/$name")"
done
echo "oom score_adj $(cat /proc/self/oom_score_adj)"
echo "init argv $(tr '\0' ' ' </proc/1/cmdline | cut -c1-40)"
for stream in 0 1; do
	target=$(readlink "/proc/self/fd/$stream")
	echo "fd $stream ${target%%:*}"
done
echo "fd open $(ls /proc/1/fd | sort -n | tr '\n' ' ')"
ls /sys/class/net 2>/dev/null | each net
