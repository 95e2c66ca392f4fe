#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# Engines inside of containers: runc, crun, and docker with all its daemons. The innermost container has its
# own steps, cgroups and exit, and the one around it has none of them.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq capsh
busybox_image || skip_all "no busybox image"

# Every capability that we hold ourselves, as config.json wants them.
all_capabilities()
{
	capsh --decode="$(awk '/^CapEff/ { print $2 }' /proc/self/status)" | sed 's/.*=//' | tr '[:lower:]' '[:upper:]' |
		jq -R 'split(",")'
}

# outer DIR COMMAND...: a bundle whose container may do what engines need: the host's programs, writable cgroups,
# every capability, nothing masked. DIR/shared is its /shared.
outer()
{
	local dir=$1 root=$1/root path

	shift
	mkdir -p "$dir/shared" "$root"/{usr,proc,sys,dev,tmp,run,etc,var/lib,shared}
	for path in bin sbin lib lib64; do
		if [ -d "/$path" ]; then ln -s "usr/$path" "$root/$path"; fi
	done
	echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	bundle "$dir" "$@" || return 1
	jq --arg root "$root" --arg shared "$dir/shared" --argjson all "$(all_capabilities)" '
		.root = {path: $root, readonly: false} | .hostname = "outer"
		| .process.capabilities = {bounding: $all, effective: $all, permitted: $all}
		| .mounts |= map(if .destination == "/sys/fs/cgroup" or .destination == "/sys"
			then .options -= ["ro"] else . end)
		| .mounts += [{destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"]},
			{destination: "/shared", type: "bind", source: $shared, options: ["rbind"]}]
		| .linux.maskedPaths = [] | .linux.readonlyPaths = [] | del(.linux.seccomp)
		| .linux.resources.devices = [{allow: true, access: "rwm"}]' "$dir/config.json" >"$dir/config.new" &&
		mv "$dir/config.new" "$dir/config.json"
}

# inner DIR CODE: a bundle in DIR/shared/b that exits with CODE, with a root of its own inside of it.
inner()
{
	JQ='.root.path = "/shared/b/root" | .linux.resources.memory = {limit: 67108864}' \
		bundle "$1/shared/b" sh -c "exit $2"
	cp -a "$BUSYBOX_ROOT" "$1/shared/b/root"
}

pairs=()

# nested LABEL CODE INNER-ID OUTER-ID: runs the outer bundle of that label and remembers what to expect.
nested()
{
	rc run --bundle "$WORK/$1" "$4" >"$WORK/$1.out" 2>&1 </dev/null
	is $? $(($2 + 1)) "$1: the outer container ends" || diag "$(tail -n 20 "$WORK/$1.out")"
	pairs+=("$1:$2:$3:$4")
}

outer "$WORK/runc-in-runc" sh -c "runc --root /run/r run --bundle /shared/b inner-$$; exit \$((\$? + 1))"
inner "$WORK/runc-in-runc" 31
# The same id inside and outside: two runtimes with state of their own do not know of each other.
outer "$WORK/same-id" sh -c "runc --root /run/r run --no-new-keyring --bundle /shared/b twin-$$; exit \$((\$? + 1))"
inner "$WORK/same-id" 33
if have crun; then
	outer "$WORK/crun-in-runc" sh -c "umount /sys/fs/cgroup/unified 2>/dev/null
		crun --root /run/r run --bundle /shared/b cinner-$$; exit \$((\$? + 1))"
	inner "$WORK/crun-in-runc" 35
fi

trace_start || skip_all "no trace"
nested runc-in-runc 31 "inner-$$" "router-$$"
nested same-id 33 "twin-$$" "twin-$$"
if have crun; then
	nested crun-in-runc 35 "cinner-$$" "couter-$$"
else
	skip_point "crun in runc" "crun is not installed"
fi
sleep 0.3
trace_stop

judge "$TRACE" "${pairs[@]}" <<'PYTHON'
for label, code, inner_id, outer_id in (a.split(":") for a in args):
    code = int(code)
    found = {c.exit.get("code"): c for c in t.timelines if c.id in (inner_id, outer_id)}
    if not p.equal(sorted(found, key=str), [code, code + 1], "%s: two containers, each with its exit code" % label):
        p.check(False, label, [(c.id, c.exit, c["actors"]) for c in t.timelines])
        continue
    inner, outer = found[code], found[code + 1]
    p.equal((inner.id, outer.id), (inner_id, outer_id), "%s: their ids" % label)
    for which, c in (("inner", inner), ("outer", outer)):
        p.start(c, "%s: %s" % (label, which), code=c.exit["code"])
        p.equal(len([a for a in c.actors("init")]), 1, "%s: %s: one init" % (label, which))
    p.check(inner["pid"] != outer["pid"], "%s: two inits" % label)
    p.check(inner["namespaces"]["pid"] != outer["namespaces"]["pid"], "%s: two pid namespaces" % label)
    pids = lambda c: {a["pid"] for a in c["actors"]}
    p.equal(pids(inner) & pids(outer), set(), "%s: no actor is in both" % label)
    p.check(all(g["path"].endswith("/%s/%s" % (outer_id, inner_id)) for g in inner["cgroups"]) and inner["cgroups"],
            "%s: the inner one's cgroups are below the outer one's" % label, inner["cgroups"])
    p.check(all(g["path"].endswith("/" + outer_id) and not g["path"].endswith("%s/%s" % (outer_id, inner_id))
                for g in outer["cgroups"]) and outer["cgroups"], "%s: which are its own" % label, outer["cgroups"])
    limits = lambda c: [s for s in c.steps("cgroup_write", value="67108864")]
    p.check(limits(inner), "%s: the inner one's limit is its own" % label)
    p.equal(limits(outer), [], "%s: and not the outer one's" % label)
    for kind in ("pivot_root", "sethostname"):
        p.equal((len(inner.steps(kind)), len(outer.steps(kind))), (1, 1), "%s: one %s each" % (label, kind))
p.equal(t.lost(), 0, "no event was lost")
PYTHON

# A whole docker in a container, dockerd its init: containerd, shim, runc and the container that they make.
# docker_inside: its bundle, and the container run in the background (DIND_PID).
docker_inside()
{
	local dir=$WORK/dind

	outer "$dir" dockerd --config-file /shared/daemon.json --data-root /shared/data --exec-root /shared/exec \
		--pidfile /shared/pid --host unix:///shared/sock --storage-driver overlay2 \
		--bridge none --iptables=false || return 1
	echo '{}' >"$dir/shared/daemon.json"
	on_exit umount -q "$dir/shared/data/overlay2" "$dir/shared/data"
	on_exit rc delete --force "dind-$$"
	rc run --detach --bundle "$dir" "dind-$$" >"$dir/log" 2>&1 </dev/null || return 1
	DIND_PID=$(rc state "dind-$$" | jq .pid)
	wait_for 30 inside version
}

# The docker client, beside its daemon in the container.
inside()
{
	rc exec "dind-$$" docker -H unix:///shared/sock "$@" </dev/null
}

if have dockerd && have docker; then
	trace_start || skip_all "no trace"
	if check "a docker inside of a container starts" docker_inside; then
		gzip -dc "$(busybox_layer)" >"$WORK/dind/shared/image.tar"
		inside import /shared/image.tar busybox:latest >/dev/null
		inside run --network none --name deep --memory 64m --cidfile /shared/cid busybox sh -c 'exit 41'
		is $? 41 "and runs a container"
		inside exec nobody true 2>/dev/null
		inside run --detach --network none --name long --cidfile /shared/cid2 busybox sleep 60 >/dev/null
		inside exec long sh -c 'exit 42'
		is $? 42 "and an exec session in another"
		inside rm --force deep long >/dev/null
	else
		diag "$(tail -n 5 "$WORK/dind/log")"
	fi
	rc kill "dind-$$" TERM
	wait_for 20 process_gone "$DIND_PID"
	rc delete --force "dind-$$"
	sleep 0.4
	trace_stop
	judge "$TRACE" "dind-$$" "$(cat "$WORK/dind/shared/cid")" "$(cat "$WORK/dind/shared/cid2")" <<'PYTHON'
outer, deep, long = (t.one(a) for a in args)
p.start(outer, "docker as init", code=outer.exit.get("code"))
p.equal([a["comm"] for a in outer.actors("init")], ["dockerd"], "dockerd is the outer container's init")
p.equal(sorted({a["comm"] for a in outer["actors"]} & {"containerd", "containerd-shim"}), [],
        "the daemons inside take no part in the outer one")
p.start(deep, "container in it", code=41)
p.equal((deep["engine"], deep["name"], deep["image"]), ("docker", "deep", "busybox"), "it is docker's, with its names")
p.contains(deep.roles(), ["cli", "engine", "containerd", "shim", "runtime", "init"], "its actors")
p.equal([a["pid"] for a in deep.actors("engine")], [outer["pid"]], "its engine is the outer one's init")
p.check(deep.steps("mount", fstype="overlay"), "its root file system was mounted for it")
p.equal(outer.steps("mount", fstype="overlay"), [], "and not for the outer one")
p.check(all(args[0] in g["path"] and args[1] in g["path"] for g in deep["cgroups"]) and deep["cgroups"],
        "its cgroups are below those of the outer one", deep["cgroups"])
p.equal(deep.steps("cgroup_write", value="67108864") != [], True, "its limit is its own")
p.equal(outer.steps("cgroup_write", value="67108864"), [], "and not the outer one's")
inner_paths = [s["detail"].get("path") for s in outer["steps"] if args[1] in str(s["detail"]) or args[2] in str(s["detail"])]
p.equal(inner_paths, [], "no step of the outer one speaks of those inside")
p.equal([m["detail"].get("code") for m in long.marks("exec_exit")], [42], "an exec session in the inner one is its own")
p.equal([m["detail"].get("code") for m in outer.marks("exec_exit") if m["detail"].get("code") == 41], [41],
        "and the docker client is an exec session of the outer one")
p.equal(long.exit.get("signal"), 9, "rm --force kills it")
p.equal(t.lost(), 0, "no event was lost")
PYTHON
else
	skip_point "docker in a container" "docker is not installed"
fi

# Both there before ctrace: the snapshot tells the one inside from the one around it.
outer "$WORK/late" sh -c "runc --root /run/r run --detach --bundle /shared/b lin-$$ </dev/null >/dev/null 2>&1; sleep 60"
JQ='.root.path = "/shared/b/root"' bundle "$WORK/late/shared/b" sleep 60
cp -a "$BUSYBOX_ROOT" "$WORK/late/shared/b/root"
on_exit rc delete --force "lout-$$"
rc run --detach --bundle "$WORK/late" "lout-$$" >/dev/null 2>&1 </dev/null
is_inner_there()
{
	[ "$(rc exec "lout-$$" runc --root /run/r state "lin-$$" </dev/null | jq -r .status)" = running ]
}
check "a container in a container, before ctrace starts" wait_for 10 is_inner_there
trace_start || skip_all "no trace"
rc exec "lout-$$" runc --root /run/r exec "lin-$$" sh -c 'exit 43' </dev/null
is $? 43 "an exec session in the inner one"
rc exec "lout-$$" runc --root /run/r delete --force "lin-$$" </dev/null
rc delete --force "lout-$$"
sleep 0.4
trace_stop
judge "$TRACE" "lin-$$" "lout-$$" <<'PYTHON'
inner, outer = (t.one(a) for a in args)
for label, c in (("inner", inner), ("outer", outer)):
    p.equal((c["existed"], c["state"], c.exit.get("signal")), (True, "exited", 9), "%s: existed, and was killed" % label)
    p.equal(len(c.actors("init")), 1, "%s: one init" % label)
    p.check(c["cgroups"] and all(g["path"].rstrip("/").endswith("/" + c.id) for g in c["cgroups"]),
            "%s: its cgroups" % label, c["cgroups"])
p.check(inner["pid"] != outer["pid"], "two inits", (inner["pid"], outer["pid"]))
p.equal([m["detail"].get("code") for m in inner.marks("exec_exit")], [43], "the exec session is the inner one's")
codes = sorted(m["detail"].get("code") for m in outer.marks("exec_exit"))
p.equal(codes, [0, 43], "the two runc that ran inside are sessions of the outer one")
PYTHON

done_testing
