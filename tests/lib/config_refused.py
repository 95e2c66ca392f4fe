# SPDX-License-Identifier: Apache-2.0
"""Values of an OCI config.json that are right by the specification, and that this kernel, or this host, refuses when a
container is made of them: one table.
"""

import collections
import os

import config_table as table

# What the error names as the field; what else it must say (a regular expression: the object and the reason); the
# changes, {path: value}; capabilities that the runtime has to be without; why a host cannot try it, or None.
Refusal = collections.namedtuple("Refusal", "where says changes without skip")


def refused(where, says, changes, without=(), skip=None):
    return Refusal(where, says, changes, without, skip)


def base(root, marks, cgroup):
    """A document that runs, with nothing in it that a case could stumble over."""
    return table.changed(table.runnable(root, marks, cgroup), {
        "hooks": table.MISSING, "linux.resources": {}, "process.rlimits": [], "process.oomScoreAdj": table.MISSING,
        "process.scheduler": table.MISSING, "process.ioPriority": table.MISSING, "root.readonly": False})


def bind(source, destination="/b", **more):
    return dict({"destination": destination, "type": "bind", "source": source, "options": ["rbind"]}, **more)


def mount(kind, *options, destination="/m", source="none"):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def namespaces(*changes):
    """The usual ones, but for those."""
    types = {change["type"] for change in changes}
    return {"linux.namespaces": [{"type": t} for t in table.NAMESPACES if t != "user" and t not in types] + list(changes)}


def user_namespace(changes):
    usual = {"containerID": 0, "hostID": 0, "size": 1000}
    return namespaces({"type": "user"}) | {"linux.uidMappings": [usual], "linux.gidMappings": [usual]} | changes


V1 = os.path.isdir("/sys/fs/cgroup/memory")
ONLY_V1 = None if V1 else "it needs cgroup v1"
ONLY_V2 = "it needs cgroup v2" if V1 else None
NO_APPARMOR = "the host has AppArmor" if os.path.exists("/sys/module/apparmor/parameters/enabled") else None
NO_SELINUX = "the host has SELinux" if os.path.isdir("/sys/fs/selinux") else None
NO_RT = "this kernel has groups of realtime tasks" if os.path.exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us") else None
INVALID, DENIED, MISSING = "Invalid argument", "Operation not permitted", "No such file or directory"
DEVICE = {"path": "/dev/x", "type": "c", "major": 240, "minor": 7}
MAP = {"containerID": 0, "hostID": 0, "size": 10}


def resources(at, **members):
    return {"linux.resources": {at: members}}


