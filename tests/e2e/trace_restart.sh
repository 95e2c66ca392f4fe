#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# Restarts of one id, and exec sessions, by every engine: a start is a timeline of its own, a session is an actor
# of its container.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need jq
busybox_image || skip_all "no busybox image"

tag=re-$$
# LABEL:ID:CODE,CODE...:SESSION,SESSION...: the ends of its starts in order (K = killed), the codes of its sessions
expected=()

trace_start || skip_all "no trace"

# session LABEL CODE COMMAND...
session()
{
	local label=$1 wanted=$2

	shift 2
	"$@" sh -c "exit $wanted" </dev/null >/dev/null 2>&1
	is $? "$wanted" "$label: a session"
}

# with_runtime RUN LABEL: three starts of an id, sessions in one that stays.
with_runtime()
{
	local code

	for code in 21 22 23; do
		bundle "$WORK/b$code" sh -c "exit $code"
		"$1" run --bundle "$WORK/b$code" "$2-again" </dev/null
		is $? "$code" "$2: start $((code - 20)) of one id"
	done
	expected+=("$2:$2-again:21,22,23:")
	bundle "$WORK/stay" sleep 60
	on_exit "$1" delete --force "$2-stay"
	"$1" run --detach --bundle "$WORK/stay" "$2-stay" </dev/null >/dev/null 2>&1
	session "$2" 31 "$1" exec "$2-stay"
	session "$2" 32 "$1" exec "$2-stay"
	"$1" delete --force "$2-stay"
	expected+=("$2:$2-stay:K:31,32")
}

if have runc; then with_runtime rc "$tag-runc"; else skip_point "runc" "it is not installed"; fi
if have crun && have runc; then with_runtime cr "$tag-crun"; else skip_point "crun" "it is not installed"; fi

if podman_start; then
	pod run --detach --network none --name "$tag-podman" localhost/busybox sh -c 'trap "exit 7" TERM; sleep 60 & wait' >/dev/null
	id=$(pod inspect --format '{{.Id}}' "$tag-podman")
	session podman 33 pod exec "$tag-podman"
	pod restart --time 5 "$tag-podman" >/dev/null
	session podman 34 pod exec "$tag-podman"
	pod kill "$tag-podman" >/dev/null
	pod wait "$tag-podman" >/dev/null
	pod rm --force "$tag-podman" >/dev/null
	expected+=("podman:$id:7,K:33,34")
else
	skip_point "podman" "$ENGINE_WHY"
fi

if docker_start; then
	id=$(dock run --detach --network none --name "$tag-docker" busybox sh -c 'trap "exit 8" TERM; sleep 60 & wait')
	session docker 35 dock exec "$tag-docker"
	dock restart --time 5 "$tag-docker" >/dev/null
	session docker 36 dock exec "$tag-docker"
	dock kill "$tag-docker" >/dev/null
	dock wait "$tag-docker" >/dev/null
	dock start "$tag-docker" >/dev/null
	dock stop --time 5 "$tag-docker" >/dev/null
	dock rm --force "$tag-docker" >/dev/null
	expected+=("docker:$id:8,K,8:35,36")
else
	skip_point "docker" "$ENGINE_WHY"
fi

if containerd_start; then
	for code in 24 25; do
		cctr run --rm "$CONTAINERD_IMAGE" "$tag-ctr" sh -c "exit $code" </dev/null
		is $? "$code" "ctr: a start of one id"
	done
	expected+=("ctr:$tag-ctr:24,25:")
	cctr run --detach "$CONTAINERD_IMAGE" "$tag-task" sleep 60 </dev/null >/dev/null
	session ctr 37 cctr task exec --exec-id s1 "$tag-task"
	session ctr 38 cctr task exec --exec-id s2 "$tag-task"
	# The same id in another namespace is another container.
	cctr --namespace other images import "$WORK/containerd/image.tar" >/dev/null 2>&1
	on_exit remove_cgroup /other
	cctr --namespace other run --rm "$CONTAINERD_IMAGE" "$tag-task" sh -c 'exit 26' </dev/null
	is $? 26 "ctr: the same id in another namespace"
	session ctr 39 cctr task exec --exec-id s3 "$tag-task"
	cctr task kill --signal KILL "$tag-task"
	wait_for 10 sh -c "! ctr --address $CONTAINERD_SOCKET task ls | grep -q '$tag-task.*RUNNING'"
	cctr task delete "$tag-task" >/dev/null 2>&1
	cctr container delete "$tag-task"
	expected+=("ctr:$tag-task:K,26:37,38,39")
else
	skip_point "containerd" "$ENGINE_WHY"
fi
sleep 0.5
trace_stop

judge "$TRACE" "$WORK" "${expected[@]}" <<'EOF_JUDGE'
work, wanted = args[0], [a.split(":") for a in args[1:]]
for label, container, ends, sessions in wanted:
    starts = t.find(container)
    got = ["K" if c.exit.get("signal") == 9 else str(c.exit.get("code")) for c in starts]
    if not p.equal(got, ends.split(","), "%s: each start with its end, in order" % container):
        continue
    p.equal([c["generation"] for c in starts], list(range(len(starts))), "%s: they are counted" % container)
    p.equal(len({c["pid"] for c in starts}), len(starts), "%s: each with its own init" % container)
    p.equal([c.missing_phases(tl.START_PHASES) for c in starts], [[]] * len(starts), "%s: all phases in each" % container)
    p.equal([len(c.actors("init")) for c in starts], [1] * len(starts), "%s: one init in each" % container)
    p.equal([c["lost"] for c in starts], [0] * len(starts), "%s: nothing was lost" % container)
    p.equal([d for d in (c.disorder() for c in starts) if d], [], "%s: times are in order" % container)
    marks = [str(m["detail"].get("code")) for c in starts for m in c.marks("exec_exit")]
    p.equal(marks, [s for s in sessions.split(",") if s], "%s: its sessions, with their codes" % container)
    p.equal(sum(len(c.actors("exec")) for c in starts), len(marks), "%s: each an actor" % container)
names = {c.id: c["name"] for c in t.timelines}
ours = {w[1] for w in wanted}
ghosts = [c.id for c in t.timelines if work in str(c["bundle"]) and c.id not in ours]
p.equal(ghosts, [], "no container that nobody made")
EOF_JUDGE

done_testing
