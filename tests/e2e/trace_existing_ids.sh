#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# Containers that run already, in cgroups that are not called after them: their runtimes know their ids.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need runc jq
busybox_image || skip_all "no busybox image"

group=ctrace-ids-$$
on_exit remove_cgroup "/$group"

# made NAME JQ: a bundle that sleeps, in the cgroup GROUP/NAME.
made()
{
	JQ=".linux.cgroupsPath = \"/$group/$1\" | .annotations = {colour: \"$1\"} | $2" bundle "$WORK/$1" sleep 600
}

# init_of RUNTIME... ID: by the runtime's own word.
init_of()
{
	"$@" 2>/dev/null | jq .pid
}

# /run/runc and /run/crun, where they keep their states unless they are told otherwise.
made one .
made two '.linux.namespaces |= map(select(.type != "pid"))'
made three .
one=real-one-$$ two=real-two-$$ three=real-three-$$
for word in one two; do
	on_exit runc delete --force "${!word}"
	runc run --detach --bundle "$WORK/$word" "${!word}" </dev/null >/dev/null 2>&1
done
inits="$(init_of runc state "$one") $(init_of runc state "$two")"

# Elsewhere: who waits for the container's end was told its id.
made four .
four=real-four-$$
on_exit rc delete --force "$four"
# So long that the middle of its arguments is left out.
rc run --bundle "$WORK/four" --pid-file "$WORK/$(printf './%.0s' {1..1000})pid" "$four" </dev/null >/dev/null 2>&1 &
wait_for 10 eval 'rc state "$four" | grep -q running'
inits+=" $(init_of rc state "$four")"

ids="$one $two $four"
if have crun; then
	on_exit cr --root /run/crun delete --force "$three"
	cr --root /run/crun run --detach --bundle "$WORK/three" "$three" </dev/null >/dev/null 2>&1
	inits+=" $(init_of cr --root /run/crun state "$three")"
	ids+=" $three"
else
	skip_point "a container of crun" "crun is not installed"
fi

# What was there once and has died is no container, and its pid is somebody else's.
stale=/run/runc/stale-$$
on_exit rm -r "$stale"
mkdir -p "$stale"
jq -c '.init_process_pid = '$$ "/run/runc/$one/state.json" >"$stale/state.json"

# Dead, and nobody has asked for how: it goes on as a zombie, and ends no more.
made five .
five=real-five-$$
on_exit runc delete --force "$five"
/usr/bin/python3 -c 'import ctypes, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) # PR_SET_CHILD_SUBREAPER
subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(600)' runc run --detach --bundle "$WORK/five" "$five" &
on_exit kill -KILL $!
wait_for 10 eval 'runc state "$five" | grep -q running'
dead=$(init_of runc state "$five")
kill -KILL "$dead"
wait_for 10 grep -q "^State:.*Z" "/proc/$dead/status"

trace_start || skip_all "no trace"
runc exec "$one" true
for id in $one $two; do
	runc kill "$id" KILL
done
rc kill "$four" KILL
! have crun || cr --root /run/crun kill "$three" KILL
for pid in $inits; do
	wait_for 10 process_gone "$pid"
done
sleep 0.3
trace_stop

judge "$TRACE" "$group" "$ids" "$inits" "stale-$$" "$WORK" "$dead" <<'PYTHON'
group, ids, inits, stale, work, dead = args
for id, pid in zip(ids.split(), inits.split()):
    word = id.split("-")[1]
    c = t.one(id)
    p.equal((c["existed"], c["pid"], c["state"]), (True, int(pid), "exited"), "%s is known by its id, with its init and its end" % word)
    p.equal(c.exit.get("signal"), 9, "and how it ended")
    p.equal(c["runtime"], "crun" if word == "three" else "runc", "its runtime is told")
    p.equal(c["bundle"], "%s/%s" % (work, word), "and its bundle")
    p.equal([l["value"] for l in c["labels"] if l["name"] == "colour"], [word], "from which its labels come")
    p.check(any(g["path"].endswith("/%s/%s" % (group, word)) for g in c["cgroups"]), "its cgroups are its own", c["cgroups"])
    p.contains(c.roles(), ["runtime"], "who killed it was called about it")
    p.equal(t.find(word), [], "its cgroup's name is no container's")
p.contains(t.one(ids.split()[0]).roles(), ["exec"], "an exec session is found by the id")
p.equal(t.find(stale), [], "a state whose process is gone makes no container")
p.equal([c.id for c in t.timelines if c["pid"] == int(dead)], [], "nor does a zombie")
p.equal(t.lost(), 0, "nothing was lost")
PYTHON

done_testing
