#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# Names, images, pods and labels from what engines keep on disk, for containers of milliseconds and for those that
# were there before, and in recordings; files that lie are no harm.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"

wanted=()
# want ID KEY=VALUE...: what the last word on a container must say; label.X=V looks at its labels
want()
{
	local id=$1

	shift
	wanted+=("$id" "$(printf '%s\x1f' "$@")")
}

docker=no podman=no containerd=no
if docker_start; then docker=yes; else skip_point "docker" "$ENGINE_WHY"; fi
if podman_start; then podman=yes; else skip_point "podman" "$ENGINE_WHY"; fi
if containerd_start; then containerd=yes; else skip_point "containerd" "$ENGINE_WHY"; fi

# Before ctrace: docker makes up a name.
if [ $docker = yes ]; then
	early=$(dock run --detach --network none --label team=early busybox sleep 60)
	want "$early" "name=$(dock inspect --format '{{slice .Name 1}}' "$early")" image=busybox engine=docker label.team=early
	# Whose file tells nothing: docker is asked.
	hidden=$(dock run --detach --network none --label team=hidden busybox sleep 60)
	want "$hidden" "name=$(dock inspect --format '{{slice .Name 1}}' "$hidden")" image=busybox engine=docker label.team=hidden
	hiding=$WORK/docker/data/containers/$hidden/config.v2.json
	mount --bind /dev/null "$hiding"
	on_exit umount --quiet "$hiding"
	export DOCKER_HOST=unix://$DOCKER_SOCKET
fi
if [ $podman = yes ]; then
	pod run --detach --network none --cidfile "$WORK/cid1" localhost/busybox sleep 60 >/dev/null
	want "$(cat "$WORK/cid1")" "name=$(pod inspect --format '{{.Name}}' "$(cat "$WORK/cid1")")" engine=podman \
		image=localhost/busybox:latest
fi
if [ $containerd = yes ]; then
	on_exit cctr container rm "early-$$"
	on_exit cctr task rm --force "early-$$"
	cctr run --detach --label team=early "$CONTAINERD_IMAGE" "early-$$" sleep 60
	want "early-$$" "image=$CONTAINERD_IMAGE" label.team=early
fi

record=$WORK/record.ctrace
trace_start --record "$record" || skip_all "no trace"

if [ $docker = yes ]; then
	dock run --network none --cidfile "$WORK/cid2" --label team=a --label "odd=x \"y\" ü" busybox true
	want "$(cat "$WORK/cid2")" "name=$(dock inspect --format '{{slice .Name 1}}' "$(cat "$WORK/cid2")")" image=busybox \
		engine=docker label.team=a "label.odd=x \"y\" ü"
	# A record holds 1,022 bytes of a label's name, with "label." before it, and value.
	long=$(printf '%02000d' 7)
	dock run --network none --cidfile "$WORK/cid-long" --label "long=$long" --label empty= --label "$long=x" busybox true
	want "$(cat "$WORK/cid-long")" "label.long=${long:0:1012}" label.empty= values_cut=1 labels_cut=1
	umount "$hiding"
	dock rm --force "$early" "$hidden" >/dev/null
fi
if [ $podman = yes ]; then
	pod run --network none --cidfile "$WORK/cid3" localhost/busybox true
	want "$(cat "$WORK/cid3")" "name=$(pod inspect --format '{{.Name}}' "$(cat "$WORK/cid3")")" engine=podman \
		image=localhost/busybox:latest
	# Only podman's database knows labels and pods.
	pod pod create --name "pod-$$" --infra=false >/dev/null
	pod run --network none --cidfile "$WORK/cid4" --pod "pod-$$" --name "in-pod-$$" --label team=b \
		--label "odd=$(printf '<b>\033[31m"')" localhost/busybox true
	want "$(cat "$WORK/cid4")" "name=in-pod-$$" "pod=pod-$$" label.team=b "label.odd=$(printf '<b>\033[31m"')"
	# The container that holds a pod's namespaces is told apart from those in it.
	pod pod create --name "infra-$$" --network none --infra-image localhost/busybox --infra-command "sleep 60" >/dev/null
	pod pod start "infra-$$" >/dev/null
	want "$(pod pod inspect --format '{{.InfraContainerID}}' "infra-$$")" "pod=infra-$$" sandbox=true engine=podman
	want "$(cat "$WORK/cid4")" sandbox=false
	pod pod rm --all --force --time 0 >/dev/null
	pod rm --all --force --time 0 >/dev/null
fi
# Only containerd's database knows the image; others commit to it meanwhile.
if [ $containerd = yes ]; then
	for i in 1 2 3 4; do
		cctr run --rm --label "team=c$i" --label "odd=$(printf 'a\033[31m<b>')" "$CONTAINERD_IMAGE" "ctr$i-$$" true &
		pids[i]=$!
		want "ctr$i-$$" "image=$CONTAINERD_IMAGE" "label.team=c$i" "label.odd=$(printf 'a\033[31m<b>')"
	done
	wait "${pids[@]}"
fi

