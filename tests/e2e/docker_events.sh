#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# `ctrace trace --format docker-events` against what `docker events` says of the same runs, field by field.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need jq
docker_start || skip_all "$ENGINE_WHY"

dock events --filter type=container --format '{{json .}}' >"$WORK/theirs" 2>"$WORK/events.err" &
on_exit stop_process $!

# One container that ends, one that the kernel kills, one that everything is done to, one that stays.
cat >"$WORK/scenario" <<EOF
set -e
docker() { command docker -H "unix://$DOCKER_SOCKET" "\$@"; }
docker run --rm --name ev-true --memory 64m busybox sh -c 'exit 3' || [ \$? = 3 ]
docker run --rm --name ev-oom --memory 16m --memory-swap 16m --shm-size 200m busybox dd if=/dev/zero of=/dev/shm/x bs=1M count=150 || [ \$? = 137 ]
docker run -d --rm --name ev-many --label team=a --label "image=theirs" --label 'odd=x "y" ü' busybox sleep 100
docker pause ev-many
docker unpause ev-many
docker exec ev-many true
docker run --name ev-failed --label a.b=c busybox /no-such-program 2>/dev/null || [ \$? = 127 ]
docker run --rm --name ev-refused busybox /etc 2>/dev/null || [ \$? = 126 ]
docker exec ev-many sh -c 'exit 5' || [ \$? = 5 ]
docker kill -s USR1 ev-many
docker kill ev-many
docker run -d --name ev-kept busybox true
EOF
DOCKER_CONFIG=$WORK/docker/config "$CTRACE" trace --trace=none --format docker-events --json="$WORK/ours" \
	--record "$WORK/recording" -- sh "$WORK/scenario" >"$WORK/out" 2>"$WORK/err"
is "$?" 0 "the scenario"
[ ! -s "$WORK/err" ] || diag "$(cat "$WORK/err")"

replays()
{
	"$CTRACE" replay --format docker-events "$WORK/recording" | cmp - "$WORK/ours"
}
check "a replay of the recording says the same" replays

# words FILE NAME: what both must agree on. Not compared: attach, network and resize, which are none of the container's.
words()
{
	jq -r --arg name "$2" 'select(.Type == "container" and .Actor.Attributes.name == $name) |
		select(.Action | test("^(attach|resize|top|archive|copy|export|commit|rename|update)") | not) |
		[.status == .Action, .id == .Actor.ID, .id, .from, (.Action | sub(" +$"; "")), .Actor.Attributes.image,
		.Actor.Attributes.exitCode, .Actor.Attributes.signal, .Actor.Attributes.execID,
		(.Actor.Attributes | del(.name, .image, .exitCode, .signal, .execID) | tojson), .scope, (.timeNano / 1e9 | floor) == .time] | @tsv' "$1"
}

wait_for 10 grep -q '"Action":"destroy".*ev-many' "$WORK/theirs"

# Docker hears of an OOM kill from the shim, on a way of its own: its `oom` may come after `die`, or, when
# the cgroup is gone before the shim reads the notice, not at all. Ours is the kernel's word, so it is there.
words "$WORK/theirs" ev-oom | cut -f5- | grep '^oom' >"$WORK/theirs.oom"
words "$WORK/ours" ev-oom | cut -f5- | grep '^oom' >"$WORK/ours.oom"
is "$(wc -l <"$WORK/ours.oom")" 1 "ev-oom: one oom"
is "$(words "$WORK/ours" ev-oom | cut -f5 | tr '\n' ' ')" "create start oom die destroy " "ev-oom: in the order it happened"
if [ -s "$WORK/theirs.oom" ]; then
	check "ev-oom: the same oom as docker's" diff "$WORK/theirs.oom" "$WORK/ours.oom"
else
	skip_point "ev-oom: the same oom as docker's" "docker lost its own notice of the kill"
fi
oom=$'\toom\t'
for name in ev-true ev-oom ev-many ev-failed ev-refused ev-kept; do
	words "$WORK/theirs" $name >"$WORK/theirs.$name"
	words "$WORK/ours" $name >"$WORK/ours.$name"
	check "$name: docker's events" diff <(grep -v "$oom" "$WORK/theirs.$name") <(grep -v "$oom" "$WORK/ours.$name")
	is "$(cut -f5 "$WORK/ours.$name" | grep -c '^create$')" 1 "$name: and not nothing"
done

shape()
{
	jq -c 'select(.Action | test("^(create|start|die|destroy|oom|kill|pause|unpause)$")) |
		[paths | map(tostring) | join(".")] | map(select(test("Attributes\\.") | not)) | sort' "$1" | sort -u
}
check "the same keys, and no others" diff <(shape "$WORK/theirs") <(shape "$WORK/ours")

# When: within a second or so, since the daemon notes it later than the kernel does it.
cat >"$WORK/times.py" <<'EOF'
import json
import sys


def times(path):
    found = {}
    for line in open(path):
        e = json.loads(line)
        if e["Actor"]["Attributes"].get("name", "").startswith("ev-"):
            found.setdefault((e["id"], e["Action"].strip()), e["timeNano"] / 1e9)
    return found


theirs, ours = times(sys.argv[1]), times(sys.argv[2])
common = theirs.keys() & ours.keys()
assert len(common) > 12, common
for key in common:
    assert abs(theirs[key] - ours[key]) < 1.5, (key, theirs[key] - ours[key])
EOF
check "the times are near" /usr/bin/python3 "$WORK/times.py" "$WORK/theirs" "$WORK/ours"
done_testing
