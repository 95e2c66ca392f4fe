#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Gives an OCI runtime a config.json that is wrong in one field, for every field, and looks what it does.

Usage: bad_config.py BUNDLE STATE_DIR MARKER RUNTIME...

BUNDLE/base.json is good and its process makes MARKER. Prints one TAP point per field (each stands for all the wrong
values of it): the runtime must fail, name the field by its whole path, run nothing and leave nothing.
"""

import copy
import json
import os
import re
import subprocess
import sys

LONG = "x" * 140000
STRING, PATH, BOOL, INT, UINT, OBJECT, STRINGS, INTS, OBJECTS = range(9)

# What is no value of a type.
WRONG = {
    STRING: [1, True, [], {}, "a\0b", LONG],
    PATH: [1, True, [], {}, "a\0b", "/" + "y" * 5000],
    BOOL: [1, "true", [], {}],
    INT: ["1", 1.5, True, [], {}, -2**63, 2**63],
    UINT: ["1", 1.5, True, [], {}, -1],
    OBJECT: [1, "x", True, []],
    STRINGS: [1, "x", {}, [1], [{}], [LONG], ["a\0b"]],
    INTS: [1, "x", {}, ["1"], [-1], [2**32]],
    OBJECTS: [1, "x", {}, [1], ["x"]],
}

MOUNT = {"destination": "/m", "type": "tmpfs", "source": "tmpfs"}
MAP = {"containerID": 0, "hostID": 0, "size": 10}
DEVICE = {"path": "/dev/x", "type": "c", "major": 1, "minor": 3}
RULE = {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}
ARG = {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}
SECCOMP = {"defaultAction": "SCMP_ACT_ALLOW"}
HOOK = {"path": "/bin/true"}

# (path, type, what must be there for it, required, values that are wrong for other reasons). A path element that is
# a number is an element of an array.
FIELDS = [
    ("ociVersion", STRING, {}, True, ["2.0.0", "", "x"]),
    ("root", OBJECT, {}, False, []),
    ("root.path", PATH, {}, True, [""]),
    ("root.readonly", BOOL, {}, False, []),
    ("hostname", STRING, {}, False, ["h" * 65]),
    ("domainname", STRING, {}, False, ["d" * 65]),
    ("annotations", OBJECT, {}, False, []),
    ("annotations.a", STRING, {"annotations": {"a": "b"}}, False, []),
    ("process", OBJECT, {}, True, []),
    ("process.terminal", BOOL, {}, False, []),
    ("process.consoleSize", OBJECT, {}, False, []),
    ("process.consoleSize.height", INT, {"process.consoleSize": {"height": 1, "width": 1}}, True, [-1, 65536]),
    ("process.consoleSize.width", INT, {"process.consoleSize": {"height": 1, "width": 1}}, True, [-1, 65536]),
    ("process.user", OBJECT, {}, False, []),
    ("process.user.uid", INT, {}, False, [-1, 2**32 - 1, 2**32]),
    ("process.user.gid", INT, {}, False, [-1, 2**32 - 1, 2**32]),
    ("process.user.umask", INT, {}, False, [-1, 0o1000]),
    ("process.user.additionalGids", INTS, {}, False, [[0] * 70000]),
    ("process.args", STRINGS, {}, True, [[]]),
    ("process.env", STRINGS, {}, False, [["NOVALUE"], ["=x"]]),
    ("process.cwd", PATH, {}, True, ["", "relative", "../x"]),
    ("process.capabilities", OBJECT, {}, False, []),
    ("process.capabilities.bounding", STRINGS, {}, False, []),
    ("process.capabilities.effective", STRINGS, {}, False, []),
    ("process.capabilities.permitted", STRINGS, {}, False, []),
    ("process.capabilities.inheritable", STRINGS, {}, False, []),
    ("process.capabilities.ambient", STRINGS, {}, False, []),
    ("process.rlimits", OBJECTS, {}, False, []),
    ("process.rlimits.0.type", STRING, {"process.rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]}, True,
     ["RLIMIT_NO", ""]),
    ("process.rlimits.0.soft", UINT, {"process.rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]}, True, [1]),
    ("process.rlimits.0.hard", UINT, {"process.rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]}, True, []),
    ("process.rlimits.1.type", STRING, {"process.rlimits": [
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}, {"type": "RLIMIT_CPU", "soft": 9, "hard": 9}]}, False,
     ["RLIMIT_CORE"]),
    ("process.noNewPrivileges", BOOL, {}, False, []),
    ("process.apparmorProfile", STRING, {}, False, []),
    ("process.selinuxLabel", STRING, {}, False, []),
    ("process.oomScoreAdj", INT, {}, False, [-1001, 1001]),
    ("process.scheduler", OBJECT, {}, False, []),
    ("process.scheduler.policy", STRING, {"process.scheduler": {"policy": "SCHED_OTHER"}}, True, ["SCHED_NO"]),
    ("process.scheduler.nice", INT, {"process.scheduler": {"policy": "SCHED_OTHER"}}, False, [-21, 20]),
    ("process.scheduler.priority", INT, {"process.scheduler": {"policy": "SCHED_OTHER"}}, False, [-1, 100, 5]),
    ("process.scheduler.runtime", UINT, {"process.scheduler": {"policy": "SCHED_OTHER"}}, False, [5]),
    ("process.scheduler.deadline", UINT, {"process.scheduler": {"policy": "SCHED_OTHER"}}, False, []),
    ("process.scheduler.period", UINT, {"process.scheduler": {"policy": "SCHED_OTHER"}}, False, []),
    ("process.scheduler.flags", STRINGS, {"process.scheduler": {"policy": "SCHED_OTHER"}}, False, [["SCHED_FLAG_NO"]]),
    ("process.ioPriority", OBJECT, {}, False, []),
    ("process.ioPriority.class", STRING, {"process.ioPriority": {"class": "IOPRIO_CLASS_BE"}}, True, ["IOPRIO_CLASS_NO"]),
    ("process.ioPriority.priority", INT, {"process.ioPriority": {"class": "IOPRIO_CLASS_BE"}}, False, [-1, 8]),
    ("mounts", OBJECTS, {}, False, []),
    ("mounts.0.destination", PATH, {"mounts": [MOUNT]}, True, [""]),
    ("mounts.0.type", STRING, {"mounts": [MOUNT]}, True, []),
    ("mounts.0.source", PATH, {"mounts": [MOUNT]}, False, []),
    ("mounts.0.source", PATH, {"mounts": [{"destination": "/m", "type": "bind", "source": "/"}]}, True, []),
    ("mounts.0.options", STRINGS, {"mounts": [MOUNT]}, False, [["idmap"]]),
    ("mounts.0.options", STRINGS, {"mounts": [{"destination": "/m", "type": "bind", "source": "/"}]}, False,
     [["size=5"], ["tmpcopyup"]]),
    ("mounts.0.uidMappings", OBJECTS, {"mounts": [dict(MOUNT, type="bind", source="/", gidMappings=[MAP])]}, True, []),
    ("mounts.0.gidMappings", OBJECTS, {"mounts": [dict(MOUNT, type="bind", source="/", uidMappings=[MAP])]}, True, []),
] + [("mounts.0.%s.0.%s" % (kind, member), INT,
      {"mounts": [dict(MOUNT, type="bind", source="/", uidMappings=[MAP], gidMappings=[MAP])]}, True, wrong)
     for kind in ("uidMappings", "gidMappings")
     for member, wrong in (("containerID", [-1, 2**32]), ("hostID", [-1, 2**32]), ("size", [-1, 0, 2**32]))] + [
    ("linux", OBJECT, {}, False, []),
    ("linux.namespaces", OBJECTS, {}, True, [[]]),
    ("linux.namespaces.0.type", STRING, {}, True, ["", "no"]),
    ("linux.namespaces.1.type", STRING, {}, True, ["pid"]),
    ("linux.namespaces.0.path", PATH, {}, False, ["relative"]),
    ("linux.uidMappings", OBJECTS, {}, False, [[MAP]]),
    ("linux.gidMappings", OBJECTS, {}, False, [[MAP]]),
    ("linux.uidMappings.0.containerID", INT, {"linux.uidMappings": [MAP], "linux.namespaces": [{"type": "user"}]}, True,
     [-1, 2**32]),
    ("linux.uidMappings.0.hostID", INT, {"linux.uidMappings": [MAP], "linux.namespaces": [{"type": "user"}]}, True,
     [-1, 2**32]),
    ("linux.gidMappings.0.containerID", INT, {"linux.gidMappings": [MAP], "linux.namespaces": [{"type": "user"}]}, True,
     [-1, 2**32]),
    ("linux.gidMappings.0.hostID", INT, {"linux.gidMappings": [MAP], "linux.namespaces": [{"type": "user"}]}, True,
     [-1, 2**32]),
    ("linux.uidMappings.0.size", INT, {"linux.uidMappings": [MAP], "linux.namespaces": [{"type": "user"}]}, True,
     [-1, 0, 2**32]),
    ("linux.gidMappings.0.size", INT, {"linux.gidMappings": [MAP], "linux.namespaces": [{"type": "user"}]}, True,
     [-1, 0, 2**32]),
    ("linux.uidMappings.1", OBJECT, {"linux.uidMappings": [MAP, MAP], "linux.namespaces": [{"type": "user"}]}, False,
     [MAP, dict(MAP, containerID=9, hostID=100)]),
    ("linux.timeOffsets", OBJECT, {}, False, [{"monotonic": {"secs": 1}}]),
    ("linux.timeOffsets.monotonic", OBJECT, {"linux.namespaces": [{"type": "mount"}, {"type": "time"}]}, False, []),
    ("linux.timeOffsets.boottime.secs", INT, {"linux.namespaces": [{"type": "mount"}, {"type": "time"}],
                                              "linux.timeOffsets": {"boottime": {}}}, False, None),
    ("linux.timeOffsets.boottime.nanosecs", INT, {"linux.namespaces": [{"type": "mount"}, {"type": "time"}],
                                                  "linux.timeOffsets": {"boottime": {}}}, False, [-1, 10**9]),
    ("linux.devices", OBJECTS, {}, False, []),
    ("linux.devices.0.type", STRING, {"linux.devices": [DEVICE]}, True, ["x", "", "cc"]),
    ("linux.devices.0.path", PATH, {"linux.devices": [DEVICE]}, True, ["", "dev/x"]),
    ("linux.devices.0.major", INT, {"linux.devices": [DEVICE]}, True, [-1, 4096]),
    ("linux.devices.0.minor", INT, {"linux.devices": [DEVICE]}, True, [-1, 2**20]),
    ("linux.devices.0.fileMode", INT, {"linux.devices": [DEVICE]}, False, [-1, 2**16]),
    ("linux.devices.0.uid", INT, {"linux.devices": [DEVICE]}, False, [-1, 2**32]),
    ("linux.devices.0.gid", INT, {"linux.devices": [DEVICE]}, False, [-1, 2**32]),
    ("linux.cgroupsPath", PATH, {}, False, ["/ctrace/../../x", ".."]),
    ("linux.rootfsPropagation", STRING, {}, False, ["no"]),
    ("linux.maskedPaths", STRINGS, {}, False, [["relative"]]),
    ("linux.readonlyPaths", STRINGS, {}, False, [["relative"]]),
    ("linux.mountLabel", STRING, {}, False, []),
    ("linux.personality", OBJECT, {}, False, []),
    ("linux.personality.domain", STRING, {"linux.personality": {"domain": "LINUX"}}, True, ["BSD"]),
    ("linux.personality.flags", STRINGS, {"linux.personality": {"domain": "LINUX"}}, False, [["X"]]),
    ("linux.sysctl", OBJECT, {}, False, []),
    ("linux.sysctl.net.ipv4.ip_forward", STRING, {"linux.sysctl": {"net.ipv4.ip_forward": "1"}}, False, None),
    ("linux.sysctl", OBJECT, {}, False, [{"kernel.core_pattern": "x"}, {"kernel.hostname": "x"}, {"net..x": "1"},
                                         {"net.no.such": "1"}]),
    ("linux.intelRdt", OBJECT, {}, False, [{"closID": "x"}]),
    ("linux.resources", OBJECT, {}, False, []),
    ("linux.resources.memory", OBJECT, {}, False, []),
    ("linux.resources.memory.limit", INT, {}, False, [-2]),
    ("linux.resources.memory.reservation", INT, {"linux.resources.memory": {"limit": 2**28}}, False, [-2, 2**29]),
    ("linux.resources.memory.swap", INT, {"linux.resources.memory": {"limit": 2**28}}, False, [-2, 2**27]),
    ("linux.resources.memory.swap", INT, {}, False, [2**27]),
    ("linux.resources.memory.kernel", INT, {}, False, [-2]),
    ("linux.resources.memory.kernelTCP", INT, {}, False, [-2]),
    ("linux.resources.memory.swappiness", INT, {}, False, [-1, 201]),
    ("linux.resources.memory.disableOOMKiller", BOOL, {}, False, []),
    ("linux.resources.memory.useHierarchy", BOOL, {}, False, []),
    ("linux.resources.memory.checkBeforeUpdate", BOOL, {}, False, []),
    ("linux.resources.cpu", OBJECT, {}, False, []),
    ("linux.resources.cpu.shares", INT, {}, False, [-1]),
    ("linux.resources.cpu.quota", INT, {}, False, [-2]),
    ("linux.resources.cpu.burst", INT, {}, False, [-1]),
    ("linux.resources.cpu.period", INT, {}, False, [-1]),
    ("linux.resources.cpu.realtimeRuntime", INT, {}, False, [-2]),
    ("linux.resources.cpu.realtimePeriod", INT, {}, False, [-1]),
    ("linux.resources.cpu.idle", INT, {}, False, [-1, 2]),
    ("linux.resources.cpu.cpus", STRING, {}, False, ["a-b"]),
    ("linux.resources.cpu.mems", STRING, {}, False, ["/"]),
    ("linux.resources.pids", OBJECT, {}, False, []),
    ("linux.resources.pids.limit", INT, {}, False, None),
    ("linux.resources.blockIO", OBJECT, {}, False, []),
    ("linux.resources.blockIO.weight", INT, {}, False, [-1, 10001]),
    ("linux.resources.blockIO.leafWeight", INT, {}, False, [-1, 1001]),
    ("linux.resources.blockIO.weightDevice", OBJECTS, {}, False, []),
] + [("linux.resources.blockIO.weightDevice.0." + member, INT,
      {"linux.resources.blockIO": {"weightDevice": [{"major": 1, "minor": 1, "weight": 10}]}}, member != "leafWeight", wrong)
     for member, wrong in (("major", [-1]), ("minor", [-1]), ("weight", [-1, 10001]), ("leafWeight", [-1, 1001]))] + [
    ("linux.resources.hugepageLimits", OBJECTS, {}, False, []),
    ("linux.resources.hugepageLimits.0.pageSize", STRING,
     {"linux.resources.hugepageLimits": [{"pageSize": "2MB", "limit": 1}]}, True, ["", "2/MB"]),
    ("linux.resources.hugepageLimits.0.limit", UINT,
     {"linux.resources.hugepageLimits": [{"pageSize": "2MB", "limit": 1}]}, True, []),
    ("linux.resources.network", OBJECT, {}, False, []),
    ("linux.resources.network.classID", INT, {}, False, [-1, 2**32]),
    ("linux.resources.network.priorities", OBJECTS, {}, False, []),
    ("linux.resources.network.priorities.0.name", STRING,
     {"linux.resources.network": {"priorities": [{"name": "lo", "priority": 1}]}}, True, ["", "n" * 16]),
    ("linux.resources.network.priorities.0.priority", INT,
     {"linux.resources.network": {"priorities": [{"name": "lo", "priority": 1}]}}, True, [-1, 2**32]),
    ("linux.resources.rdma", OBJECT, {}, False, []),
    ("linux.resources.rdma.mlx", OBJECT, {}, False, []),
    ("linux.resources.rdma.mlx.hcaHandles", INT, {"linux.resources.rdma": {"mlx": {}}}, False, [-1, 2**32]),
    ("linux.resources.rdma.mlx.hcaObjects", INT, {"linux.resources.rdma": {"mlx": {}}}, False, [-1, 2**32]),
    ("linux.resources.unified", OBJECT, {}, False, [{"../x": "1"}]),
    ("linux.resources.unified.memory.max", STRING, {"linux.resources.unified": {"memory.max": "max"}}, False, None),
    ("linux.resources.devices", OBJECTS, {}, False, []),
    ("linux.resources.devices.0.allow", BOOL, {"linux.resources.devices": [{"allow": False}]}, True, []),
    ("linux.resources.devices.0.type", STRING, {"linux.resources.devices": [{"allow": False}]}, False, ["x", "cc"]),
    ("linux.resources.devices.0.major", INT, {"linux.resources.devices": [{"allow": False}]}, False, [-2]),
    ("linux.resources.devices.0.minor", INT, {"linux.resources.devices": [{"allow": False}]}, False, [-2]),
    ("linux.resources.devices.0.access", STRING, {"linux.resources.devices": [{"allow": False}]}, False, ["x", "rwmr"]),
    ("linux.seccomp", OBJECT, {}, False, []),
    ("linux.seccomp.defaultAction", STRING, {"linux.seccomp": SECCOMP}, True, ["SCMP_ACT_NO", "SCMP_ACT_NOTIFY"]),
    ("linux.seccomp.defaultErrnoRet", INT, {"linux.seccomp": SECCOMP}, False, [-1, 4096]),
    ("linux.seccomp.architectures", STRINGS, {"linux.seccomp": SECCOMP}, False, [["SCMP_ARCH_NO"]]),
    ("linux.seccomp.flags", STRINGS, {"linux.seccomp": SECCOMP}, False, [["SECCOMP_FILTER_FLAG_NO"]]),
    ("linux.seccomp.listenerPath", PATH,
     {"linux.seccomp": dict(SECCOMP, syscalls=[dict(RULE, action="SCMP_ACT_NOTIFY")])}, True, []),
    ("linux.seccomp.listenerMetadata", STRING, {"linux.seccomp": SECCOMP}, False, []),
    ("linux.seccomp.syscalls", OBJECTS, {"linux.seccomp": SECCOMP}, False, []),
    ("linux.seccomp.syscalls.0.names", STRINGS, {"linux.seccomp": dict(SECCOMP, syscalls=[RULE])}, True, [[]]),
    ("linux.seccomp.syscalls.0.action", STRING, {"linux.seccomp": dict(SECCOMP, syscalls=[RULE])}, True, ["X"]),
    ("linux.seccomp.syscalls.0.errnoRet", INT, {"linux.seccomp": dict(SECCOMP, syscalls=[RULE])}, False, [-1, 4096]),
    ("linux.seccomp.syscalls.0.args", OBJECTS, {"linux.seccomp": dict(SECCOMP, syscalls=[RULE])}, False, [[ARG] * 7]),
    ("linux.seccomp.syscalls.0.args.0.index", INT,
     {"linux.seccomp": dict(SECCOMP, syscalls=[dict(RULE, args=[ARG])])}, True, [-1, 6]),
    ("linux.seccomp.syscalls.0.args.0.value", UINT,
     {"linux.seccomp": dict(SECCOMP, syscalls=[dict(RULE, args=[ARG])])}, True, []),
    ("linux.seccomp.syscalls.0.args.0.valueTwo", UINT,
     {"linux.seccomp": dict(SECCOMP, syscalls=[dict(RULE, args=[ARG])])}, False, []),
    ("linux.seccomp.syscalls.0.args.0.op", STRING,
     {"linux.seccomp": dict(SECCOMP, syscalls=[dict(RULE, args=[ARG])])}, True, ["SCMP_CMP_NO"]),
    ("hooks", OBJECT, {}, False, []),
]
for throttle in ("throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice"):
    good = {"linux.resources.blockIO": {throttle: [{"major": 1, "minor": 1, "rate": 10}]}}
    FIELDS.append(("linux.resources.blockIO." + throttle, OBJECTS, {}, False, []))
    for member in ("major", "minor", "rate"):
        FIELDS.append(("linux.resources.blockIO.%s.0.%s" % (throttle, member), INT, good, True, [-1]))
for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"):
    good = {"hooks": {kind: [HOOK]}}
    FIELDS += [("hooks." + kind, OBJECTS, {"hooks": {}}, False, []),
               ("hooks.%s.0.path" % kind, PATH, good, True, ["true", ""]),
               ("hooks.%s.0.args" % kind, STRINGS, good, False, []),
               ("hooks.%s.0.env" % kind, STRINGS, good, False, []),
               ("hooks.%s.0.timeout" % kind, INT, good, False, [-1, 0])]

# Every member that runtime-spec 1.1 gives a Linux container, with a value that passes: each is replaced by what is of
# another type. (vm, windows, solaris, zos and process.commandLine are other platforms', which are ignored.)
ALL_CAPS = ["CAP_KILL"]
ONE_HOOK = [{"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 5}]
THROTTLE = [{"major": 1, "minor": 1, "rate": 10}]
CLOCK = {"secs": 1, "nanosecs": 1}
FULL = {
    "ociVersion": "1.1.0", "hostname": "h", "domainname": "d", "annotations": {"a": "b"},
    "root": {"path": "rootfs", "readonly": True},
    "process": {
        "terminal": False, "consoleSize": {"height": 1, "width": 1}, "args": ["true"], "env": ["A=b"], "cwd": "/",
        "user": {"uid": 1, "gid": 1, "umask": 18, "additionalGids": [5]},
        "capabilities": dict.fromkeys(("bounding", "effective", "permitted", "inheritable", "ambient"), ALL_CAPS),
        "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}], "noNewPrivileges": True,
        "apparmorProfile": "a", "selinuxLabel": "s", "oomScoreAdj": 1,
        "scheduler": {"policy": "SCHED_DEADLINE", "nice": 0, "priority": 0, "flags": ["SCHED_FLAG_RESET_ON_FORK"],
                      "runtime": 1, "deadline": 1, "period": 1},
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 1}},
    "mounts": [{"destination": "/m", "type": "bind", "source": "/", "options": ["rbind"], "uidMappings": [MAP],
                "gidMappings": [MAP]}],
    "hooks": {kind: ONE_HOOK for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
                                          "poststop")},
    "linux": {
        "namespaces": [{"type": t} for t in ("mount", "pid", "uts", "ipc", "user", "cgroup", "time")] +
                      [{"type": "network", "path": "/proc/self/ns/net"}],
        "uidMappings": [MAP], "gidMappings": [MAP], "timeOffsets": {"monotonic": CLOCK, "boottime": CLOCK},
        "devices": [dict(DEVICE, fileMode=438, uid=0, gid=0)], "cgroupsPath": "/ctrace/bad",
        "rootfsPropagation": "private", "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"], "mountLabel": "l",
        "personality": {"domain": "LINUX", "flags": []}, "sysctl": {"net.ipv4.ip_forward": "1"}, "intelRdt": {},
        "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64"],
                    "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/l", "listenerMetadata": "m",
                    "syscalls": [dict(RULE, errnoRet=1, args=[dict(ARG, valueTwo=1)])]},
        "resources": {
            "memory": {"limit": 2**28, "reservation": 2**27, "swap": 2**29, "kernel": 1, "kernelTCP": 1, "swappiness": 1,
                       "disableOOMKiller": False, "useHierarchy": True, "checkBeforeUpdate": True},
            "cpu": {"shares": 1, "quota": 1, "burst": 1, "period": 1, "realtimeRuntime": 1, "realtimePeriod": 1, "idle": 0,
                    "cpus": "0", "mems": "0"},
            "pids": {"limit": 1},
            "blockIO": {"weight": 10, "leafWeight": 10,
                        "weightDevice": [{"major": 1, "minor": 1, "weight": 10, "leafWeight": 10}],
                        "throttleReadBpsDevice": THROTTLE, "throttleWriteBpsDevice": THROTTLE,
                        "throttleReadIOPSDevice": THROTTLE, "throttleWriteIOPSDevice": THROTTLE},
            "hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
            "network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]},
            "rdma": {"mlx": {"hcaHandles": 1, "hcaObjects": 1}}, "unified": {"memory.max": "max"},
            "devices": [{"allow": False, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]}},
}
OTHER_TYPES = {str: [1, True, ["x"], {"x": 1}], bool: [1, "true", [], {}], int: ["1", 1.5, True, [1], {}],
               list: ["x", 1, True, {"x": 1}], dict: ["x", 1, True, ["x"]]}

DOTTED = {"linux.sysctl.net.ipv4.ip_forward": ["linux", "sysctl", "net.ipv4.ip_forward"],
          "linux.resources.unified.memory.max": ["linux", "resources", "unified", "memory.max"]}


def split(path):
    return [int(p) if p.isdigit() else p for p in DOTTED.get(path) or path.split(".")]


def put(document, path, value):
    """value None removes the member."""
    *way, last = split(path)
    for step in way:
        if isinstance(step, str):
            document = document.setdefault(step, {})
        else:
            document = document[step]
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value


def variants(field):
    path, kind, setting, required, others = field
    values = list(WRONG[kind])
    if others is None:  # every number or string of the kernel's is allowed
        values = [v for v in values if not (kind == INT and isinstance(v, int) and not isinstance(v, bool))
                  and not isinstance(v, str)]
        others = []
    if required:
        values.append(None)
    return path, setting, values + others


def members(value, way=()):
    """All paths of a document, as tuples, with what is there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in items:
        yield way + (key,), inside
        yield from members(inside, way + (key,))