def rows(spare):
    """spare: a directory for files that cases are about."""
    file = os.path.join(spare, "file")
    with open(file, "w", encoding="utf-8") as f:
        f.write("x")
    return [
        refused("root.path", "file.*Not a directory", {"root.path": file}),
        refused("root.path", "/nowhere.*" + MISSING, {"root.path": "/nowhere"}),
        refused("linux.sysctl.net.ipv4.ip_forward", '"x".*/proc/sys/net/ipv4/ip_forward: ' + INVALID,
                {"linux.sysctl": {"net.ipv4.ip_forward": "x"}}),
        refused("linux.sysctl.net.ipv4.no_such", "/proc/sys/net/ipv4/no_such: " + MISSING,
                {"linux.sysctl": {"net.ipv4.no_such": "1"}}),
        refused("linux.sysctl.net.ipv4.tcp_available_congestion_control", "Permission denied",
                {"linux.sysctl": {"net.ipv4.tcp_available_congestion_control": "1"}}),
        refused("linux.sysctl.kernel.shmmni", '"-5".*/proc/sys/kernel/shmmni: ' + INVALID,
                {"linux.sysctl": {"kernel.shmmni": "-5"}}),
        refused("linux.sysctl.net.ipv4", "/proc/sys/net/ipv4", {"linux.sysctl": {"net.ipv4": "1"}}),
        refused("process.rlimits[0]", "RLIMIT_NOFILE.*2147483647:2147483647.*" + DENIED,
                {"process.rlimits": [{"type": "RLIMIT_NOFILE", "soft": 2**31 - 1, "hard": 2**31 - 1}]}),
        refused("process.oomScoreAdj", '"-999".*oom_score_adj.*Permission denied', {"process.oomScoreAdj": -999}, ["sys_resource"]),
        refused("process.scheduler", "SCHED_FIFO.*" + DENIED, {"process.scheduler": {"policy": "SCHED_FIFO", "priority": 9}},
                ["sys_nice"]),
        refused("process.scheduler", "SCHED_DEADLINE.*" + DENIED,
                {"process.scheduler": {"policy": "SCHED_DEADLINE", "runtime": 2**20, "deadline": 2**21, "period": 2**22}}, ["sys_nice"]),
        refused("process.apparmorProfile", "docker-default.*no apparmor", {"process.apparmorProfile": "docker-default"},
                skip=NO_APPARMOR),
        refused("process.selinuxLabel", "system_u:object_r:x:s0.*SELinux", {"process.selinuxLabel": "system_u:object_r:x:s0"},
                skip=NO_SELINUX),
        refused("process.cwd", "/bin/busybox.*Not a directory", {"process.cwd": "/bin/busybox"}),
        refused("process.cwd", "/bin/busybox/x.*Not a directory", {"process.cwd": "/bin/busybox/x"}),
        refused("process.user.uid", "5000.*" + INVALID, user_namespace({"process.user": {"uid": 5000, "gid": 0}})),
        refused("process.user.gid", "6000.*" + INVALID, user_namespace({"process.user": {"uid": 0, "gid": 6000}})),
        refused("process.user.additionalGids", INVALID,
                user_namespace({"process.user": {"uid": 0, "gid": 0, "additionalGids": [7000]}})),

        refused("mounts[1].type", "nosuchfs.*/m.*No such device", {"mounts[1]": mount("nosuchfs")}),
        refused("mounts[1].options", "tmpfs.*/m.*nosuch.*" + INVALID, {"mounts[1]": mount("tmpfs", "nosuch=1")}),
        refused("mounts[1].options", "tmpfs.*/m.*size=x.*" + INVALID, {"mounts[1]": mount("tmpfs", "size=x")}),
        refused("mounts[1].options", "proc.*/proc.*hidepid=9.*" + INVALID,
                {"mounts[1]": mount("proc", "hidepid=9", destination="/proc")}),
        refused("mounts[1]", "overlay.*/m.*(%s|%s)" % (INVALID, MISSING), {"mounts[1]": mount("overlay")}),
        refused("mounts[1].options", "overlay.*/m.*lowerdir=/nowhere/x: " + MISSING, {"mounts[1]": mount("overlay", "lowerdir=/nowhere/x")}),
        refused("mounts[1]", "ext4.*/m.*/nowhere/disk", {"mounts[1]": mount("ext4", source="/nowhere/disk")}),
        refused("mounts[1].source", "/nowhere/x.*/b.*" + MISSING, {"mounts[1]": bind("/nowhere/x")}),
        refused("mounts[1].destination", "/bin/busybox/x.*Not a directory",
                {"mounts[1]": mount("tmpfs", destination="/bin/busybox/x")}),
        refused("mounts[1].destination", "/bin/busybox.*not a directory", {"mounts[1]": bind(spare, "/bin/busybox")}),
        refused("mounts[1].destination", "mount point /bin is not a directory", {"mounts[1]": bind(file, "/bin")}),
        refused("mounts[1].destination", "/proc/self/x.*inside of /proc", {"mounts[1]": bind(file, "/proc/self/x")}),
        refused("mounts[1]", "the ids of /proc at /b.*" + INVALID, {"mounts[1]": bind("/proc", uidMappings=[MAP], gidMappings=[MAP], options=["bind"])}),
        refused("mounts[1].uidMappings", "uid_map.*" + INVALID,
                {"mounts[1]": bind(spare, uidMappings=many_maps(), gidMappings=[MAP])}),

        refused("linux.namespaces[6].path", "/proc/self/ns/uts.*" + INVALID,
                namespaces({"type": "network", "path": "/proc/self/ns/uts"})),
        refused("linux.namespaces[6].path", "/proc/self/ns/uts.*" + INVALID,
                namespaces({"type": "pid", "path": "/proc/self/ns/uts"})),
        refused("linux.namespaces[6].path", "/nowhere.*" + MISSING, namespaces({"type": "pid", "path": "/nowhere"})),
        refused("linux.namespaces[6].path", "/nowhere.*" + MISSING, namespaces({"type": "ipc", "path": "/nowhere"})),
        refused("linux.namespaces[6].path", "/dev/null.*" + INVALID, namespaces({"type": "network", "path": "/dev/null"})),
        refused("linux.namespaces[7].path", "/proc/self/ns/user.*" + INVALID,
                namespaces({"type": "user", "path": "/proc/self/ns/user"})),
        refused("linux.uidMappings", "uid_map.*" + INVALID, user_namespace({"linux.uidMappings": many_maps()})),
        refused("linux.gidMappings", "gid_map.*" + INVALID, user_namespace({"linux.gidMappings": many_maps()})),
        refused("linux.namespaces", "clone3.*" + DENIED, {}, ["sys_admin"]),
        refused("linux.timeOffsets", "timens_offsets.*(Numerical result out of range|%s)" % INVALID,
                {"linux.timeOffsets": {"monotonic": {"secs": -10**9}}}),
        refused("linux.timeOffsets", "timens_offsets.*(Numerical result out of range|%s)" % INVALID,
                {"linux.timeOffsets": {"boottime": {"secs": 2**62}}}),
        refused("linux.devices[0]", "/bin/busybox.*something else is there", {"linux.devices": [dict(DEVICE, path="/bin/busybox")]}),
        refused("linux.devices[0]", "/bin/busybox.*not a directory", {"linux.devices": [dict(DEVICE, path="/bin/busybox/x")]}),
        refused("linux.devices[1]", "/dev/y.*CAP_MKNOD", {"linux.devices": [
            {"path": "/dev/null", "type": "c", "major": 1, "minor": 3}, dict(DEVICE, path="/dev/y")]}, ["mknod"]),
        refused("linux.cgroupsPath", "Invalid argument", {"linux.cgroupsPath": "/ctrace/a\nb"}),
        refused("linux.cgroupsPath", "cgroup.procs", {"linux.cgroupsPath": "/ctrace/cgroup.procs"}),
        refused("linux.maskedPaths", "/loop.*symbolic links", {"linux.maskedPaths": ["/proc/kcore", "/loop"]}),
        refused("linux.readonlyPaths", "/loop.*symbolic links", {"linux.readonlyPaths": ["/proc/sys", "/loop"]}),
        refused("linux.seccomp.listenerPath", "/nowhere.*" + MISSING, {"linux.seccomp": {
            "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/nowhere", "syscalls": [
                {"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}}),

        refused("linux.resources.memory.limit", "4096.*", resources("memory", limit=4096)),
        refused("linux.resources.cpu.cpus", '"900".*cpuset.cpus.*' + ".*", resources("cpu", cpus="900")),
        refused("linux.resources.cpu.mems", '"900".*cpuset.mems.*' + ".*", resources("cpu", mems="900")),
        refused("linux.resources.cpu.quota", '"1".*cpu.cfs_quota_us.*' + INVALID, resources("cpu", quota=1), skip=ONLY_V1),
        refused("linux.resources.cpu.period", '"1".*cpu.cfs_period_us.*' + INVALID, resources("cpu", period=1), skip=ONLY_V1),
        refused("linux.resources.cpu.period", '"2000000".*cpu.cfs_period_us.*' + INVALID, resources("cpu", period=2000000),
                skip=ONLY_V1),
        refused("linux.resources.cpu.quota", "cpu.max.*" + INVALID, resources("cpu", quota=1, period=1), skip=ONLY_V2),
        refused("linux.resources.cpu.realtimeRuntime", "cpu.rt_runtime_us.*does not have the file",
                resources("cpu", realtimeRuntime=1000), skip=ONLY_V1 or NO_RT),
        refused("linux.resources.cpu.realtimePeriod", "cpu.rt_period_us.*does not have the file",
                resources("cpu", realtimePeriod=1000000), skip=ONLY_V1 or NO_RT),
        refused("linux.resources.cpu.realtimeRuntime", '"900000".*cpu.rt_runtime_us.*' + INVALID,
                resources("cpu", realtimeRuntime=900000, realtimePeriod=1000000), skip=ONLY_V1 or (None if NO_RT else "the kernel has none")),
        refused("linux.resources.cpu.realtimeRuntime", "cgroup v1", resources("cpu", realtimeRuntime=1000), skip=ONLY_V2),
        refused("linux.resources.network.classID", "cgroup v1", resources("network", classID=1), skip=ONLY_V2),
        refused("linux.resources.hugepageLimits", "hugetlb.3MB.*",
                {"linux.resources": {"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}}),
        refused("linux.resources.blockIO.weightDevice", "999:1 10.*",
                resources("blockIO", weightDevice=[{"major": 999, "minor": 1, "weight": 10}])),
        refused("linux.resources.blockIO.throttleReadBpsDevice", "999:1 10.*No such device",
                resources("blockIO", throttleReadBpsDevice=[{"major": 999, "minor": 1, "rate": 10}]), skip=ONLY_V1),
        refused("linux.resources.blockIO.throttleWriteIOPSDevice", "999:1 10.*No such device",
                resources("blockIO", throttleWriteIOPSDevice=[{"major": 999, "minor": 1, "rate": 10}]), skip=ONLY_V1),
        refused("linux.resources.network.priorities", "nosuch0 1.*",
                resources("network", priorities=[{"name": "nosuch0", "priority": 1}]), skip=ONLY_V1),
        refused("linux.resources.rdma", "rdma", resources("rdma", mlx={"hcaHandles": 1})),
        refused("linux.resources.unified", "memory.high.*v2",
                resources("unified", **{"memory.high": "max"}), skip=ONLY_V1),
        refused("linux.resources.unified", "memory.no_such.*",
                resources("unified", **{"memory.no_such": "1"}), skip=ONLY_V2),
        refused("linux.resources.memory.swappiness", "memory.swappiness", resources("memory", swappiness=10), skip=ONLY_V2),
    ]


def many_maps():
    """More than the kernel takes (user_namespaces(7): 340)."""
    return [{"containerID": i, "hostID": i, "size": 1} for i in range(341)]
