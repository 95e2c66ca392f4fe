#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The guest's second stage: makes of the disks a host as its init system would leave it, runs the
# checks, hands over the results, and switches off. Parameters of the kernel's command line:
# ctrace.cgroup=v1|v2, ctrace.checks=FILE, ctrace.init=systemd. With the last, systemd makes the host, out of what
# make install installed and a service that runs this script once more.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8

parameter() { # NAME DEFAULT
	local word value=$2

	for word in $(< /proc/cmdline); do
		case $word in ctrace."$1"=*) value=${word#*=} ;; esac
	done
	echo "$value"
}

mount_filesystems() {
	mkdir -p /dev/pts /dev/shm
	mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
	mount -t tmpfs shm /dev/shm
	mount -t securityfs securityfs /sys/kernel/security
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t bpf bpf /sys/fs/bpf
	ln -sfn /proc/self/fd /dev/fd
	ln -sfn /proc/self/fd/0 /dev/stdin
	ln -sfn /proc/self/fd/1 /dev/stdout
	ln -sfn /proc/self/fd/2 /dev/stderr
}

mount_cgroup_v2() {
	local controller

	mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
	mkdir /sys/fs/cgroup/init
	while read -r pid; do
		echo "$pid" > /sys/fs/cgroup/init/cgroup.procs
	done < /sys/fs/cgroup/cgroup.procs 2>/dev/null
	for controller in $(< /sys/fs/cgroup/cgroup.controllers); do
		echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
	done
}

# Version 1 alone, without a v2 tree beside it: crun refuses the mixture.
mount_cgroup_v1() {
	local controller

	mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
	while read -r controller; do
		mkdir "/sys/fs/cgroup/$controller"
		mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
	done < <(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups)
	mkdir /sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
}

finish() {
	local code=$1

	sync
	tar -cf "$(cat /run/results-device)" -C /run/results . 2>/dev/null
	echo "$code" > /dev/status
	sync
	/bin/busybox reboot -f # qemu ends with it (-no-reboot); after a sleep, it does not with poweroff
	sleep 10
}

make_host() {
	mount_filesystems
	"mount_cgroup_$(parameter cgroup v2)"
	ip link set lo up
	hostname guest
}

# The units that a machine without seats and sleepers can do without only take time.
become_systemd() {
	local unit

	cp -a /share/install/. /
	cp /share/guest/ctrace-checks.service /etc/systemd/system/
	mkdir -p /etc/systemd/system/multi-user.target.wants
	ln -s ../ctrace-checks.service /etc/systemd/system/multi-user.target.wants/
	for unit in systemd-logind.service getty.target e2scrub_reap.service apt-daily.timer apt-daily-upgrade.timer; do
		ln -sf /dev/null "/etc/systemd/system/$unit"
	done
	mkdir -p /etc/systemd/system.conf.d # an emulated processor on a busy machine is slow
	printf '[Manager]\nDefaultTimeoutStartSec=300s\nDefaultTimeoutStopSec=300s\n' > /etc/systemd/system.conf.d/slow.conf
	echo 0123456789abcdef0123456789abcdef > /etc/machine-id # otherwise it is the first boot, which enables every unit
	echo ctrace-guest > /etc/hostname
	exec /lib/systemd/systemd
}

if [ $$ = 1 ]; then
	[ "$(parameter init none)" = systemd ] && become_systemd
	make_host
fi
stty -F /dev/said raw -echo
mkdir -p /run/results /run/lock
cd /run || finish 1
setsid bash "/share/guest/$(parameter checks checks.sh)" < /dev/null > /dev/said 2> /run/results/stderr
finish $?
