#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# ctrace inside of a docker container: with what it needs it traces the host, without it says what is missing.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need_ctrace doctor
need runc jq
docker_start || skip_all "$ENGINE_WHY"

# inside DOCKER-OPTIONS... -- ARGUMENTS...: this build, with this machine's libraries, in a container.
inside()
{
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	timeout 60 docker --config "$WORK/docker/config" -H "unix://$DOCKER_SOCKET" run --rm --network none \
		-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v /etc/ld.so.cache:/etc/ld.so.cache:ro \
		-v "$(realpath "$CTRACE_OUTPUT"):/ctrace:ro" "${options[@]}" busybox /ctrace/ctrace "$@"
}

out=$(inside -- doctor 2>&1)
is $? 1 "an ordinary container: doctor exits with 1" || diag "$out"
like "$out" '--pid host' "it says that the host's pid namespace is needed"
like "$out" 'seccomp filter is active' "and that docker's filter is there"
like "$out" 'CAP_BPF is missing' "and a capability is not"
out=$(inside --pid host -- doctor 2>&1)
is $? 1 "with --pid host alone: doctor exits with 1"
like "$out" 'CAP_BPF and CAP_PERFMON' "for want of capabilities"
# What --privileged gives, as far as this machine itself may give it away.
powers=(--privileged)
if ! dock run --rm --network none --privileged busybox true 2>"$WORK/privileged.err"; then
	skip_point "docker run --privileged" "$(head -n 1 "$WORK/privileged.err" | grep -o 'unable to .*' || echo refused)"
	powers=(--cap-add SYS_ADMIN --cap-add SYS_PTRACE --cap-add NET_ADMIN --security-opt seccomp=unconfined
		--security-opt apparmor=unconfined)
fi
out=$(inside "${powers[@]}" -- doctor 2>&1)
is $? 1 "with --privileged alone: doctor exits with 1, not an empty trace"
like "$out" '--pid host' "for want of the pid namespace"
out=$(inside "${powers[@]}" --pid host -- doctor 2>&1)
is $? 0 "with --privileged --pid host: doctor exits with 0" || diag "$out"
like "$out" 'Containers can be traced' "and says that it can"
echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["bpf", "perf_event_open"], "action": "SCMP_ACT_ERRNO"}]}' \
	>"$WORK/no-bpf.json"
out=$(inside "${powers[@]}" --pid host --security-opt "seccomp=$WORK/no-bpf.json" -- trace 2>&1)
is $? 125 "with a seccomp profile that refuses bpf: trace exits with 125"
like "$out" 'a seccomp filter is active: it has to allow bpf' "for want of that, though it is root with all capabilities"

# What it sees from there is the host's.
bundle "$WORK/b" sh -c 'exit 71'
mkdir "$WORK/out"
inside "${powers[@]}" --pid host --name tracer -v "$WORK/out:/out" -- trace --no-serve --json /out/t.json >"$WORK/inside.out" 2>&1 &
tracer=$!
on_exit dock rm --force tracer
if wait_for 30 grep -q '"type":"header"' "$WORK/out/t.json"; then
	rc run --bundle "$WORK/b" "host-$$"
	is $? 71 "a container of the host's runc"
	sleep 1
	dock kill --signal INT tracer >/dev/null
	wait_for 20 process_gone "$tracer"
	wait "$tracer"
	judge "$WORK/out/t.json" "host-$$" <<'PYTHON'
c = t.one(args[0])
p.start(c, "traced from inside of a container", code=71)
p.check(t.summary["complete"], "to the end")
PYTHON
else
	not_ok "ctrace trace starts inside of a container"
	diag "$(cat "$WORK/inside.out")"
fi
done_testing
