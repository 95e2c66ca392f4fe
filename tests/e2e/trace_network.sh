#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# Of containers that start at once each has its own links, address and routes, and those without a network of their own have none.
# The engine, which lives in a network namespace of its own, comes later than ctrace, that has given up its powers by then.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
busybox_image || skip_all "no busybox image"
trace_start || { done_testing; exit; }
docker_start || skip_all "$ENGINE_WHY"
# dockerd keeps the host's network namespace for --network host.
on_exit umount -q "$WORK/docker/exec/netns/default"

dock run -d --name lends busybox sleep 100 >/dev/null
for i in 1 2 3; do
	dock run --rm --name "shares$i" --network container:lends busybox true &
	pids=("$!")
	for how in bridge host none; do
		dock run --rm --name "$how$i" --network "$how" busybox ip -o -4 address show dev eth0 >"$WORK/$how$i" 2>/dev/null &
		pids+=("$!")
	done
	wait "${pids[@]}"
done
dock rm -f lends >/dev/null
sleep 1
trace_stop
judge "$TRACE" "$WORK" <<'PYTHON'
ids = {x["name"]: x.id for x in t.timelines if x["name"]}

def network(c):
    return {k: len(c.steps(k)) for k in ("veth", "address", "route")}

for i in "123":
    c = t.one(ids["bridge" + i])
    p.equal(network(c), {"veth": 3, "address": 1, "route": 2}, c["name"] + ": a pair of which one end is renamed, an address, two routes")
    with open(args[0] + "/bridge" + i, encoding="ascii") as f:
        p.equal([s["detail"]["address"] for s in c.steps("address")], [f.read().split()[3]], c["name"] + ": its address")
    for name in ("shares", "host", "none"):
        c = t.one(ids[name + i])
        if name == "none":
            p.equal(len(c.steps("veth")), 0, c["name"] + ": no link")
        else:
            p.equal(network(c), {"veth": 0, "address": 0, "route": 0}, c["name"] + ": no network of its own")
        p.equal([s for s in c.steps("setns") if (c.actor_of(s) or {}).get("role") == "engine" and name != "none"], [],
                c["name"] + ": no way home of the engine's threads")
PYTHON
done_testing
