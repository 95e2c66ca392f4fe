#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# A cgroup hierarchy that comes and goes while ctrace traces, and cgroups whose paths are used again at once: no container
# gets another's cgroup, end or writes.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"
bundle "$WORK/b" sh -c 'sleep 0.5; exit 61'
for code in 62 63 64; do
	JQ=".linux.cgroupsPath = \"/same-$$\" | .linux.resources.memory = {limit: (67108864 + $code * 4096)}" \
		bundle "$WORK/same-$code" sh -c "exit $code"
done
on_exit remove_cgroup "/same-$$"

trace_start || skip_all "no trace"
other=$WORK/hierarchy
mkdir -p "$other"
if mount -t cgroup -o "none,name=ctrace$$" none "$other" 2>"$WORK/mount.err"; then
	on_exit umount -l "$other"
	rc run --bundle "$WORK/b" "with-$$" &
	container=$!
	for i in 1 2 3 4 5 6 7 8 9 10; do
		mkdir -p "$other/a/b"
		sh -c "echo \$\$ >$other/a/b/tasks; exec true"
		rmdir "$other/a/b" "$other/a"
	done
	wait "$container"
	is $? 61 "a container while a new hierarchy is mounted"
	rc run --bundle "$WORK/b" "without-$$" &
	container=$!
	sleep 0.2
	umount "$other" || umount -l "$other"
	wait "$container"
	is $? 61 "a container while it is unmounted"
	cases=("with-$$:61" "without-$$:61")
else
	skip_point "a named hierarchy comes and goes" "this kernel mounts no v1 hierarchy: $(cat "$WORK/mount.err")"
	cases=()
fi
for code in 62 63 64; do
	rc run --bundle "$WORK/same-$code" "same-$code-$$"
	is $? "$code" "a container in a cgroup whose path was another's"
	cases+=("same-$code-$$:$code")
done
sleep 0.3
trace_stop
is "$TRACE_CODE" 0 "the tracer ends well"
judge "$TRACE" "$WORK" "${cases[@]}" <<'PYTHON'
work, wanted = args[0], dict(a.rsplit(":", 1) for a in args[1:])
for container, code in wanted.items():
    p.start(t.one(container), container, code=int(code))
same = [t.one(i) for i in wanted if i.startswith("same-")]
ids = [c["cgroups"][0]["id"] for c in same if c["cgroups"]]
p.equal(len(set(ids)), len(same), "cgroups of one path are told apart by their ids")
for c in same:
    code = int(wanted[c.id])
    values = [s["detail"].get("value") for f in ("memory.limit_in_bytes", "memory.max") for s in c.steps("cgroup_write", file=f)]
    p.equal({v for v in values if v and v.isdigit()} - {str(67108864 + code * 4096)}, set(), "%s: the limit is its own" % c.id)
ours = [c.id for c in t.timelines if work in str(c["bundle"])]
p.equal(sorted(set(ours) - set(wanted)), [], "no container that nobody made")
PYTHON
done_testing