def of_other_types(root):
    """(path as errors give it, document) for each member of FULL and each other type."""
    full = json.loads(json.dumps(FULL))  # not deepcopy, which keeps shared parts shared
    full["root"]["path"] = root
    for way, value in members(full):
        for other in OTHER_TYPES[type(value)]:
            document = copy.deepcopy(full)
            if way[:2] == ("linux", "seccomp"):  # looked at when the limits are set: they must not fail before
                del document["linux"]["resources"]
            place = document
            for step in way[:-1]:
                place = place[step]
            place[way[-1]] = other
            yield "".join("[%d]" % s if isinstance(s, int) else "." + s for s in way)[1:], document


class Runner:
    def __init__(self, bundle, state, marker, command):
        self.bundle, self.state, self.marker, self.command = bundle, state, marker, command
        with open(os.path.join(bundle, "base.json"), encoding="utf-8") as f:
            self.base = json.load(f)

    def run(self, document):
        with open(os.path.join(self.bundle, "config.json"), "w", encoding="utf-8") as f:
            json.dump(document, f)
        return subprocess.run(self.command + ["run", "--bundle", self.bundle, "bad"], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=30, check=False)

    def problem(self, path, setting, value):
        document = copy.deepcopy(self.base)
        for where, what in setting.items():
            put(document, where, json.loads(json.dumps(what)))
        put(document, path, value)
        return self.judge(document, re.sub(r"\.(\d+)", r"[\1]", path))

    def judge(self, document, wanted):
        """None when the document was refused as it should be: by that name."""
        done = self.run(document)
        text = done.stderr.decode(errors="replace")
        if done.returncode == 0:
            return "it was accepted"
        if wanted not in text:
            return "the error does not name it: " + text.strip()[:200]
        if os.path.exists(self.marker):
            os.unlink(self.marker)
            return "the program ran"
        if os.path.isdir(self.state) and os.listdir(self.state):
            return "a state directory is left"
        if left_cgroups():
            return "a cgroup is left"
        return None


