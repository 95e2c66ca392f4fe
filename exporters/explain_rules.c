/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/explain_rules.h"

#include "util/cleanup.h"

#define MAIN(kind, key, match, value, text) { kind, EXPLAIN_MAIN, key, EXPLAIN_##match, value, text }
#define ADD(kind, key, match, value, text) { kind, EXPLAIN_ADD, key, EXPLAIN_##match, value, text }

/* Order matters for main rules: the special before the general. */
const struct explain_rule explain_rules[] = {
	/* requests */
	MAIN(STEP_REQUEST, "path", HOLDS, "/containers/create",
		"The client only asks: this REST call over a UNIX socket hands the daemon the "
		"container's configuration. Nothing is isolated yet; the daemon prepares a root "
		"filesystem and answers with the id."),
	MAIN(STEP_REQUEST, "path", ENDS, "/start",
		"Now the daemon must make the container real: it prepares the network, writes an "
		"OCI bundle (a root directory and config.json) and asks containerd to run it."),
	MAIN(STEP_REQUEST, "path", HOLDS, "/wait",
		"The client asks to be told when the container ends. It is sent before the "
		"start, so that a container that lives for milliseconds is not missed."),
	MAIN(STEP_REQUEST, "path", HOLDS, "/attach",
		"This connection is taken over and carries the container's standard input and "
		"output from now on."),
	MAIN(STEP_REQUEST, "path", HOLDS, "/images/create",
		"A pull: the image is not here (or its tag may have moved), so the daemon "
		"fetches it from the registry."),
	MAIN(STEP_REQUEST, "path", HOLDS, "/_ping",
		"The client asks whether the daemon is there and which version of the API it "
		"speaks."),
	MAIN(STEP_REQUEST, "path", HOLDS, "/resize",
		"Tells the container's terminal how large the user's is."),
	MAIN(STEP_REQUEST, "method", IS, "DELETE",
		"Asks the daemon to remove the container: what --rm does after the exit."),
	MAIN(STEP_REQUEST, NULL, ANY, NULL,
		"The command line tool does no container work itself; it sends a request to a "
		"daemon's UNIX socket."),
	/* images and layers */
	MAIN(STEP_IMAGE, NULL, ANY, NULL,
		"An image is a manifest that names a configuration and layers, each by the "
		"SHA-256 digest of its content, so that what arrives can be checked and layers "
		"can be shared between images."),
	MAIN(STEP_LAYER, NULL, ANY, NULL,
		"A layer is a tar archive of what changed against the layer below; files named "
		".wh.NAME say that NAME was deleted."),
	/* mounts: the calls of the new API */
	MAIN(STEP_MOUNT, "call", IS, "fsopen",
		"The new mount API (Linux 5.2) takes mount(2) apart: fsopen begins a file "
		"system, fsconfig sets it up, fsmount makes a mount of it that is nowhere yet, "
		"move_mount puts it into the tree. Each works on file descriptors, so no path "
		"can be swapped for a symbolic link in between."),
	MAIN(STEP_MOUNT, "call", IS, "fsconfig",
		"Sets one option of the file system that is being made, or creates it."),
	MAIN(STEP_MOUNT, "call", IS, "fsmount",
		"Makes a mount that is attached nowhere: only its descriptor leads to it."),
	MAIN(STEP_MOUNT, "call", IS, "open_tree",
		"Takes hold of a mount; with OPEN_TREE_CLONE of a detached copy, as a bind mount "
		"makes."),
	MAIN(STEP_MOUNT, "call", IS, "move_mount",
		"Puts a detached mount into the directory tree."),
	MAIN(STEP_MOUNT, "call", IS, "mount_setattr",
		"Changes a mount's flags or its propagation, for a whole tree of mounts at once "
		"if asked."),
	/* mounts: by file system type */
	MAIN(STEP_MOUNT, "fstype", IS, "overlay",
		"The root filesystem: OverlayFS shows the image's read-only layers (lowerdir) as "
		"one tree and puts every change into upperdir, so a thousand containers share "
		"one copy of the image."),
	MAIN(STEP_MOUNT, "fstype", IS, "proc",
		"A proc of its own: /proc shows the processes of the pid namespace of whoever "
		"mounts it, so this one shows the container's processes and not the host's."),
	MAIN(STEP_MOUNT, "fstype", IS, "sysfs",
		"sysfs shows devices and kernel objects; its network part is that of the network "
		"namespace it is mounted from. Containers normally get it read-only."),
	MAIN(STEP_MOUNT, "fstype", IS, "devpts",
		"Pseudo terminals. Each mount of devpts is an instance of its own (newinstance "
		"asked for that on kernels before 4.7), so the container cannot reach the host's "
		"terminals; ptmxmode makes its ptmx usable."),
	MAIN(STEP_MOUNT, "fstype", IS, "mqueue",
		"POSIX message queues belong to an IPC namespace; this shows those of the "
		"container's own."),
	MAIN(STEP_MOUNT, "fstype", IS, "cgroup2",
		"The cgroup v2 tree, for programs that look at their own limits; seen from a "
		"cgroup namespace the container's group is the root."),
	MAIN(STEP_MOUNT, "fstype", IS, "cgroup",
		"cgroup v1 has one tree per controller; each is mounted apart so that programs "
		"can look at their limits."),
	MAIN(STEP_MOUNT, "target", ENDS, "/dev/shm",
		"POSIX shared memory: a small tmpfs of the container's own, so that it shares "
		"none with the host."),
	MAIN(STEP_MOUNT, "target", ENDS, "/sys/fs/cgroup",
		"On cgroup v1 a tmpfs is the table on which one mount per controller is laid."),
	MAIN(STEP_MOUNT, "target", ENDS, "/dev",
		"An empty tmpfs becomes /dev; only a handful of harmless devices (null, zero, "
		"full, random, urandom, tty) are made in it. The host's /dev would give away the "
		"disks."),
	MAIN(STEP_MOUNT, "target", ENDS, "/etc/resolv.conf",
		"The engine writes this file per container and binds it over the image's, so "
		"that name resolution follows the container's network."),
	MAIN(STEP_MOUNT, "target", ENDS, "/etc/hosts",
		"The engine's own hosts file for this container (its address and name), bound "
		"over the image's."),
	MAIN(STEP_MOUNT, "target", ENDS, "/etc/hostname",
		"The engine's own file with the container's host name, bound over the image's."),
	MAIN(STEP_MOUNT, "source", IS, "/dev/null",
		"A masked path: the null device is bound over a file that would show or change "
		"host secrets, since /proc and /sys are not divided by namespaces everywhere."),
	MAIN(STEP_MOUNT, "target", HOLDS, "/proc/kcore",
		"A masked path: kcore is the machine's memory; it is covered."),
	MAIN(STEP_MOUNT, "target", ENDS, "/proc/sys",
		"Kernel settings: bound onto itself and made read-only, since most of them are "
		"not divided by namespaces and root in the container could change the host."),
	MAIN(STEP_MOUNT, "target", ENDS, "/proc/sysrq-trigger",
		"A write here can reboot the machine; it is bound onto itself and made read-only."),
	MAIN(STEP_MOUNT, "fstype", IS, "tmpfs",
		"A file system in memory, gone with the container; read-only and empty it masks "
		"a directory."),
	MAIN(STEP_MOUNT, "flags", IS, "MS_SLAVE",
		"Mounts made in here shall not appear on the host (the other way they still "
		"may): without it, the container's mounts would show outside, because systemd "
		"makes / shared."),
	MAIN(STEP_MOUNT, "flags", IS, "MS_PRIVATE",
		"Cuts propagation between the host's mounts and the container's, in both "
		"directions; pivot_root refuses to work on shared mounts."),
	MAIN(STEP_MOUNT, "flags", IS, "MS_REMOUNT",
		"Changes the flags of a mount that is already there. A bind mount takes its "
		"flags from its source, so making it read-only takes a second call."),
	MAIN(STEP_MOUNT, "flags", IS, "MS_BIND",
		"A bind mount shows the same files at a second place; nothing is copied."),
	MAIN(STEP_MOUNT, NULL, ANY, NULL,
		"Attaches a file system to a place in the directory tree."),
	/* mounts: by flag, besides */
	ADD(STEP_MOUNT, "flags", IS, "MS_NOSUID",
		"nosuid: set-user-ID bits and file capabilities found there give nothing."),
	ADD(STEP_MOUNT, "flags", IS, "MS_NODEV", "nodev: device files found there open no device."),
	ADD(STEP_MOUNT, "flags", IS, "MS_NOEXEC", "noexec: nothing can be executed from there."),
	ADD(STEP_MOUNT, "flags", IS, "MS_RDONLY", "rdonly: writes fail with EROFS, for root too."),
	ADD(STEP_MOUNT, "flags", IS, "MS_REC", "rec: the mounts below it are meant as well."),
	ADD(STEP_MOUNT, "data", HOLDS, "volatile",
		"volatile: the upper layer is not synced to disk at unmount; right for "
		"containers that are thrown away."),
	MAIN(STEP_UMOUNT, "flags", IS, "MNT_DETACH",
		"A lazy unmount: gone from the tree at once, freed when the last user has let "
		"go. After pivot_root the old root is dropped so, and nothing of the host's tree "
		"can be reached any more."),
	MAIN(STEP_UMOUNT, NULL, ANY, NULL, "Takes a file system out of the directory tree."),
	/* network */
	MAIN(STEP_VETH, NULL, ANY, NULL,
		"A veth pair is a cable with two plugs: one end is moved into the container's "
		"network namespace and becomes eth0, the other stays on the host and is plugged "
		"into the bridge."),
	MAIN(STEP_ADDRESS, NULL, ANY, NULL,
		"The container's address, from the bridge's subnet; towards the world it is "
		"hidden behind the host's by NAT."),
	MAIN(STEP_ROUTE, NULL, ANY, NULL,
		"The default route points at the bridge, so that packets leave through the host."),
	/* cgroups */
	MAIN(STEP_CGROUP_MKDIR, NULL, ANY, NULL,
		"A directory in cgroupfs is a group of processes whose resources are counted and "
		"limited together. On v1 there is one per controller, on v2 a single one; mkdir "
		"is all it takes."),
	MAIN(STEP_CGROUP_ATTACH, NULL, ANY, NULL,
		"From here on what the process uses is charged to the group, and its children "
		"are born into it."),
	MAIN(STEP_CGROUP_RMDIR, NULL, ANY, NULL,
		"A group can be removed once no process is left in it; the last one to go ends "
		"the container's story."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cgroup.procs",
		"Writing a pid to cgroup.procs moves that whole process into the group, before "
		"the container's program runs, so nothing it does escapes the limits. The first "
		"such write after a while takes about 10 ms: the kernel waits until every CPU "
		"has let go of the old state (an RCU grace period)."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "tasks",
		"v1: writing a thread id to tasks moves that one thread into the group."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.limit_in_bytes",
		"The memory limit on cgroup v1 (memory.max on v2). When the group would pass it "
		"the kernel first reclaims the group's pages, and when that is not enough kills "
		"one of its processes."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.max",
		"The memory limit on cgroup v2 (memory.limit_in_bytes on v1). When the group "
		"would pass it the kernel first reclaims the group's pages, and when that is not "
		"enough kills one of its processes."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.memsw.limit_in_bytes",
		"v1: memory and swap together. docker sets twice the memory limit unless told; "
		"v2 limits swap alone, in memory.swap.max."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.swap.max",
		"v2: swap alone (v1 limits memory plus swap together, in "
		"memory.memsw.limit_in_bytes)."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.soft_limit_in_bytes",
		"--memory-reservation on v1: no hard limit, but when the machine runs short this "
		"group is reclaimed down to it first."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.low",
		"--memory-reservation on v2: below this much, the group's memory is spared as "
		"long as others can be reclaimed."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.high",
		"v2: above this the group is slowed down and reclaimed hard, but not killed."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.oom_control",
		"v1: 1 means that nobody is killed at the limit; processes wait for memory "
		"instead."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.oom.group",
		"v2: 1 means that an out-of-memory kill takes the whole group and not one "
		"process of it."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.swappiness",
		"v1: how eagerly this group's pages go to swap."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "memory.use_hierarchy",
		"v1: 1 charges the groups below to this one as well (always so since Linux 5.11)."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cpu.cfs_quota_us",
		"--cpus on v1: microseconds of CPU the group may use in each period "
		"(cpu.cfs_period_us, normally 100000), all CPUs together. When they are used up, "
		"everybody in it waits for the next period: throttling."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cpu.cfs_period_us",
		"v1: the length of the period over which cpu.cfs_quota_us is counted."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cpu.max",
		"--cpus on v2: quota and period in microseconds. When the quota is used up, "
		"everybody in the group waits for the next period: throttling. v1 has "
		"cpu.cfs_quota_us and cpu.cfs_period_us."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cpu.shares",
		"v1: a weight (1024 is normal), not a limit: it matters only while CPUs are "
		"scarce. v2 calls it cpu.weight."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cpu.weight",
		"v2: a weight (100 is normal), not a limit: it matters only while CPUs are "
		"scarce. v1 calls it cpu.shares."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cpuset.cpus",
		"The CPUs the group may run on. On v1 a new cpuset is empty and must be filled "
		"before any process can enter."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cpuset.mems",
		"The memory nodes (NUMA) the group may allocate from; on v1 it must be filled "
		"before any process can enter."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "pids.max",
		"The most tasks (processes and threads) the group may hold: fork fails with "
		"EAGAIN beyond it, so a fork bomb stays inside the container."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "devices.deny",
		"v1: takes devices away. \"a\" takes all of them, read, write and mknod; what "
		"the container needs is allowed again one by one. v2 has no such files: an eBPF "
		"program decides."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "devices.allow",
		"v1: TYPE MAJOR:MINOR ACCESS, for example \"c 1:3 rwm\" is /dev/null: character "
		"device 1:3 may be read, written and made with mknod."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "freezer.state",
		"v1: FROZEN stops every process of the group where it is (docker pause), THAWED "
		"lets them go on; unlike SIGSTOP they cannot notice. v2 has cgroup.freeze."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cgroup.freeze",
		"v2: 1 stops every process of the group where it is (docker pause), 0 lets them "
		"go on; v1 has freezer.state."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cgroup.kill",
		"v2: 1 kills every process of the group at once, also those that are just being "
		"forked."),
	MAIN(STEP_CGROUP_WRITE, "file", IS, "cgroup.subtree_control",
		"v2: which controllers the groups below may use; a controller must be handed "
		"down level by level."),
	MAIN(STEP_CGROUP_WRITE, "file", STARTS, "blkio.",
		"v1: weight or limits of disk I/O; v2 has io.weight and io.max."),
	MAIN(STEP_CGROUP_WRITE, "file", STARTS, "io.",
		"v2: weight or limits of disk I/O; v1 has the blkio controller."),
	MAIN(STEP_CGROUP_WRITE, "file", STARTS, "net_",
		"v1: marks the group's packets so that the host can tell them apart."),
	MAIN(STEP_CGROUP_WRITE, "file", STARTS, "hugetlb.",
		"The most huge pages of this size that the group may use."),
	MAIN(STEP_CGROUP_WRITE, NULL, ANY, NULL,
		"A cgroup is set by writing to the files in its directory."),
	MAIN(STEP_BPF_DEVICE, NULL, ANY, NULL,
		"v2 has no device files in cgroupfs: an eBPF program attached to the group is "
		"asked at every open and mknod of a device. v1 writes devices.allow and "
		"devices.deny."),
	MAIN(STEP_FREEZE, NULL, ANY, NULL,
		"Every process of the group is stopped where it is, without noticing; docker "
		"pause does this."),
	/* namespaces */
	MAIN(STEP_UNSHARE, NULL, ANY, NULL,
		"unshare gives the calling process namespaces of its own: this is where the "
		"isolation begins. The runtime does it in a stage of its own and forks once "
		"more, because a new pid namespace takes in only children."),
	MAIN(STEP_CLONE, "flags", HOLDS, "CLONE_NEW",
		"clone makes a child that is born into new namespaces; with CLONE_NEWPID it is "
		"pid 1 in there."),
	MAIN(STEP_CLONE, "flags", IS, "CLONE_VFORK",
		"Starts another program: the caller waits, its memory lent to the child, until "
		"that has called execve. Go's os/exec and posix_spawn do it so."),
	MAIN(STEP_CLONE, NULL, ANY, NULL,
		"clone makes a child. After unshare(CLONE_NEWPID) it is the child, not the "
		"caller, that is in the new pid namespace, as its pid 1."),
	MAIN(STEP_SETNS, NULL, ANY, NULL,
		"setns joins namespaces that exist already: a container's when a command is "
		"executed in it, or those that the engine or a pod has prepared (the network, "
		"most often)."),
#define NAMESPACES(kind)                                                                                       \
	ADD(kind, "flags", IS, "CLONE_NEWNS", "NEWNS: a mount table of its own, so its mounts are not the host's."), \
	ADD(kind, "flags", IS, "CLONE_NEWPID", "NEWPID: process numbers of its own; its first process is pid 1, and " \
		"when that dies the kernel kills all the others."),                                             \
	ADD(kind, "flags", IS, "CLONE_NEWNET", "NEWNET: network devices, addresses, routes, ports and firewall of its own; " \
		"it begins with a loopback that is down."),                                                     \
	ADD(kind, "flags", IS, "CLONE_NEWIPC", "NEWIPC: System V IPC and POSIX message queues of its own."),    \
	ADD(kind, "flags", IS, "CLONE_NEWUTS", "NEWUTS: host and domain name of its own."),                     \
	ADD(kind, "flags", IS, "CLONE_NEWUSER", "NEWUSER: user and group numbers of its own; root in it may be an " \
		"ordinary user outside."),                                                                      \
	ADD(kind, "flags", IS, "CLONE_NEWCGROUP", "NEWCGROUP: its own cgroup looks like the root of the tree.")
	NAMESPACES(STEP_UNSHARE),
	NAMESPACES(STEP_CLONE),
	NAMESPACES(STEP_SETNS),
	ADD(STEP_CLONE, "flags", IS, "CLONE_PARENT",
		"PARENT: the child becomes a sibling, so that the runtime, and not a stage that "
		"ends, is its parent."),
	ADD(STEP_CLONE, "flags", IS, "CLONE_INTO_CGROUP",
		"INTO_CGROUP: born inside the v2 cgroup; no move is needed and no limit is "
		"missed for a moment."),
	/* root directory */
	MAIN(STEP_PIVOT_ROOT, "new_root", IS, ".",
		"pivot_root swaps the root of the whole mount namespace, and then the old one "
		"can be unmounted. chroot only changes where a process starts to look up paths: "
		"the host's tree stays mounted and root can climb out. With (\".\", \".\") old "
		"and new root are stacked on one place, and no directory has to be made for the "
		"old."),
	MAIN(STEP_PIVOT_ROOT, NULL, ANY, NULL,
		"pivot_root swaps the root of the whole mount namespace, and then the old one "
		"can be unmounted. chroot only changes where a process starts to look up paths: "
		"the host's tree stays mounted and root can climb out."),
	MAIN(STEP_CHROOT, NULL, ANY, NULL,
		"chroot only changes where this process starts to look up paths; by itself it is "
		"no prison for root."),
	MAIN(STEP_SETHOSTNAME, NULL, ANY, NULL,
		"Sets the name inside the new UTS namespace; the host's does not change. docker "
		"uses the first twelve digits of the id unless --hostname says otherwise."),
	MAIN(STEP_MKNOD, "path", ENDS, "exec.fifo",
		"A named pipe on which init will wait, all set up: create ends there, start "
		"opens the other end and lets the program begin."),
	MAIN(STEP_MKNOD, NULL, ANY, NULL,
		"A device file is only a name for a pair of numbers; whether it may be opened is "
		"up to the device cgroup."),
	/* hardening */
	MAIN(STEP_SECCOMP, NULL, ANY, NULL,
		"Installs a filter program that the kernel runs before every system call of this "
		"process and its children: docker's default lets the ordinary ones through and "
		"refuses the rest (keyctl, kexec_load, ...) with EPERM. It cannot be taken off "
		"again."),
	MAIN(STEP_CAPSET, NULL, ANY, NULL,
		"Root's power is divided into capabilities. docker keeps 14 of about 40: enough "
		"to chown files and bind port 80, not enough to mount, load modules or set the "
		"clock."),
	MAIN(STEP_NO_NEW_PRIVS, NULL, ANY, NULL,
		"From now on no exec can gain privileges: set-user-ID bits and file capabilities "
		"are ignored, for all children too. An unprivileged process must set it before "
		"it may install a seccomp filter."),
	MAIN(STEP_SETUID, NULL, ANY, NULL,
		"Becomes the user the container's program shall run as. Done late, as the work "
		"before it needed root."),
	MAIN(STEP_SETGID, NULL, ANY, NULL,
		"Becomes the program's group, before the user: afterwards it would not be "
		"allowed."),
	MAIN(STEP_SETGROUPS, NULL, ANY, NULL,
		"Sets the supplementary groups, so that none of the caller's leak into the "
		"container."),
	MAIN(STEP_HOOK, NULL, ANY, NULL,
		"The OCI specification lets the engine have programs called at fixed points of "
		"the start and end; docker sets up the network in one."),
	/* exec, signals, end */
	MAIN(STEP_EXEC, "path", STARTS, "/proc/self/fd/",
		"The runtime executes itself again from a sealed copy in memory: a container "
		"process that reaches it through /proc/PID/exe cannot overwrite the host's "
		"runtime binary (CVE-2019-5736)."),
	MAIN(STEP_EXEC, "path", STARTS, "/dev/fd/",
		"The runtime executes itself again from a sealed copy in memory: a container "
		"process that reaches it through /proc/PID/exe cannot overwrite the host's "
		"runtime binary (CVE-2019-5736)."),
	MAIN(STEP_EXEC, "path", IS, "/proc/self/exe",
		"The program starts a second copy of itself for a job in another place. runc's "
		"becomes the container, in stages that rename themselves: runc:[0:PARENT] forks "
		"[1:CHILD], which makes the namespaces and forks [2:INIT] into them; C that runs "
		"before Go's threads exist, as some namespaces want. docker's sets up a network."),
	MAIN(STEP_EXEC, "path", HOLDS, "memfd:",
		"The runtime executes itself again from a sealed copy in memory: a container "
		"process that reaches it through /proc/PID/exe cannot overwrite the host's "
		"runtime binary (CVE-2019-5736)."),
	MAIN(STEP_EXEC, "path", HOLDS, "containerd-shim",
		"A shim stays beside each container: it holds its output and its exit code, so "
		"that daemons can be restarted without killing containers."),
	MAIN(STEP_EXEC, "path", ENDS, "conmon",
		"podman has no daemon; conmon stays beside each container, holds its output and "
		"its exit code."),
	MAIN(STEP_EXEC, "path", ENDS, "/runc",
		"runc makes the container out of the bundle, step by step below, and then goes "
		"away; it is called once to create, once to start, once to delete."),
	MAIN(STEP_EXEC, "path", ENDS, "/crun",
		"crun makes the container out of the bundle, as runc does, in C and with fewer "
		"processes."),
	MAIN(STEP_EXEC, NULL, ANY, NULL,
		"execve replaces the program and keeps the process: pid, namespaces, cgroup and "
		"seccomp filter stay as they were prepared."),
	MAIN(STEP_SIGNAL, "sig", ENDS, "KILL",
		"SIGKILL cannot be caught. From outside it kills even the container's pid 1, and "
		"with it all of the pid namespace."),
	MAIN(STEP_SIGNAL, "sig", ENDS, "TERM",
		"docker stop asks first: SIGTERM (or the image's STOPSIGNAL), then 10 seconds "
		"later SIGKILL. A pid 1 without a handler for it never notices."),
	MAIN(STEP_SIGNAL, NULL, ANY, NULL,
		"A signal to the container. Its pid 1 gets only those it has a handler for; "
		"SIGKILL and SIGSTOP from outside always arrive."),
	MAIN(STEP_EXIT, NULL, ANY, NULL,
		"When pid 1 of a pid namespace ends, the kernel kills every process that is left "
		"in it: the container is over."),
};

const size_t explain_rule_count = ARRAY_SIZE(explain_rules);
