#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A container that is given another name: docker, podman and the launcher keep names in files, which are watched. The
# metrics, the dashboard and the JSON show the new name, and nothing the old one.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve
need jq
busybox_image || skip_all "no busybox image"

docker=no podman=no
if docker_start; then docker=yes; else skip_point "docker" "$ENGINE_WHY"; fi
if podman_start; then podman=yes; else skip_point "podman" "$ENGINE_WHY"; fi

renamed=()
# later OLD NEW ID: what must have become of a name
later()
{
	renamed+=("$1" "$2" "$3")
}

if [ $docker = yes ]; then
	early=$(dock run --detach --network none --name "early-$$" busybox sleep 120)
	later "early-$$" "early-new-$$" "$early"
fi
record=$WORK/record.ctrace
serve_start || { done_testing; exit; }
trace_start --record "$record" || skip_all "no trace"

if [ $docker = yes ]; then
	late=$(dock run --detach --network none --name "late-$$" busybox sleep 120)
	later "late-$$" "late-new-$$" "$late"
fi
if [ $podman = yes ]; then
	pod run --detach --network none --cidfile "$WORK/cid" --name "pod-$$" localhost/busybox sleep 120 >/dev/null
	later "pod-$$" "pod-new-$$" "$(cat "$WORK/cid")"
fi
own=$("$CTRACE" run --trace=none --detach --network none --name "own-$$" --rootfs "$BUSYBOX_ROOT" sleep 120 2>"$WORK/run.err") ||
	diag "$(cat "$WORK/run.err")"
on_exit "$CTRACE" rm --force "$own"
later "own-$$" "own-new-$$" "$own"

has_name()
{
	metrics | grep -q "^ctrace_container_info{.*name=\"$1\""
}
for ((i = 0; i < ${#renamed[@]}; i += 3)); do
	check "${renamed[i]} has its first name" wait_for 5 has_name "${renamed[i]}"
done

rename_all()
{
	if [ $docker = yes ]; then
		dock rename "early-$$" "early-new-$$"
		dock rename "late-$$" "late-between-$$"
		dock rename "late-$$" "never-$$" 2>/dev/null
		dock rename "late-between-$$" "late-new-$$"
	fi
	[ $podman = no ] || pod rename "pod-$$" "pod-new-$$"
	"$CTRACE" rename "own-$$" "own-new-$$"
}
rename_all
for ((i = 0; i < ${#renamed[@]}; i += 3)); do
	old=${renamed[i]} new=${renamed[i + 1]}
	check "$old becomes $new in the metrics" wait_for 5 has_name "$new"
	is "$(metrics | grep -c "name=\"$old\"")" 0 "no series has the name $old any more"
done
is "$("$CTRACE" top --batch -n 1 2>/dev/null | grep -c -e "-new-$$")" "$((${#renamed[@]} / 3))" "the dashboard shows the new names"

# One that has exited, and one that is started again under its new name.
if [ $docker = yes ]; then
	dock kill "$late" >/dev/null
	dock rename "late-new-$$" "late-dead-$$"
	check "an exited one is renamed, too" wait_for 5 has_name "late-dead-$$"
	dock start "$late" >/dev/null
	dock rename "late-dead-$$" "late-new-$$"
	check "and again when it runs" wait_for 5 has_name "late-new-$$"
	dock rm --force "$late" "$early" >/dev/null
fi
[ $podman = no ] || pod rm --all --force --time 0 >/dev/null
sleep 0.3
trace_stop
is "$(metric 'ctrace_unwatched_total{what="names"}')" "0" "every name could be watched"

cat >"$WORK/names.py" <<'PYTHON'
for old, new, container in zip(args[0::3], args[1::3], args[2::3]):
    p.equal(t.find(container)[-1].data.get("name"), new, "%s ends as %s" % (old, new))
PYTHON
judge "$TRACE" "${renamed[@]}" <"$WORK/names.py"
"$CTRACE" replay --json "$record" >"$WORK/replayed.json" 2>"$WORK/replay.err"
check "replayed byte for byte" cmp "$TRACE" "$WORK/replayed.json"

done_testing
