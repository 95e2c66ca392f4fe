#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# Containers of unusual shapes: with another's pid namespace, in a cgroup below another container's, in podman's pods.
# Phases stay true, each has its own cgroups and marks, and nothing else becomes a container.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"

tag=shape-$$
crun=
have crun && crun=crun

# outer RUNTIME, below RUNTIME: a container that stays, and one whose cgroupsPath is below the other's, with another name.
outer()
{
	JQ=".linux.cgroupsPath = \"/$tag/$1-out\"" bundle "$WORK/$1-out" sleep 60
	on_exit "$2" delete --force "$tag-$1-outer"
	"$2" run --detach --bundle "$WORK/$1-out" "$tag-$1-outer" </dev/null >/dev/null 2>&1
}

below()
{
	JQ=".linux.cgroupsPath = \"/$tag/$1-out/deep/$1-in\" | .linux.resources.pids = {limit: 77}" \
		bundle "$WORK/$1-in" sh -c 'exit 14'
	"$2" run --bundle "$WORK/$1-in" "$tag-$1-inner" </dev/null
	is $? 14 "$1: a container in a cgroup below another's"
}

# no_pid_namespace RUNTIME COMMAND: it shares the host's; one that starts, and one whose program is not there.
no_pid_namespace()
{
	export JQ='.linux.namespaces |= map(select(.type != "pid"))'
	bundle "$WORK/$1-host" sh -c 'exit 15'
	"$2" run --bundle "$WORK/$1-host" "$tag-$1-host" </dev/null
	is $? 15 "$1: a container in the host's pid namespace"
	# There when the runtime looks, and not executable as what it says: the call itself fails.
	printf '#!/no/such/interpreter\n' >"$BUSYBOX_ROOT/bin/broken"
	chmod +x "$BUSYBOX_ROOT/bin/broken"
	bundle "$WORK/$1-none" broken
	"$2" run --bundle "$WORK/$1-none" "$tag-$1-none" </dev/null >"$WORK/out" 2>&1
	check "$1: and one whose program cannot be executed" test $? != 0
	unset JQ
}

# far RUNTIME COMMAND ID: a bundle whose path alone is longer than what is kept of a command line; the id comes after it.
far=$WORK
for part in {1..14}; do
	far=$far/$(printf %0240d "$part")
done
far()
{
	bundle "$far/$1" sh -c 'sleep 1; exit 17'
	"$2" run --bundle "$far/$1" "$3" </dev/null
}

on_exit remove_cgroup "/$tag"
far there rc "$tag-there" &
there=$!
wait_for 10 sh -c 'runc --root "$0/runc" state "$1" | grep -q running' "$WORK" "$tag-there"
trace_start || skip_all "no trace"
for runtime in runc $crun; do
	command=rc
	[ "$runtime" = crun ] && command=cr
	no_pid_namespace "$runtime" "$command"
	outer "$runtime" "$command"
	below "$runtime" "$command"
	"$command" delete --force "$tag-$runtime-outer"
	far "$runtime" "$command" "$tag-$runtime-far"
	is $? 17 "$runtime: a bundle far down"
	bundle "$WORK/$runtime-log" sh -c 'exit 18'
	"$command" --log "$far/log" --log-format json run --bundle "$WORK/$runtime-log" "$tag-$runtime-log" </dev/null
	is $? 18 "$runtime: a log far down"
done
wait "$there"
is $? 17 "one that was there"
pods=
if podman_start; then
	pods=$(pod pod create --name "$tag-pod" --network none --infra-image localhost/busybox --infra-command 'sleep 100')
	pods="$pods $(pod pod create --name "$tag-elsewhere" --cgroup-parent "/$tag/pods" --infra=false)"
	for name in pod elsewhere; do
		pod run --rm --pod "$tag-$name" --network none --cidfile "$WORK/$name.cid" localhost/busybox sh -c 'exit 16' </dev/null
		is $? 16 "podman: a container in a pod ($name)"
	done
	pod pod rm --force --time 0 "$tag-pod" "$tag-elsewhere" >/dev/null 2>&1
else
	skip_point "podman" "$ENGINE_WHY"
fi
sleep 0.6
trace_stop

# shellcheck disable=SC2086 # two ids
judge "$TRACE" "$WORK" "$tag" "$crun" "$(cat "$WORK/pod.cid" 2>/dev/null)" "$(cat "$WORK/elsewhere.cid" 2>/dev/null)" $pods <<'PYTHON'
work, tag, crun, in_pod, in_elsewhere, pods = args[0], args[1], args[2], args[3], args[4], args[5:]

