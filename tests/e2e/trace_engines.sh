#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# The same identity and the same phases whoever made the container: runc, crun, podman, containerd, and ctrace.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need jq
busybox_image || skip_all "no busybox image"

tag=eng-$$
runs=()

trace_start || skip_all "no trace"

if have runc; then
	JQ='.linux.resources.memory = {limit: 67108864}' bundle "$WORK/b" sh -c 'exit 11'
	rc run --bundle "$WORK/b" "$tag-runc"
	is $? 11 "runc runs"
	runs+=("$tag-runc:runc:11::")
	# Any string is an id.
	rc run --bundle "$WORK/b" "Odd_id+1.x-$$"
	runs+=("Odd_id+1.x-$$:runc:11::")
else
	skip_point "runc" "it is not installed"
fi
if have crun && have runc; then
	cr run --bundle "$WORK/b" "$tag-crun"
	is $? 11 "crun runs"
	runs+=("$tag-crun:crun:11::")
else
	skip_point "crun" "it is not installed"
fi
if containerd_start; then
	cctr run --rm --memory-limit 67108864 "$CONTAINERD_IMAGE" "$tag-ctr" sh -c 'exit 12'
	is $? 12 "ctr runs"
	runs+=("$tag-ctr:runc:12:containerd:cli,shim")
else
	skip_point "containerd" "$ENGINE_WHY"
fi
if podman_start; then
	pod run --network none --memory 64m --cidfile "$WORK/podman.cid" --name "$tag-podman" localhost/busybox sh -c 'exit 13'
	is $? 13 "podman runs"
	runs+=("$(cat "$WORK/podman.cid"):runc:13:podman:engine,shim")
	pod rm "$tag-podman" >/dev/null
else
	skip_point "podman" "$ENGINE_WHY"
fi
sleep 0.5
trace_stop

judge "$TRACE" "$WORK" "${runs[@]}" <<'EOF'
work, runs = args[0], [r.split(":") for r in args[1:]]
for container, runtime, code, engine, roles in runs:
    found = t.find(container)
    if not p.equal(len(found), 1, "%s: one timeline" % container):
        continue
    c = found[0]
    p.start(c, container, code=int(code))
    p.equal(c["runtime"], runtime, "%s: runtime" % container)
    if engine:
        p.equal(c["engine"], engine, "%s: engine" % container)
    p.contains(c.roles(), ["runtime", "init"] + [r for r in roles.split(",") if r], "%s: actors" % container)
    limit = [s for s in c.steps("cgroup_write") if s["detail"].get("value", "").strip() == "67108864"]
    p.check(limit, "%s: its memory limit" % container,
            [s["detail"] for s in c.steps("cgroup_write")])
    p.contains(c.flags("unshare") | c.flags("clone"), ["CLONE_NEWNS", "CLONE_NEWPID", "CLONE_NEWUTS", "CLONE_NEWIPC"],
               "%s: namespaces" % container)
    p.check(c["pid"] and c["namespaces"].get("pid"), "%s: init and its namespaces" % container, c["namespaces"])
ours = {r[0] for r in runs}
ghosts = [c.id for c in t.timelines if c.id not in ours and not c["existed"] and work in str(c["bundle"])]
p.equal(ghosts, [], "no container that nobody made")
p.equal(t.lost(), 0, "no event was lost")
EOF

done_testing
