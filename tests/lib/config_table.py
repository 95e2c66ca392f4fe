# SPDX-License-Identifier: Apache-2.0
"""The fields of an OCI config.json (runtime-spec 1.1: config.md, config-linux.md): one table, for those who try what a
runtime does with values that are wrong, and with values that are unusual and right.

FULL holds every member that the specification gives a Linux container; FIELDS has a row for each of them. What is not in
the table is of other platforms (vm, windows, solaris, zos, process.commandLine): ignored.

As with runc: null is a member that is not there; unknown members are ignored; unknown capabilities are passed over;
user, uid and gid may be missing; a relative mounts[].destination is below the root; strings that the kernel takes as
bytes (arguments, variables, paths, options) need not be UTF-8.

runc 1.1.5 takes, and this does not: a name twice in an object (the last counts there, the first for others); text behind the
document; null or another type as an element of an array of strings; an annotation without a name, an errno for an action
that has none, listenerMetadata without listenerPath, an rlimit twice (the specification forbids them); a device path
twice, for two devices; scheduler.priority for a policy without; relative
maskedPaths; an integer beyond 64 bits in an unknown member.
"""

import collections
import json
import re

STRING, BYTES, PATH, BOOL, INT, UINT, OBJECT, STRINGS, INTS, OBJECTS = (
    "string", "bytes", "path", "bool", "integer", "unsigned", "object", "strings", "integers", "objects")

MISSING = object()  # as a value: the member is not there


class Raw(str):
    """A value that stands in the document as it is: what json.dumps would not write."""


# A value whose error names something else than the field: an element or a member of it ("[0]"), or another field
# (its whole path).
At = collections.namedtuple("At", "where value")

NOT_UTF8 = Raw('"a\udcff"')
LONG = "x" * 2**17  # MAX_ARG_STRLEN: nothing takes a longer one
LONG_PATH = "/" + "y" * 4095

# What is no value of a type. null is not in it: it stands for a member that is not there.
WRONG = {
    STRING: [1, True, ["x"], {}, "a\0b", LONG, NOT_UTF8],
    BYTES: [1, True, ["x"], {}, "a\0b", LONG],
    PATH: [1, True, ["/"], {}, "/a\0b", LONG_PATH],
    BOOL: [1, "true", [], {}],
    INT: ["1", Raw("1.0"), True, [1], {}, -2**63 - 1, 2**63, 2**64, Raw("1e400")],
    UINT: ["1", 1.5, True, [1], {}, -1, -2**63 - 1, 2**64, Raw("1e400")],
    OBJECT: [1, "x", True, ["x"]],
    STRINGS: [1, "x", True, {}] + [At("[0]", [e]) for e in (1, None, {}, ["x"], LONG, "a\0b")] + [At("[1]", ["x=y", True])],
    INTS: [1, "x", {}] + [At("[0]", [e]) for e in ("1", None, True, 1.5, -1, 2**32, 2**64)],
    OBJECTS: [1, "x", True, {}] + [At("[0]", [e]) for e in (1, "x", None, [])],
}

# path; type; whether it must be there; values that are wrong for other reasons than their type; values that are right
# though they look odd; members that go when this one is not there.
Field = collections.namedtuple("Field", "path kind required wrong takes without")


def field(path, kind, required=False, wrong=(), takes=(), without=()):
    return Field(path, kind, required, list(wrong), list(takes), list(without))


MAP = {"containerID": 0, "hostID": 0, "size": 65536}
CLOCK = {"secs": 1, "nanosecs": 1}
THROTTLE = [{"major": 8, "minor": 0, "rate": 10}]
HOOKS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
CAPABILITIES = ("bounding", "effective", "permitted", "inheritable", "ambient")
THROTTLES = ("throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice")
NAMESPACES = ("mount", "pid", "uts", "ipc", "user", "cgroup", "time", "network")


