#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# Pids that are used again at once: by strangers, by other containers, in every part of one. No container gets
# a step or an end that is another's.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need crun runc jq
[ -w /proc/sys/kernel/ns_last_pid ] || skip_all "this kernel lets nobody choose a pid (CONFIG_CHECKPOINT_RESTORE)"
stimulus=$CTRACE_OUTPUT/tests/stimulus
[ -x "$stimulus" ] || skip_all "the stimulus is not built"
busybox_image || skip_all "no busybox image"

at_pid()
{
	/usr/bin/python3 "$LIB/at_pid.py" "$@" </dev/null
}

# A stranger with that pid, which does things that a container's process would be known by.
stranger()
{
	at_pid "$1" "$stimulus" mount-fail=ENOENT unshare=mnt,uts fork=2 exit=99
	is $? 99 "pid $1 is used again by a stranger ($2)"
}

# A pid that is free, as are those after it, and that the kernel will not come to soon by itself.
free_pid()
{
	local n i

	n=$(($(cat /proc/sys/kernel/ns_last_pid) + 600))
	[ "$n" -lt $(($(cat /proc/sys/kernel/pid_max) - 700)) ] || n=1000
	for ((i = 0; i < 10; i++)); do
		[ ! -e "/proc/$((n + i))" ] || { n=$((n + i + 1)); i=-1; }
	done
	echo "$n"
}

# got_pid PID WHAT: a busy machine may take every such pid before us; what came instead is judged all the same.
got_pid()
{
	if [ "$(cat "$WORK/pid")" = "$1" ]; then
		ok "$2"
	else
		skip_point "$2" "others on this machine took the pid each time"
	fi
}

crun_is_plain=crun
# What `cr` does, as one command for at_pid.
if is_v1 && v2=$(cgroup_mount ''); then
	crun_is_plain="unshare --mount --propagation private sh -c \"umount $v2; exec crun \\\"\\\$@\\\"\" sh"
fi
cat >"$WORK/cr" <<END
#!/bin/sh
exec $crun_is_plain --root $WORK/crun "\$@"
END
chmod +x "$WORK/cr"
mkdir -p "$WORK/crun"

# run_as PID LABEL CODE: a container whose init has that pid; its id is then in ID. The init is the next after its
# runtime, unless another takes the pid: then it is tried again.
run_as()
{
	local attempt

	bundle "$WORK/b-$2" sh -c "exit $3"
	for attempt in $(seq 20); do
		ID=$2-$attempt-$$
		all+=("$ID:$3")
		rm -f "$WORK/pid"
		at_pid $(($1 - offset)) "$WORK/cr" run --bundle "$WORK/b-$2" --pid-file "$WORK/pid" "$ID"
		[ "$(cat "$WORK/pid")" != "$1" ] || break
	done
	got_pid "$1" "a container has the pid $1 ($2)"
}

all=()
trace_start || skip_all "no trace"

# How far the init's pid is from the runtime's, when nobody forks in between.
bundle "$WORK/b-first" sh -c 'exit 51'
offset=0
for attempt in $(seq 20); do
	first=first-$attempt-$$
	free=$(free_pid)
	at_pid "$free" "$WORK/cr" run --bundle "$WORK/b-first" --pid-file "$WORK/pid" "$first"
	code=$?
	all+=("$first:51")
	pid=$(cat "$WORK/pid")
	offset=$((pid - free))
	[ "$offset" -gt 4 ] || break
done
is "$code" 51 "a container"

stranger "$pid" "an init's"
stranger "$free" "a runtime's"
run_as "$pid" other 52
other=$ID
stranger "$pid" "the init's of two containers"
# The same id, the same pid.
JQ=. bundle "$WORK/b-again" sh -c 'exit 53'
at_pid "$free" "$WORK/cr" run --bundle "$WORK/b-again" --pid-file "$WORK/pid" "$first"
is $? 53 "the first id again, with its pid again (pid $(cat "$WORK/pid"), was $pid)"

