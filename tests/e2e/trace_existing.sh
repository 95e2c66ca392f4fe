#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# What a tracer meets that comes late: containers that run already, exec sessions in them, restarts of an id.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"

JQ='.linux.resources.memory = {limit: 67108864}' bundle "$WORK/b" sleep 60
old=old-$$
rc run --detach --bundle "$WORK/b" "$old" </dev/null >/dev/null 2>&1
on_exit rc delete --force "$old"
old_pid=$(rc state "$old" | jq .pid)

# Made, and not started: what is its pid 1 then is still the runtime, which crun's name does not tell.
pre=
if have crun; then
	pre=pre-$$
	JQ=. bundle "$WORK/pre" sh -c 'exit 27'
	on_exit cr delete --force "$pre"
	cr create --bundle "$WORK/pre" "$pre" </dev/null >/dev/null 2>&1
fi

trace_start || skip_all "no trace"

if [ -n "$pre" ]; then
	cr start "$pre"
	wait_for 10 grep -q "\"id\":\"$pre\".*\"state\":\"exited\"" "$TRACE"
	is "$(jq -c --arg id "$pre" 'select(.type == "timeline" and .id == $id) | [.state, .existed, .exit.code]' "$TRACE" | uniq |
		head -n 3 | tr '\n' ' ')" '["created",true,null] ["running",true,null] ["exited",true,27] ' "crun's container that waits for its start"
else
	skip_point "a crun container that waits for its start" "crun is not installed"
fi
rc exec "$old" sh -c 'exit 17'
is $? 17 "runc exec in a container that was there before ctrace"
rc kill "$old" KILL
wait_for 10 process_gone "$old_pid"
rc delete "$old"

# The same id, three times over, with different ends.
again=again-$$
for code in 21 22 23; do
	JQ=. bundle "$WORK/b$code" sh -c "exit $code"
	rc run --bundle "$WORK/b$code" "$again"
	is $? "$code" "start $((code - 20)) of the same id"
done

# Two sessions in a container that ctrace saw start.
new=new-$$
rc run --detach --bundle "$WORK/b" "$new" </dev/null >/dev/null 2>&1
on_exit rc delete --force "$new"
rc exec "$new" sh -c 'exit 18'
rc exec "$new" sh -c 'exit 19'
new_pid=$(rc state "$new" | jq .pid)
rc kill "$new" KILL
wait_for 10 process_gone "$new_pid"
rc delete "$new"
sleep 0.3
trace_stop

judge "$TRACE" "$old" "$again" "$new" "$old_pid" <<'EOF'
old, again, new, old_pid = args
c = t.one(old)
p.equal(c["existed"], True, "a container that was there before is known as such")
p.equal(c["pid"], int(old_pid), "with its init")
p.contains(c.roles(), ["exec"], "an exec session is its actor")
p.equal(c["state"], "exited", "its end is seen")
p.equal((c.exit.get("code"), c.exit.get("signal")), (137, 9), "with its signal")
p.equal((c.exit.get("sender") or {}).get("comm"), "runc", "and who sent it")
p.check(all(ph["start_edge"] != "observed" for ph in c["phases"] if ph["phase"] == "run"),
        "the start of its run was not observed", c["phases"])

starts = t.find(again)
p.equal([s.exit.get("code") for s in starts], [21, 22, 23], "three starts of one id are three timelines, in order")
p.equal(len({s["pid"] for s in starts}), len(starts), "each with its own init")
for i, s in enumerate(starts):
    p.equal(s.missing_phases(tl.START_PHASES), [], "start %d has all phases" % (i + 1))

c = t.one(new)
p.equal(len(c.actors("exec")), 2, "two exec sessions are two actors")
p.equal(sorted(m["detail"].get("code", -1) for m in c.marks("exec_exit")), [18, 19], "with their exit codes")
p.equal(c.disorder(), "", "times are in order")
p.equal(t.lost(), 0, "no event was lost")
EOF

done_testing