def full(root, marks, cgroup):
    """A document with every field, each with a value that is right. What runs in it makes a file in the directory
    `marks`, and so do its hooks."""
    hook = [{"path": "/bin/sh", "args": ["sh", "-c", "echo >%s/hook" % marks], "env": ["A=b"], "timeout": 5}]
    document = {
        "ociVersion": "1.1.0", "hostname": "h", "domainname": "d", "annotations": {"a": "b"},
        "root": {"path": root, "readonly": True},
        "process": {
            "terminal": False, "consoleSize": {"height": 1, "width": 1}, "args": ["/bin/touch", "/marks/ran"],
            "env": ["PATH=/bin", "A=b"], "cwd": "/",
            "user": {"uid": 0, "gid": 0, "umask": 18, "additionalGids": [5]},
            "capabilities": dict.fromkeys(CAPABILITIES, ["CAP_KILL"]),
            "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}, {"type": "RLIMIT_CPU", "soft": 9, "hard": 9}],
            "noNewPrivileges": True, "apparmorProfile": "a", "selinuxLabel": "s", "oomScoreAdj": 1,
            "scheduler": {"policy": "SCHED_DEADLINE", "nice": 0, "priority": 0, "flags": ["SCHED_FLAG_RESET_ON_FORK"],
                          "runtime": 100000, "deadline": 200000, "period": 300000},
            "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 1}},
        "mounts": [
            {"destination": "/marks", "type": "bind", "source": marks, "options": ["rbind"], "uidMappings": [MAP],
             "gidMappings": [MAP]},
            {"destination": "/m", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k"]}],
        "hooks": {kind: hook for kind in HOOKS},
        "linux": {
            "namespaces": [{"type": t} for t in NAMESPACES[:-1]] + [{"type": "network", "path": "/proc/self/ns/net"}],
            "uidMappings": [MAP], "gidMappings": [MAP], "timeOffsets": {"monotonic": CLOCK, "boottime": CLOCK},
            "devices": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 0, "gid": 0}],
            "cgroupsPath": cgroup, "rootfsPropagation": "private", "maskedPaths": ["/proc/kcore"],
            "readonlyPaths": ["/proc/sys"], "mountLabel": "l", "personality": {"domain": "LINUX", "flags": []},
            "sysctl": {"net.ipv4.ip_forward": "1"}, "intelRdt": {"enableCMT": False, "enableMBM": False},
            "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": ["SCMP_ARCH_X86_64"],
                        "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/l", "listenerMetadata": "m",
                        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
                                      "args": [{"index": 0, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_EQ"}]}]},
            "resources": {
                "memory": {"limit": 2**28, "reservation": 2**27, "swap": 2**29, "kernel": 1, "kernelTCP": 1,
                           "swappiness": 1, "disableOOMKiller": False, "useHierarchy": True, "checkBeforeUpdate": True},
                "cpu": {"shares": 1024, "quota": 50000, "burst": 0, "period": 100000, "realtimeRuntime": 1,
                        "realtimePeriod": 1000000, "idle": 0, "cpus": "0", "mems": "0"},
                "pids": {"limit": 100},
                "blockIO": dict({"weight": 10, "leafWeight": 10,
                                 "weightDevice": [{"major": 8, "minor": 0, "weight": 10, "leafWeight": 10}]},
                                **{t: THROTTLE for t in THROTTLES}),
                "hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
                "network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]},
                "rdma": {"mlx": {"hcaHandles": 1, "hcaObjects": 1}}, "unified": {"memory.high": "max"},
                "devices": [{"allow": False, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]}},
    }
    return json.loads(json.dumps(document))  # parts that are alike are not the same one


ID = [-1, -2, 2**32 - 1, 2**32]  # 2^32-1 is (uid_t)-1: "leave it alone"
WORD = ["", "NO", "SCMP_ACT_ALLOW ", "\u0130"]


def process_fields(at="process"):
    limit = at + ".rlimits[0]"
    return [
        field(at + ".terminal", BOOL),
        field(at + ".consoleSize", OBJECT),
        field(at + ".consoleSize.height", INT, True, [-1, 65536]),
        field(at + ".consoleSize.width", INT, True, [-1, 65536]),
        # The specification wants user, uid and gid; runc and crun take 0 for what is missing, and so must we.
        field(at + ".user", OBJECT),
        field(at + ".user.uid", INT, wrong=ID),
        field(at + ".user.gid", INT, wrong=ID),
        field(at + ".user.umask", INT, wrong=[-1, 0o1000], takes=[0, 0o777]),
        field(at + ".user.additionalGids", INTS, wrong=[[0] * 65537, At("[0]", [2**32 - 1])], takes=[[], [1, 1]]),
        field(at + ".args", STRINGS, True, [[], At("[1]", ["a", LONG + LONG])], takes=[["\ufffd"], [NOT_UTF8]]),
        field(at + ".args[0]", BYTES, True),
        field(at + ".env", STRINGS, wrong=[At("[0]", ["NOVALUE"]), At("[0]", ["=x"]), At("[0]", [""]), At("[1]", ["A=", "B"])],
              takes=[[], ["A="], ["A=1", "A=2"], [Raw('"A=\udcff"')]]),
        field(at + ".env[0]", BYTES, True),
        field(at + ".cwd", PATH, True, ["", "relative", "../x", "."], takes=["/..", Raw('"/\udcff"')]),
        field(at + ".capabilities", OBJECT),
    ] + [field("%s.capabilities.%s" % (at, kind), STRINGS,  # config.md: unknown names are to be passed over
               takes=[[], ["CAP_OF_TOMORROW"], [""], ["cap_kill"]]) for kind in CAPABILITIES] + [
        field(at + ".rlimits", OBJECTS, takes=[[]]),
        field(limit, OBJECT, True),
        field(limit + ".type", STRING, True, WORD + ["RLIMIT_NO", "rlimit_core", At("%s.rlimits[1].type" % at, "RLIMIT_CPU")]),
        field(limit + ".soft", UINT, True, [1, 2**64 - 1]),
        field(limit + ".hard", UINT, True, takes=[2**64 - 1, 2**63]),
        field(at + ".noNewPrivileges", BOOL),
        field(at + ".apparmorProfile", PATH, takes=[""]),
        field(at + ".selinuxLabel", PATH, takes=[""]),
        field(at + ".oomScoreAdj", INT, wrong=[-1001, 1001], takes=[-1000, 1000]),
        field(at + ".scheduler", OBJECT),
        field(at + ".scheduler.policy", STRING, True, WORD + ["SCHED_NO", "SCHED_OTHER\n"]),
        field(at + ".scheduler.nice", INT, wrong=[-21, 20]),
        field(at + ".scheduler.priority", INT, wrong=[-1, 100, 5]),
        field(at + ".scheduler.runtime", UINT, True, [0, 200001]),  # as SCHED_DEADLINE wants it
        field(at + ".scheduler.deadline", UINT, True, [0, 300001, At(at + ".scheduler.runtime", 1)]),
        field(at + ".scheduler.period", UINT, wrong=[At(at + ".scheduler.deadline", 1)], takes=[0]),
        field(at + ".scheduler.flags", STRINGS, wrong=[At("[0]", ["SCHED_FLAG_NO"]), At("[0]", [""])], takes=[[]]),
        field(at + ".ioPriority", OBJECT),
        field(at + ".ioPriority.class", STRING, True, WORD + ["IOPRIO_CLASS_NO"]),
        field(at + ".ioPriority.priority", INT, wrong=[-1, 8]),
    ]


def map_fields(at, without=()):
    return [
        field(at, OBJECTS, without=without, wrong=[At("[1]", [MAP, MAP]), At("[1]", [dict(MAP, size=9), dict(MAP, containerID=5, hostID=99)]),
                                  At("[1]", [dict(MAP, size=9), dict(MAP, containerID=99, hostID=8)])]),
        field(at + "[0]", OBJECT, True),
        field(at + "[0].containerID", INT, True, ID + [At(at + "[0].size", 2**32 - 2)]),
        field(at + "[0].hostID", INT, True, ID + [At(at + "[0].size", 2**32 - 2)]),
        field(at + "[0].size", INT, True, [-1, 0, 2**32]),
    ]


def hook_fields():
    rows = [field("hooks", OBJECT)]
    for kind in HOOKS:
        at = "hooks." + kind
        rows += [field(at, OBJECTS, takes=[[]]),
                 field(at + "[0]", OBJECT, True),
                 field(at + "[0].path", PATH, True, ["true", "", "./x"]),
                 field(at + "[0].args", STRINGS, takes=[[], [NOT_UTF8]]),
                 field(at + "[0].env", STRINGS, takes=[[]]),
                 field(at + "[0].timeout", INT, wrong=[-1, 0])]
    return rows


def resource_fields(at="linux.resources"):
    memory, cpu, block = at + ".memory", at + ".cpu", at + ".blockIO"
    weight = block + ".weightDevice[0]"
    page, priority, rule = at + ".hugepageLimits[0]", at + ".network.priorities[0]", at + ".devices[0]"
    rows = [
        field(memory, OBJECT),
        field(memory + ".limit", INT, wrong=[-2, At(memory + ".swap", 2**30)],
              without=["swap"]),
        field(memory + ".reservation", INT, wrong=[-2], takes=[-1, 0, 2**29]),
        field(memory + ".swap", INT, wrong=[-2, 2**27], takes=[-1, 0, 2**28]),
        field(memory + ".kernel", INT, wrong=[-2]),
        field(memory + ".kernelTCP", INT, wrong=[-2]),
        field(memory + ".swappiness", INT, wrong=[-1, 201], takes=[0, 100]),
        field(memory + ".disableOOMKiller", BOOL),
        field(memory + ".useHierarchy", BOOL),
        field(memory + ".checkBeforeUpdate", BOOL),
        field(cpu, OBJECT),
        field(cpu + ".shares", INT, wrong=[-1]),
        field(cpu + ".quota", INT, wrong=[-2], takes=[-1, 0]),
        field(cpu + ".burst", INT, wrong=[-1, 50001]),
        field(cpu + ".period", INT, wrong=[-1]),
        field(cpu + ".realtimeRuntime", INT, wrong=[-2, 1000001]),
        field(cpu + ".realtimePeriod", INT, wrong=[-1]),
        field(cpu + ".idle", INT, wrong=[-1, 2]),
        field(cpu + ".cpus", STRING, wrong=["a-b", "0;1", LONG_PATH], takes=["", "0-1,3"]),
        field(cpu + ".mems", STRING, wrong=["/", LONG_PATH], takes=[""]),
        field(at + ".pids", OBJECT),
        field(at + ".pids.limit", INT, takes=[-1, 0, -2]),
        field(block, OBJECT),
        field(block + ".weight", INT, wrong=[-1, 10001]),
        field(block + ".leafWeight", INT, wrong=[-1, 1001]),
        field(block + ".weightDevice", OBJECTS, takes=[[]]),
        field(weight, OBJECT, True),
        field(weight + ".major", INT, True, [-1, 2**31]),
        field(weight + ".minor", INT, True, [-1, 2**31]),
        field(weight + ".weight", INT, wrong=[-1, 10001]),
        field(weight + ".leafWeight", INT, wrong=[-1, 1001]),
        field(at + ".hugepageLimits", OBJECTS, wrong=[At("[1].pageSize", [{"pageSize": "2MB", "limit": 1}] * 2)], takes=[[]]),
        field(page, OBJECT, True),
        field(page + ".pageSize", STRING, True, ["", "2/MB", "../x", "2" * 17]),
        field(page + ".limit", UINT, True, takes=[2**64 - 1]),
        field(at + ".network", OBJECT),
        field(at + ".network.classID", INT, wrong=[-1, 2**32]),
        field(at + ".network.priorities", OBJECTS, wrong=[At("[1].name", [{"name": "lo", "priority": 1}] * 2)], takes=[[]]),
        field(priority, OBJECT, True),
        field(priority + ".name", STRING, True, ["", "n" * 16, "a b", "a/b"]),
        field(priority + ".priority", INT, True, [-1, 2**32]),
        field(at + ".rdma", OBJECT, takes=[{}]),
        field(at + ".rdma.mlx", OBJECT),
        field(at + ".rdma.mlx.hcaHandles", INT, wrong=[-1, 2**32]),
        field(at + ".rdma.mlx.hcaObjects", INT, wrong=[-1, 2**32]),
        field(at + ".unified", OBJECT, wrong=[At(".../x", {"../x": "1"}), At("." + "m" * 64, {"m" * 64: "1"})], takes=[{}]),
        field(at + ".unified.{memory.high}", PATH, wrong=[None], takes=["max\n", MISSING]),
        field(at + ".devices", OBJECTS, takes=[[]]),
        field(rule, OBJECT, True),
        field(rule + ".allow", BOOL, True),
        field(rule + ".type", STRING, wrong=["x", "cc", "p", "u"], takes=["", "a", "b"]),
        field(rule + ".major", INT, wrong=[-2, 2**31], takes=[-1]),
        field(rule + ".minor", INT, wrong=[-2, 2**31], takes=[-1]),
        field(rule + ".access", STRING, wrong=["x", "rwmr", "a", "RW"], takes=["", "r", "rwa"]),
    ]
    for throttle in THROTTLES:
        rows += [field("%s.%s" % (block, throttle), OBJECTS, takes=[[]]),
                 field("%s.%s[0]" % (block, throttle), OBJECT, True)]
        rows += [field("%s.%s[0].%s" % (block, throttle, member), INT, True, wrong)
                 for member, wrong in (("major", [-1, 2**31]), ("minor", [-1, 2**31]), ("rate", [-1]))]
    return rows


def seccomp_fields(at="linux.seccomp"):
    rule, arg = at + ".syscalls[0]", at + ".syscalls[0].args[0]"
    return [
        field(at, OBJECT),
        field(at + ".defaultAction", STRING, True, WORD + [At(at + ".defaultErrnoRet", a) for a in ("SCMP_ACT_ALLOW", "SCMP_ACT_NOTIFY")]),
        field(at + ".defaultErrnoRet", INT, wrong=[-1, 4096], takes=[0]),
        field(at + ".architectures", STRINGS, wrong=[At("[0]", ["SCMP_ARCH_NO"]), At("[0]", [""])], takes=[[]]),
        field(at + ".flags", STRINGS, wrong=[At("[0]", ["SECCOMP_FILTER_FLAG_NO"]), At("[1]", ["SECCOMP_FILTER_FLAG_LOG", ""])],
              takes=[[]]),
        field(at + ".listenerPath", PATH, takes=["/x"], without=["listenerMetadata"]),
        field(at + ".listenerMetadata", STRING, takes=[""]),
        field(at + ".syscalls", OBJECTS, takes=[[]]),
        field(rule, OBJECT, True),
        field(rule + ".names", STRINGS, True, [[]], takes=[["call_of_tomorrow"]]),
        field(rule + ".action", STRING, True, WORD + ["X", At(rule + ".errnoRet", "SCMP_ACT_ALLOW")]),
        field(rule + ".errnoRet", INT, wrong=[-1, 4096]),
        field(rule + ".args", OBJECTS, wrong=[[{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}] * 7], takes=[[]]),
        field(arg, OBJECT, True),
        field(arg + ".index", INT, True, [-1, 6]),
        field(arg + ".value", UINT, True, takes=[2**64 - 1]),
        field(arg + ".valueTwo", UINT),
        field(arg + ".op", STRING, True, WORD + ["SCMP_CMP_NO"]),
    ]


def linux_fields():
    device = "linux.devices[0]"
    rows = [
        field("linux", OBJECT, True),
        field("linux.namespaces", OBJECTS, True, [[], [{"type": "pid"}]]),
        field("linux.namespaces[0]", OBJECT, True),
    ]
    for i, kind in enumerate(NAMESPACES[:-1]):
        rows.append(field("linux.namespaces[%d].type" % i, STRING, True,
                          WORD + [kind.upper(), At("linux.namespaces[7].type", "network")]))
    rows += [
        field("linux.namespaces[7].type", STRING, True, ["", "net", "pid", "mount"]),
        field("linux.namespaces[7].path", PATH, wrong=["relative"], takes=["", "/x"], without=["/linux.sysctl"]),
        field("linux.timeOffsets", OBJECT, wrong=[At(".realtime", {"realtime": {"secs": 1}})], takes=[{}]),
        field("linux.devices", OBJECTS, takes=[[]], wrong=[At("[1].path", [
            {"path": "/dev/x", "type": "c", "major": 1, "minor": 3}, {"path": "/dev/x", "type": "c", "major": 1, "minor": 5}])]),
        field(device, OBJECT, True),
        field(device + ".type", STRING, True, ["x", "", "cc", "a"], takes=["b", "u", "p"]),
        field(device + ".path", PATH, True, ["", "dev/x"]),
        field(device + ".major", INT, True, [-1, 4096]),
        field(device + ".minor", INT, True, [-1, 2**20]),
        field(device + ".fileMode", INT, wrong=[-1, 2**16]),
        field(device + ".uid", INT, wrong=ID),
        field(device + ".gid", INT, wrong=ID),
        field("linux.cgroupsPath", PATH, wrong=["/ctrace/../../x", "..", "a/..", "/" + "c" * 256], takes=["", "x/y", "a:b:c"]),
        field("linux.rootfsPropagation", STRING, wrong=["no", "SHARED", "rprivate "], takes=["", "rslave"]),
        field("linux.maskedPaths", STRINGS, wrong=[At("[0]", ["relative"]), At("[1]", ["/x", ""]), At("[0]", [LONG_PATH])],
              takes=[[]]),
        field("linux.readonlyPaths", STRINGS, wrong=[At("[0]", ["relative"]), At("[1]", ["/x", ""]), At("[0]", [LONG_PATH])],
              takes=[[]]),
        field("linux.mountLabel", STRING, takes=[""]),
        field("linux.personality", OBJECT),
        field("linux.personality.domain", STRING, True, WORD + ["BSD", "linux"], takes=["LINUX32"]),
        field("linux.personality.flags", STRINGS, wrong=[At("[0]", ["X"])]),
        field("linux.sysctl", OBJECT, takes=[{}], wrong=[
            At("." + name, {name: "1"}) for name in ("kernel.core_pattern", "kernel.hostname", "vm.swappiness", "net..x", "x",
                                                     "net/../../x", "net.ipv4.ip_forward/../../..")] +
              [At(".kernel.msgmax\\n", {"kernel.msgmax\n": "1"}), At('.""', {"": "1"})]),
        field("linux.sysctl.{net.ipv4.ip_forward}", STRING, wrong=[None], takes=[MISSING]),
        field("linux.intelRdt", OBJECT, wrong=[At(".closID", {"closID": "x"}), At(".l3CacheSchema", {"l3CacheSchema": "x"}),
                                               At(".memBwSchema", {"memBwSchema": "x"})], takes=[{}]),
        field("linux.intelRdt.enableCMT", BOOL, wrong=[True]),
        field("linux.intelRdt.enableMBM", BOOL, wrong=[True]),
        field("linux.resources", OBJECT),
    ]
    for clock in ("monotonic", "boottime"):
        rows += [field("linux.timeOffsets." + clock, OBJECT),
                 field("linux.timeOffsets.%s.secs" % clock, INT, takes=[-1, 0]),
                 field("linux.timeOffsets.%s.nanosecs" % clock, INT, wrong=[-1, 10**9])]
    for kind in ("linux.uidMappings", "linux.gidMappings"):
        # they must be there as the document has a user namespace of its own
        first, *others = map_fields(kind)
        rows += [first._replace(required=True, wrong=first.wrong + [[]])] + others
    return rows + resource_fields() + seccomp_fields()


FIELDS = [
    field("ociVersion", STRING, True, ["", "x", "2.0.0", "0.5.0", "1", "1.", "1.x", "11.0.0", " 1.0.0"], takes=["1.0.2-dev", "1.99.0"]),
    field("root", OBJECT, True),
    field("root.path", PATH, True, [""]),
    field("root.readonly", BOOL),
    field("hostname", STRING, wrong=["h" * 65], takes=["h" * 64, ""]),
    field("domainname", STRING, wrong=["d" * 65], takes=["d" * 64]),
    field("annotations", OBJECT, wrong=[At("", {"": "x"})], takes=[{}]),
    field("annotations.a", STRING, takes=["", "x" * 5000]),
    field("process", OBJECT, True),
    field("mounts", OBJECTS, takes=[[]]),
    field("mounts[0]", OBJECT, True),
    field("mounts[0].destination", PATH, True, [""]),
    field("mounts[1].destination", PATH, True, [""], takes=["relative"]),  # as runc: below the root
    field("mounts[0].type", STRING, takes=["none", ""]),
    field("mounts[1].type", STRING, True, [""]),
    field("mounts[0].source", PATH, True, [""]),
    field("mounts[1].source", PATH, takes=[""]),
    field("mounts[0].options", STRINGS, wrong=[At("[0]", ["size=5"]), At("[1]", ["ro", "tmpcopyup"])],
          takes=[[], ["ro", "rw"], [""]]),
    field("mounts[1].options", STRINGS, wrong=[At("[0]", ["idmap"]), At("[1]", ["ro", "ridmap"])], takes=[[]]),
] + [
    row for kind in ("uidMappings", "gidMappings")
    for row in map_fields("mounts[0]." + kind, ["uidMappings", "gidMappings"])
] + process_fields() + hook_fields() + linux_fields()

# Fields that are right alone and not together: what the error names, and {path: value}.
CONTRADICTIONS = [
    ("linux.namespaces[1].type", {"linux.namespaces": [{"type": "mount"}, {"type": "mount", "path": "/x"}]}),
    ("linux.namespaces", {"linux.namespaces": [{"type": t} for t in NAMESPACES if t != "mount"]}),
    ("hostname", {"linux.namespaces": [{"type": t} for t in NAMESPACES if t != "uts"]}),
    ("domainname", {"hostname": MISSING, "linux.namespaces": [{"type": t} for t in NAMESPACES if t != "uts"]}),
    ("linux.uidMappings", {"linux.namespaces": [{"type": t} for t in NAMESPACES if t != "user"]}),
    ("linux.gidMappings", {"linux.uidMappings": MISSING, "linux.namespaces": [{"type": t} for t in NAMESPACES if t != "user"]}),
    ("linux.uidMappings", {"linux.uidMappings": MISSING}),
    ("linux.gidMappings", {"linux.gidMappings": []}),
    ("linux.timeOffsets", {"linux.namespaces": [{"type": t} for t in NAMESPACES if t != "time"]}),
    ("linux.sysctl.net.ipv4.ip_forward", {"linux.namespaces": [{"type": t} for t in NAMESPACES if t != "network"]}),
    ("linux.sysctl.kernel.shmmax", {"linux.namespaces": [{"type": t} for t in NAMESPACES if t != "ipc"],
                                    "linux.sysctl": {"kernel.shmmax": "1"}}),
    ("linux.sysctl.fs.mqueue.msg_max", {"linux.namespaces": [{"type": t} for t in NAMESPACES if t != "ipc"],
                                        "linux.sysctl": {"fs.mqueue.msg_max": "1"}}),
    ("linux.sysctl.kernel.domainname", {"linux.namespaces": [{"type": t} for t in NAMESPACES if t != "uts"],
                                        "hostname": MISSING, "domainname": MISSING, "linux.sysctl": {"kernel.domainname": "x"}}),
    ("mounts[0].uidMappings", {"mounts[0].uidMappings": MISSING}),
    ("mounts[0].gidMappings", {"mounts[0].gidMappings": []}),
    ("mounts[0].uidMappings", {"mounts[0].uidMappings": MISSING, "mounts[0].gidMappings": MISSING, "linux.uidMappings": MISSING,
                              "linux.gidMappings": MISSING, "mounts[0].options": ["ro", "idmap"],
                              "linux.namespaces": [{"type": "mount"}, {"type": "uts"}, {"type": "time"}, {"type": "network"}]}),
    ("mounts[1].uidMappings", {"mounts[1].uidMappings": [MAP], "mounts[1].gidMappings": [MAP]}),
    ("process.terminal", {"process.terminal": True}),
    ("process.scheduler.priority", {"process.scheduler": {"policy": "SCHED_FIFO"}}),
    ("process.scheduler.priority", {"process.scheduler": {"policy": "SCHED_RR", "priority": 0}}),
    ("process.scheduler.priority", {"process.scheduler": {"policy": "SCHED_OTHER", "priority": 1}}),
    ("process.scheduler.runtime", {"process.scheduler": {"policy": "SCHED_OTHER", "runtime": 5}}),
    ("process.scheduler.deadline", {"process.scheduler": {"policy": "SCHED_BATCH", "deadline": 5}}),
    ("process.scheduler.period", {"process.scheduler": {"policy": "SCHED_FIFO", "priority": 1, "period": 5}}),
    ("process.scheduler.runtime", {"process.scheduler": {"policy": "SCHED_DEADLINE"}}),
    ("linux.resources.memory.swap", {"linux.resources.memory": {"swap": 2**28}}),
    ("linux.resources.blockIO.weightDevice[0].weight", {"linux.resources.blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}}),
    ("linux.devices[0].major", {"linux.devices": [{"path": "/dev/x", "type": "b", "minor": 1}]}),
    ("linux.seccomp.listenerPath", {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}}),
    ("linux.seccomp.listenerPath", {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "", "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}}),
    ("linux.seccomp.listenerMetadata", {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "m"}}),
    ("linux.seccomp.defaultAction", {"linux.seccomp": {"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"}}),
    ("linux.seccomp.syscalls[0].names[1]", {"linux.seccomp.syscalls": [{"names": ["mkdir", "write"], "action": "SCMP_ACT_NOTIFY"}]}),
    ("linux.seccomp.syscalls[0].names[0]", {"linux.seccomp.syscalls": [{"names": ["sendmsg"], "action": "SCMP_ACT_NOTIFY"}]}),
]

def runnable(root, marks, cgroup):
    """FULL without what this host, or this bundle, may not have: it runs."""
    return changed(full(root, marks, cgroup), dict.fromkeys(
        ["linux." + name for name in ("uidMappings", "gidMappings", "mountLabel", "seccomp.listenerPath", "seccomp.listenerMetadata",
                                      "seccomp.defaultErrnoRet")] +
        ["linux.resources." + name for name in ("memory.swap", "memory.swappiness", "cpu.burst", "cpu.idle", "cpu.realtimeRuntime",
                                                "cpu.realtimePeriod", "blockIO", "hugepageLimits", "network", "rdma",
                                                "unified")] +
        ["process.apparmorProfile", "process.selinuxLabel", "mounts[0].uidMappings", "mounts[0].gidMappings",
         "hooks.startContainer", "hooks.createContainer", "hooks.poststop"], MISSING) | {
             "process.scheduler": {"policy": "SCHED_OTHER", "nice": 0}, "linux.seccomp.defaultAction": "SCMP_ACT_ALLOW",
             "linux.namespaces": [{"type": t} for t in NAMESPACES if t != "user"]})


def nothing(document):
    """The document with null for every field that need not be there, but for its mounts."""
    document = copied(document)
    for row in FIELDS:
        if not row.required and not row.path.startswith(("mounts", "annotations.")) and None not in row.wrong:
            try:
                put(document, row.path, None)
            except (TypeError, LookupError):  # it is inside of one that is null, or was never there
                pass
    return document


# Combinations that look odd and are right.
TAKEN = [
    {"linux.devices": [{"path": "/dev/x", "type": "p"}]},
    {"linux.resources.blockIO": {"weightDevice": [{"major": 8, "minor": 0, "leafWeight": 10}]}},
    {"process.terminal": False, "process.consoleSize": {"height": 65535, "width": 65535}},
    {"process.scheduler": {"policy": "SCHED_FIFO", "priority": 99}},
    {"process.scheduler": {"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 5}},
    {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": ""}},
    {"linux.seccomp": {"defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": 5}},
    {"mounts[0].options": ["idmap"], "mounts[0].uidMappings": MISSING, "mounts[0].gidMappings": MISSING},
]

# (what, text, what the error says): documents that are no JSON, or that two readers would read in two ways.
GOOD = '{"ociVersion": "1.1.0", "root": {"path": "/"}, "process": {"args": ["a"], "cwd": "/"}, "linux": {"namespaces": [{"type": "mount"}]}}'
TEXTS = [
    ("an empty file", "", "not a JSON object"),
    ("white space", " \n", "not a JSON object"),
    ("an array", "[%s]" % GOOD, "not a JSON object"),
    ("a word", "null", "not a JSON object"),
    ("the first half", GOOD[:90], "not a JSON object"),
    ("without its last byte", GOOD[:-1], "not a JSON object"),
    ("text behind it", GOOD + "x", "byte %d" % len(GOOD)),
    ("two documents", GOOD + GOOD, "byte %d" % len(GOOD)),
    ("NUL behind it", GOOD + "\0", "byte %d" % len(GOOD)),
    ("a byte order mark", "\ufeff" + GOOD, "not a JSON object"),
    ("a comment", GOOD.replace('"root"', '/* x */ "root"'), "not a JSON object"),
    ("a comma at the end", GOOD.replace('"/"}, "linux"', '"/",}, "linux"'), "config: process: "),
    ("single quotes", GOOD.replace('"a"', "'a'"), "config: process.args[0]: "),
    ("NaN", GOOD.replace('"a"', "NaN"), "config: process.args[0]: "),
    ("Infinity", GOOD.replace('"a"', "-Infinity"), "config: process.args[0]: "),
    ("an octal number", GOOD.replace('"a"', "010"), "config: process.args: "),
    ("a hexadecimal number", GOOD.replace('"a"', "0x10"), "config: process.args: "),
    ("a control character", GOOD.replace('"a"', '"\n"'), "config: process.args[0]: "),
    ("an unknown escape", GOOD.replace('"a"', r'"\x41"'), "config: process.args[0]: "),
    ("half an escape", GOOD.replace('"a"', r'"\u00"'), "config: process.args[0]: "),
    ("a string without end", GOOD.replace('"a"', '"a'), "config: process"),
    ("nesting without end", GOOD.replace('"a"', "[" * 100000), "config: process.args[0][0]"),
    ("nesting of 65 levels", GOOD.replace('"a"', "[" * 63 + "]" * 63), "config: process.args[0][0]"),
    ("objects without end", GOOD.replace('"a"', '{"a":' * 100000), "config: "),
    ("a field twice", GOOD.replace('"args"', '"args": ["b"], "args"'), "config: process.args: "),
    ("a section twice", GOOD.replace('"process"', '"process": {}, "process"'), "config: process: "),
    ("a field twice, once in escapes", GOOD.replace('"args"', r'"\u0061rgs": ["b"], "args"'), "config: process.args: "),
    ("a field twice, outside of ASCII", GOOD.replace('"args"', '"\U0001f600": 1, "\\ud83d\\ude00": 2, "args"'), "config: process."),
    ("an unknown field twice", GOOD.replace('"args"', '"x": 1, "x": 1, "args"'), "config: process.x: "),
    ("a name with a NUL byte", GOOD.replace('"process"', r'"process\u0000x"'), "config: process: "),
    ("a name that is not UTF-8", GOOD.replace('"root"', '"\udcff": 1, "root"'), "UTF-8"),
    ("a number of 100 digits", GOOD.replace('"a"', "9" * 100), "config: process.args[0]: "),
    ("2^64 in an unknown place", GOOD.replace('"root"', '"x": [%d], "root"' % 2**64), "config: x[0]: "),
]

STEP = re.compile(r"\{([^}]*)\}|\[(\d+)\]|([^.\[\]{}]+)")


def steps(path):
    """"a[0].{b.c}" -> ["a", 0, "b.c"]"""
    return [int(index) if index else quoted or plain for quoted, index, plain in STEP.findall(path)]


def shown(path):
    """The path as errors give it."""
    return path.replace("{", "").replace("}", "")


def put(document, path, value):
    *way, last = steps(path)
    for step in way:
        document = document[step]
    if value is not MISSING:
        document[last] = value
    elif isinstance(document, list):
        document[last] = None
    else:
        document.pop(last, None)


def copied(value):
    if isinstance(value, dict):
        return {key: copied(inside) for key, inside in value.items()}
    return [copied(inside) for inside in value] if isinstance(value, list) else value


def changed(document, changes):
    document = copied(document)
    for path, value in changes.items():
        put(document, path, value)
    return document


def text_of(document):
    """As bytes; what is Raw in it stands as it is."""
    raw = []

    def mark(value):
        if isinstance(value, Raw):
            raw.append(value)
            return "\ue000%d\ue001" % (len(raw) - 1)
        if isinstance(value, dict):
            return {key: mark(inside) for key, inside in value.items()}
        return [mark(inside) for inside in value] if isinstance(value, list) else value

    text = json.dumps(mark(document), ensure_ascii=False)
    for number, value in enumerate(raw):
        text = text.replace('"\ue000%d\ue001"' % number, value)
    return text.encode("utf-8", "surrogateescape")


def wrong_values(row):
    """(where the error must point to, value) of a row."""
    values = WRONG[row.kind] + row.wrong + ([MISSING, None] if row.required else [])
    for value in values:
        where = row.path
        if isinstance(value, At):
            where = value.where if value.where[:1] not in ("[", ".", "") else row.path + value.where
            value = value.value
        yield shown(where), value


def members(value, way=""):
    """All paths of a document, as the table writes them; of arrays of strings and numbers the array alone."""
    for key, inside in value.items() if isinstance(value, dict) else enumerate(value):
        path = "%s[%d]" % (way, key) if isinstance(value, list) else \
            "%s%s%s" % (way, "." if way else "", "{%s}" % key if "." in key else key)
        if isinstance(value, dict) or isinstance(inside, (dict, list)):
            yield path
        if isinstance(inside, (dict, list)):
            yield from members(inside, path)