def phases_of(c, kind, **detail):
    return sorted({s["phase"] for s in c.steps(kind, **detail)})

for runtime in ["runc"] + ([crun] if crun else []):
    c = t.one("%s-%s-host" % (tag, runtime))
    p.start(c, "%s: in the host's pid namespace" % runtime, code=15)
    inside = [s for s in c.steps("mount") if s["detail"].get("fstype") in ("proc", "tmpfs", "devpts", "mqueue")]
    p.check(inside and all(s["phase"] in ("mounts", "harden") for s in inside), "%s: what it mounts inside is mounts" % runtime,
            sorted({(s["phase"], s["detail"].get("target")) for s in inside}))
    devices = [s for s in c.steps("mknod") if s["detail"].get("type") == "char"]
    p.equal(sorted({s["phase"] for s in devices}), ["mounts"], "%s: and so are its devices" % runtime)
    p.equal({s["phase"] for s in c.steps("umount") if s["detail"].get("target") == "." and s["result"] == 0}, {"pivot"},
            "%s: the old root is left in pivot" % runtime)
    c = t.one("%s-%s-none" % (tag, runtime))
    failed = [s for s in c.steps("exec") if s["result"] and s["result"] < 0]
    p.equal((c["state"], bool(failed), {s["phase"] for s in failed}), ("exited", True, {"exec"}),
            "%s: the program that cannot be executed is told in exec" % runtime)

    inner, outer = (t.one("%s-%s-%s" % (tag, runtime, which)) for which in ("inner", "outer"))
    p.start(inner, "%s: below another's cgroup" % runtime, phases=[x for x in tl.START_PHASES if x != "teardown"], code=14)
    path = "/%s/%s-out/deep/%s-in" % (tag, runtime, runtime)
    p.equal(sorted({g["path"] for g in inner["cgroups"]}), [path], "%s: the inner one has its cgroups" % runtime)
    p.check(inner.steps("cgroup_write", file="pids.max", value="77"), "%s: its limit is told to it" % runtime)
    p.equal(outer.steps("cgroup_write", file="pids.max", value="77"), [], "%s: and not to the outer one" % runtime)
    p.equal([s for s in outer["steps"] if path in str(s["detail"])], [], "%s: nothing of it is the outer one's" % runtime)
    p.equal([m["kind"] for m in outer["marks"] if m["kind"] in ("freeze", "thaw") and int(m["at_ns"]) < int(inner.exit["at_ns"])], [],
            "%s: which was not frozen with it" % runtime)
    p.equal({g["path"] for g in outer["cgroups"]}, {"/%s/%s-out" % (tag, runtime)}, "%s: it has its own cgroups" % runtime)

    c = t.one("%s-%s-far" % (tag, runtime))
    p.start(c, "%s: a bundle far down" % runtime, code=17)
    a = [a for a in c["actors"] if a["role"] == "runtime" and a["argv"]][0]
    p.equal((a["argv_cut"], a["argv"][-1], "\u2026" in " ".join(a["argv"])), (True, c.id, True),
            "%s: its command line has a beginning and an end" % runtime)

    c = t.one("%s-%s-log" % (tag, runtime))
    p.start(c, "%s: a log far down" % runtime, code=18)
    a = [a for a in c["actors"] if a["role"] == "runtime" and a["argv"]][0]
    p.equal((c["runtime"], c["bundle"], a["argv_cut"]), (runtime, "%s/%s-log" % (work, runtime), True),
            "%s: the verb and the bundle are behind what is missing" % runtime)

c = t.one(tag + "-there")
p.equal((c["existed"], c["runtime"], c.exit.get("code")), (True, "runc", 17), "one that was there, with its runtime and its end")

for pod, container, name in zip(pods, (in_pod, in_elsewhere), ("pod", "elsewhere")):
    p.equal([c.id for c in t.find(pod)], [], "podman: a pod is no container (%s)" % name)
    c = t.one(container)
    p.start(c, "podman: in a pod (%s)" % name, code=16)
    p.check(c["pod"] in (pod, "%s-%s" % (tag, name)), "podman: it says which pod it is in (%s)" % name, c["pod"])
p.equal(t.lost(), 0, "no event was lost")
PYTHON
done_testing