# An exec session's pid: by a stranger, by sessions in its container and in another one, by an init.
for name in host guest; do
	bundle "$WORK/b-$name" sleep 60
	on_exit "$WORK/cr" delete --force "$name-$$"
	"$WORK/cr" run --detach --bundle "$WORK/b-$name" "$name-$$" </dev/null >/dev/null 2>&1
done
base=$(free_pid)
at_pid "$base" "$WORK/cr" exec --pid-file "$WORK/pid" "host-$$" sh -c 'exit 61'
is $? 61 "a session in host"
session=$(cat "$WORK/pid")
# exec_as NAME CODE: a session with the pid `session`, as far as others let it.
exec_as()
{
	local attempt

	for attempt in $(seq 20); do
		sessions=$((sessions + 1))
		at_pid "$base" "$WORK/cr" exec --pid-file "$WORK/pid" "$1-$$" sh -c "exit $2"
		[ "$(cat "$WORK/pid")" != "$session" ] || break
	done
	got_pid "$session" "a session in $1 has the pid $session"
}
stranger "$session" "a session's"
sessions=1
exec_as host 61
host_sessions=$sessions
sessions=0
exec_as guest 62
guest_sessions=$sessions
run_as "$session" third 54
third=$ID
# While a container lives, its runtime's pid is a stranger's, who is killed.
at_pid "$base" sh -c 'kill -KILL $$'
"$WORK/cr" kill "host-$$" KILL
"$WORK/cr" kill "guest-$$" KILL
sleep 0.3
"$WORK/cr" delete --force "host-$$"
"$WORK/cr" delete --force "guest-$$"
sleep 0.4
trace_stop

judge "$TRACE" "$WORK" "$pid" "$session" "$first" "$other" "$third" "host-$$" "guest-$$" \
	"$host_sessions" "$guest_sessions" "${all[@]}" <<'PYTHON'
work, pid, session, first, other, third, host, guest, host_sessions, guest_sessions = args[:10]
pid, session = int(pid), int(session)
wanted = dict(a.rsplit(":", 1) for a in args[10:])

a, b = (t.find(first) + [None, None])[:2]
p.equal([c.exit.get("code") for c in t.find(first)], [51, 53], "two starts of one id and one pid, each with its end")
p.equal(t.one(other).exit.get("code"), 52, "another container with that pid has its own end")
p.equal(a["pid"], pid, "the first start has the pid that was used again")
for container in (other, third):
    p.start(t.one(container), container, code=int(wanted[container]))
p.equal({i: t.find(i)[0].exit.get("code") for i in wanted}, {i: int(c) for i, c in wanted.items()}, "every end")
ours = [c for c in t.timelines if work in str(c["bundle"])]
p.equal(sorted({c.id for c in ours} - set(wanted) - {host, guest}), [], "no container that nobody made")
p.equal([c.id for c in ours for x in c["actors"] if x["comm"] in ("stimulus", "python3")], [],
        "no stranger among the actors")
p.equal([(c.id, s) for c in ours for s in c.steps("mount", target="/stimulus-is-not-there")], [], "no stranger's step")
p.equal([c.id for c in ours if len(c.actors("init")) != 1], [], "one init each")
p.equal([(c.id, s["kind"]) for c in ours for s in c["steps"] if int(s["start_ns"]) > int(c.exit["at_ns"]) and
         (c.actor_of(s) or {}).get("role") == "init"], [], "no step of an init after its end")
for container, code, count in ((host, 61, host_sessions), (guest, 62, guest_sessions)):
    c = t.one(container)
    p.equal([m["detail"].get("code") for m in c.marks("exec_exit")], [code] * int(count),
            "%s: its sessions' ends, and no other's" % container)
    p.equal((c.exit.get("code"), c.exit.get("signal")), (137, 9), "%s: its own end" % container)
    p.equal(c.exit["sender"]["comm"], "crun", "%s: killed by its runtime" % container)
p.equal([m for m in t.one(host)["marks"] if m["kind"] == "signal" and m["detail"].get("target_pid") == session], [],
        "a stranger's death is not the container's")
p.equal(t.lost(), 0, "no event was lost")
PYTHON

done_testing
