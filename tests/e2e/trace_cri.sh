#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# Pods as a kubelet makes them: containerd's container runtime interface, called by gRPC, with CNI plugins; nothing is annotated
# by the test.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need jq curl runc
[ -x /usr/lib/cni/bridge ] || skip_all "no CNI plugins"
curl --version | grep -q HTTP2 || skip_all "curl without HTTP/2"
cri_start || skip_all "${ENGINE_WHY:-the CRI of containerd did not answer}"
trace_start || skip_all "no trace"

# pod NAME NETWORK: ID of a sandbox that runs.
pods=() containers=()
make_pod()
{
	local id

	id=$(kube pod "$@") || skip_all "containerd cannot run a pod here"
	pods+=("$id")
}

# make_container POD-INDEX POD-NAME NETWORK NAME MEMORY COMMAND...
make_container()
{
	local pod=${pods[$1]} id

	shift
	id=$(kube create "$pod" "$1" "$2" "$3" "$CRI_IMAGE" "${@:4}") || { not_ok "container $3"; return 1; }
	containers+=("$id")
	kube start "$id" || not_ok "container $3 starts"
}

make_pod web POD
make_container 0 web POD app 33554432 sh -c 'exit 17'
make_container 0 web POD side 67108864 sleep 600
make_pod host NODE
make_container 1 host NODE agent 33554432 sleep 600
is "$(kube exec "${containers[1]}" sh -c 'exit 5'; echo $?)" 5 "a command inside (ExecSync)"
for id in "${containers[@]}"; do kube stop "$id" && kube rm "$id"; done
for id in "${pods[@]}"; do kube stop-pod "$id" && kube rm-pod "$id"; done
sleep 0.5
trace_stop

judge "$TRACE" "$WORK" "${pods[@]}" "${containers[@]}" <<'JUDGE'
work, web, host, app, side, agent = args
WANTED = {  # name, pod, sandbox, exit code (none: it is killed), memory
    web: (None, "web", True, None, None), host: (None, "host", True, None, None),
    app: ("app", "web", False, 17, 33554432), side: ("side", "web", False, None, 67108864),
    agent: ("agent", "host", False, None, 33554432)}
for container, (name, pod, sandbox, code, memory) in WANTED.items():
    c = t.one(container)
    label = "%s of %s" % (name or "sandbox", pod)
    p.equal([c["name"] if name else name, c["pod"], c["pod_namespace"], c["sandbox"]], [name, pod, "shop", sandbox], label + ": names")
    p.equal([c["engine"], c["runtime"]], ["containerd", "runc"], label + ": engine and runtime")
    p.start(c, label, code=137 if code is None else code)
    p.contains(c.roles(), ["containerd", "shim", "runtime", "init"], label + ": actors")
    if memory:
        p.check(c.steps("cgroup_write", value=str(memory)), label + ": its memory limit",
                [s["detail"] for s in c.steps("cgroup_write")])
for container in (app, side, agent):
    p.check("busybox-local" in (t.one(container)["image"] or ""), "the image", t.one(container)["image"])
p.equal(len(t.one(side).actors("exec")), 1, "the command inside is the container's")
ghosts = [c.id for c in t.timelines if c.id not in WANTED and work in str(c["bundle"])]
p.equal(ghosts, [], "no container that nobody made")
p.equal([len(t.find(i)) for i in WANTED], [1] * len(WANTED), "each is told once")
p.equal(t.lost(), 0, "no event was lost")
JUDGE
done_testing