def left_cgroups():
    return [d for d in ("/sys/fs/cgroup/ctrace/bad", "/sys/fs/cgroup/memory/ctrace/bad", "/sys/fs/cgroup/pids/ctrace/bad",
                        "/sys/fs/cgroup/unified/ctrace/bad") if os.path.isdir(d)]


def main():
    bundle, state, marker, *command = sys.argv[1:]
    runner = Runner(bundle, state, marker, command)
    good = runner.run(runner.base)
    number = 1
    print("%sok 1 - the configuration that all these are made of runs" %
          ("" if good.returncode == 0 and os.path.exists(marker) else "not "))
    if good.returncode:
        print("# " + good.stderr.decode(errors="replace").strip())
    if os.path.exists(marker):
        os.unlink(marker)
    for field in FIELDS:
        path, setting, values = variants(field)
        problems = []
        for value in values:
            wrong = runner.problem(path, setting, value)
            if wrong:
                problems.append("%.60r: %s" % (value, wrong))
        number += 1
        print("%sok %d - %s (%d values)" % ("not " if problems else "", number, path, len(values)))
        for line in problems:
            print("# " + line)
    problems, count = [], 0
    for wanted, document in of_other_types(runner.base["root"]["path"]):
        count += 1
        wrong = runner.judge(document, wanted)
        if wrong:
            problems.append("%s: %s" % (wanted, wrong))
    number += 1
    print("%sok %d - every member of the specification with a value of another type (%d)" %
          ("not " if problems else "", number, count))
    for line in problems:
        print("# " + line)
    print("1..%d" % number)


main()