# Annotations, as containerd's CRI plugin, CRI-O and people write them.
annotated()
{
	JQ=".annotations = $2" bundle "$WORK/b-$1" true
	rc run --bundle "$WORK/b-$1" "$1-$$"
}
annotated cri '{"io.kubernetes.cri.container-name": "app", "io.kubernetes.cri.sandbox-name": "web-0",
	"io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.image-name": "example.org/app:1", "mine": "yes"}'
want "cri-$$" name=app pod=web-0 pod_namespace=shop image=example.org/app:1 engine=containerd label.mine=yes
annotated crio '{"io.kubernetes.container.name": "side", "io.kubernetes.pod.name": "web-1", "io.kubernetes.pod.namespace": "shop",
	"io.kubernetes.cri-o.ImageName": "example.org/side:2"}'
want "crio-$$" name=side pod=web-1 pod_namespace=shop image=example.org/side:2 engine=cri-o
annotated crisand '{"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-name": "web-2"}'
want "crisand-$$" pod=web-2 sandbox=true
annotated criosand '{"io.kubernetes.cri-o.ContainerType": "sandbox", "io.kubernetes.pod.name": "web-3"}'
want "criosand-$$" pod=web-3 sandbox=true
annotated criocont '{"io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.pod.name": "web-3"}'
want "criocont-$$" pod=web-3 sandbox=false
# From the working directory, and where the runtime sees other files than we do.
(cd "$WORK/b-cri" && rc run "cwd-$$")
want "cwd-$$" name=app
unshare --mount --propagation private sh -c "mount --bind '$WORK/b-crio' '$WORK/b-cri' &&
	exec runc --root '$WORK/runc' run --bundle '$WORK/b-cri' 'other-ns-$$'"
want "other-ns-$$" name=side

# Files that are none, or lie. Nothing waits for them and nothing escapes.
annotated hostile '{"ctrace.name": "a\u001b[31m\n<b>", "ctrace.image": ("x" * 5000), "": "empty", "big": ("y" * 100000)}'
want "hostile-$$" "name=$(printf 'a\033[31m\n<b>')"
mkdir -p "$WORK/h-fifo"
mkfifo "$WORK/h-fifo/config.json"
# Waits for ever for its configuration, and so might we. Not by way of rc: $! would be its subshell.
runc --root "$WORK/runc" run --bundle "$WORK/h-fifo" "fifo-$$" >/dev/null 2>&1 &
fifo=$!
on_exit stop_process "$fifo" KILL
rc run --bundle "$WORK/b-cri" "after-fifo-$$"
want "after-fifo-$$" name=app
kill -KILL "$fifo"
wait "$fifo" 2>/dev/null

# Short-lived ones, four at a time, each with its own name; the bundle goes with the container.
quick=100
[ -z "${SOAK-}" ] || quick=300
one_slot()
{
	local i

	for ((i = $1; i <= quick; i += 4)); do
		mkdir -p "$WORK/q$i"
		jq --arg n "quick-$i" '.annotations = {"ctrace.name": $n}' "$WORK/b-cri/config.json" >"$WORK/q$i/config.json"
		rc run --bundle "$WORK/q$i" "q$i-$$"
		rm -r "$WORK/q$i"
	done
}
for slot in 1 2 3 4; do
	one_slot "$slot" &
	slots[slot]=$!
done
wait "${slots[@]}"
for ((i = 1; i <= quick; i++)); do
	want "q$i-$$" "name=quick-$i"
done
sleep 0.5
trace_stop

cat >"$WORK/names.py" <<'PYTHON'
label, pairs = args[0], args[1:]
wrong = []
for i in range(0, len(pairs), 2):
    container, facts = pairs[i], [f.split("=", 1) for f in pairs[i + 1].split("\x1f") if f]
    found = t.find(container)
    if len(found) != 1:
        wrong.append("%s: %d timelines" % (container, len(found)))
        continue
    c = found[0]
    labels = {x["name"]: x["value"] for x in c.data.get("labels", [])}
    for key, value in facts:
        got = labels.get(key[6:]) if key.startswith("label.") else c.data.get(key)
        got = str(got).lower() if isinstance(got, (bool, int)) else got
        if got != value:
            wrong.append("%s: %s is %r, not %r" % (container, key, got, value))
p.equal("\n".join(wrong), "", "%s: all %d containers have their names" % (label, len(pairs) // 2))
internal = [x["name"] for c in t.timelines for x in c.data.get("labels", []) if x["name"].startswith("io.kubernetes.cri")]
p.equal(internal, [], "%s: what engines tell themselves is no label" % label)
p.equal([c.id for c in t.timelines for x in c.data.get("labels", []) if len(x["value"]) > 1024 or not x["name"]], [],
        "%s: labels are bounded" % label)
PYTHON
judge "$TRACE" live "${wanted[@]}" <"$WORK/names.py"
"$CTRACE" replay --json "$record" >"$WORK/replayed.json" 2>"$WORK/replay.err"
is $? 0 "the recording replays"
check "byte for byte" cmp "$TRACE" "$WORK/replayed.json"
judge "$WORK/replayed.json" replayed "${wanted[@]}" <"$WORK/names.py"

done_testing
