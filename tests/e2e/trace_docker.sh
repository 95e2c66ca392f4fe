#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# The whole story of `docker run --rm --memory 256m IMAGE true`, from the CLI to the last cgroup removed.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
docker_start || skip_all "$ENGINE_WHY"

trace_start
dock run --rm --name story-$$ --memory 256m --cidfile "$WORK/cid" busybox true
is $? 0 "docker run"
id=$(cat "$WORK/cid")
# The CLI returns before the daemon has torn everything down.
wait_for 10 sh -c "! find /sys/fs/cgroup -name $id | grep -q ."
trace_stop
is "$TRACE_CODE" 0 "ctrace trace exits with 0"

judge "$TRACE" "$id" "story-$$" "$(memory_limit_file)" <<'EOF'
container, name, limit_file = args
c = t.one(container)
p.equal([x.id for x in t.timelines if not x["existed"] and x.id.startswith(container[:12])], [container],
        "one container, by its whole id")
p.equal(c["engine"], "docker", "engine")
p.equal(c["runtime"], "runc", "runtime")
p.equal(c["name"], name, "name")
p.equal(c["image"], "busybox", "image") if c["image"] != "busybox:latest" else p.check(True, "image")
p.contains(c.roles(), ["cli", "engine", "containerd", "shim", "runtime", "init"], "actors")
p.contains([a["comm"] for a in c.actors("engine")], ["dockerd"], "the engine is dockerd")
cli = c.actors("cli")
p.check(cli and (cli[0]["argv"] or [])[-3:] == ["busybox", "true"][-3:] or
        (cli and "--memory" in (cli[0]["argv"] or [])), "the CLI's command line", cli[:1])

requests = c.steps("request")
paths = [s["detail"].get("path", "") for s in requests]
p.check(any("/containers/%s/start" % container in x for x in paths), "the CLI's start request is tied to it", paths)
p.check(any("/containers/create" in x for x in paths), "and its create request", paths)
p.check(all(c.actor_of(s) and c.actor_of(s)["role"] == "cli" for s in requests), "requests are the CLI's")

overlay = c.steps("mount", fstype="overlay")
p.check(overlay and "lowerdir=" in (overlay[0]["detail"].get("data") or ""), "the overlay mount with its layers", overlay)
p.check(c.steps("veth"), "a veth pair", sorted({s["kind"] for s in c["steps"]}))
p.check(all((c.actor_of(s) or {}).get("role") == "engine" for s in c.steps("veth")),
        "heard in the network namespace of the engine", [c.actor_of(s) for s in c.steps("veth")])
p.check(c.steps("cgroup_mkdir"), "cgroups are made")
limits = [s for s in c.steps("cgroup_write") if s["detail"]["file"].endswith(limit_file)]
p.equal([s["detail"]["value"].strip() for s in limits], ["268435456"], "the memory limit is written")
p.equal([s["result"] for s in limits], [0], "with its result")
p.contains(c.flags("unshare") | c.flags("clone"),
           ["CLONE_NEWNS", "CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_NEWPID"], "namespaces with their flags")
p.check(len(c.steps("mount")) >= 15, "every mount", len(c.steps("mount")))
p.equal([s["result"] for s in c.steps("pivot_root")], [0], "pivot_root")
p.check(c.steps("capset"), "capabilities")
p.check(c.steps("seccomp"), "seccomp")
p.check([s for s in c.steps("exec") if (s["detail"].get("argv") or [])[:1] == ["true"]], "exec of init",
        [s["detail"] for s in c.steps("exec")])
p.check(c.steps("cgroup_rmdir"), "cgroups are removed")
p.start(c, "docker", phases=["request", "rootfs", "network", "cgroup", "namespaces", "mounts", "pivot", "harden",
                             "exec", "run", "teardown"])
p.equal([a["comm"] for a in c.actors("init")], ["true"], "init's name")
p.check(all(g["controller"] is not None and container in g["path"] for g in c["cgroups"]), "its cgroups",
        c["cgroups"])
p.equal(t.lost(), 0, "no event was lost")
EOF

# ctrace trace -- CMD: the containers that CMD causes, and CMD's exit code.
dock create --name other-$$ busybox true >/dev/null
"$CTRACE" trace --json "$WORK/cmd.json" -- docker -H "unix://$DOCKER_SOCKET" run --rm --cidfile "$WORK/cid2" \
	busybox sh -c 'exit 42' >"$WORK/out" 2>"$WORK/err"
is $? 42 "ctrace trace -- CMD exits as CMD did"
judge "$WORK/cmd.json" "$(cat "$WORK/cid2")" <<'EOF'
p.equal([c.id for c in t.timelines], args, "only the containers that CMD causes")
p.equal(t.one(args[0]).exit.get("code"), 42, "with its exit code")
EOF

# docker exec: an actor of its container, not a container.
trace_start
id=$(dock run -d --rm --name execs-$$ busybox sleep 60)
dock exec execs-$$ sh -c 'exit 9'
is $? 9 "docker exec"
dock kill execs-$$ >/dev/null
wait_for 10 sh -c "! find /sys/fs/cgroup -name $id | grep -q ."
trace_stop
judge "$TRACE" "$id" <<'EOF'
c = t.one(args[0])
p.contains(c.roles(), ["exec"], "an exec session is an actor of its container")
p.equal([x.id for x in t.timelines if x.id != args[0] and not x["existed"]], [], "and no container of its own")
p.equal(c.exit.get("code"), 137, "docker kill: exit code")
p.equal(c.exit.get("signal"), 9, "and signal")
p.check(c.exit.get("sender") and c.exit["sender"]["comm"], "and who sent it", c.exit)
EOF

# Four that start at once in the network of a fifth. And a stranger with a mount namespace of its own, in which the fifth's root
# is mounted, too: it works for none of them.
trace_start
base=$(dock run --detach --name "base-$$" busybox sleep 60)
ids=() starts=()
for i in 1 2 3 4; do
	ids+=("$(dock create --network "container:base-$$" busybox sh -c "exit 5$i")")
done
for id in "${ids[@]}"; do
	dock start --attach "$id" >/dev/null 2>&1 </dev/null &
	starts+=($!)
done
merged=$(dock inspect --format '{{.GraphDriver.Data.MergedDir}}' "base-$$")
"$CTRACE" trace --json "$WORK/stranger.json" -- unshare --mount mount --make-slave "$merged" 2>/dev/null
is $? 0 "a stranger changes what it sees of a container's root"
wait "${starts[@]}"
dock rm --force "base-$$" "${ids[@]}" >/dev/null
wait_for 10 sh -c "! find /sys/fs/cgroup -name $base | grep -q ."
trace_stop
judge "$TRACE" "$base" "${ids[@]}" <<'EOF'
for i, container in enumerate(args):
    c = t.one(container)
    p.start(c, "at once, %d" % i, code=50 + i if i else 137)
    p.equal(len(c.actors("init")), 1, "at once, %d: one init" % i)
EOF
judge "$WORK/stranger.json" <<'EOF'
p.equal([c.id for c in t.timelines], [], "and causes no container")
EOF

done_testing
