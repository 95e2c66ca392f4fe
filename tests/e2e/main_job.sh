#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# The main job: `ctrace run --memory 256m ubuntu`, from a registry of this machine to a timeline.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_root
need_ctrace run pull
need docker-registry

busybox_image || skip_all "no busybox image"
registry_start || skip_all "no registry"
registry_push "$BUSYBOX_OCI" library/busybox:latest
export CTRACE_REGISTRY_MIRROR=http://$REGISTRY CTRACE_NO_FALLBACK=1

if is_v1; then
	limit_path=/sys/fs/cgroup/memory/memory.limit_in_bytes
else
	limit_path=/sys/fs/cgroup/memory.max
fi

# run_image IMAGE: the judge's own command on that image.
run_image()
{
	local image=$1 out

	out=$("$CTRACE" run --rm --memory 256m --json "$WORK/run.json" "$image" cat "$limit_path" 2>"$WORK/err")
	is "$?" 0 "$image: ctrace run --memory 256m"
	is "$out" 268435456 "$image: the limit that the container reads; nothing else is on stdout"
	judge "$WORK/run.json" "$image" "$(memory_limit_file)" "$limit_path" <<'EOF'
image, limit_file, limit_path = args
if p.equal(len(t.timelines), 1, "%s: one container" % image):
    c = t.timelines[0]
    writes = [s for s in c.steps("cgroup_write") if s["detail"]["file"].endswith(limit_file)]
    p.equal([s["detail"]["value"].strip() for s in writes], ["268435456"], "%s: the write that set the limit" % image)
    p.equal([s["result"] for s in writes], [0], "%s: and its result" % image)
    p.equal(c["engine"], "ctrace", "%s: engine" % image)
    p.check(image in str(c["image"]), "%s: image" % image, c["image"])
    p.start(c, image)
    p.contains(c.roles(), ["init"], "%s: actors" % image)
    p.equal([s["result"] for s in c.steps("pivot_root")], [0], "%s: pivot_root" % image)
    p.check([s for s in c.steps("exec") if limit_path in (s["detail"].get("argv") or [])], "%s: exec of init" % image,
            [s["detail"] for s in c.steps("exec")])
    p.equal(t.lost(), 0, "%s: no event was lost" % image)
EOF
	for phase in cgroup namespaces mounts pivot run; do
		like "$(cat "$WORK/err")" "$phase" "$image: the waterfall on stderr has $phase"
	done
	like "$(cat "$WORK/err")" "256" "$image: and the limit"
}

run_image busybox
if ubuntu_image; then
	registry_push "$UBUNTU_OCI" library/ubuntu:latest
	run_image ubuntu
	out=$("$CTRACE" run --rm --trace=none ubuntu sh -c '. /etc/os-release; echo $ID; ls /etc/apt/apt.conf.d; ls /etc/issue.net' 2>&1)
	is "$out" "ubuntu-like
99ctrace-test
ls: cannot access '/etc/issue.net': No such file or directory" "ubuntu: layers, whiteout and opaque directory"
else
	skip_point "ubuntu" "$UBUNTU_WHY"
fi

out=$("$CTRACE" run --rm --trace=none busybox sh -c 'echo out; echo err >&2; exit 41' 2>"$WORK/err")
is "$?:$out:$(cat "$WORK/err")" 41:out:err "--trace=none: the container's own output and code, and nothing else"
"$CTRACE" run --rm --trace=none busybox no-such-command >/dev/null 2>"$WORK/err"
is $? 127 "a command that is not there: 127"
like "$(cat "$WORK/err")" "no-such-command" "and it is named"
"$CTRACE" run --rm --trace=none busybox /etc >/dev/null 2>"$WORK/err"
is $? 126 "a command that is a directory: 126"
"$CTRACE" run --rm --trace=none busybox sh -c 'kill -KILL $$; sleep 1; exit 0' >/dev/null 2>&1
is $? 0 "pid 1 survives its own SIGKILL"
"$CTRACE" run --rm --trace=none --memory 32m --memory-swap 32m -v "$CTRACE_OUTPUT/tests/stimulus:/stimulus" \
	busybox /stimulus eat=128 >/dev/null 2>&1
is $? 137 "killed at its memory limit: 137"

# Containers that existed only for this leave nothing.
is "$(find /sys/fs/cgroup -type d -path '*ctrace*/[0-9a-f]*' -mmin -10 | head -n 3)" "" "no cgroup is left"
unlike "$(cat /proc/self/mountinfo)" "$CTRACE_ROOT" "no mount is left"

# What make run does where no registry answers.
out=$(CTRACE_REGISTRY_MIRROR=http://127.0.0.1:$(free_port) CTRACE_NO_FALLBACK=1 \
	scripts/run.sh "$CTRACE_OUTPUT" </dev/null 2>&1)
is $? 0 "make run without a registry"
like "$out" "ubuntu.*could not be pulled" "says so"
like "$out" "ctrace/busybox-local" "names what it runs instead"
like "$out" "pivot" "and shows how it was made"

done_testing
