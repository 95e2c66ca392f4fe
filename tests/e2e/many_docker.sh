#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# Many `docker run --rm IMAGE sh -c 'exit N'`, 8 at a time: every one present, with its id, its exit code, all
# its phases; nothing lost, no ghost. 24 of them; FULL=1 runs 200.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
need_tracing
need jq bpftool
docker_start || skip_all "$ENGINE_WHY"

count=24
[ -z "${FULL-}" ] || count=200
mkdir "$WORK/cids"

one_slot()
{
	local i code

	for ((i = $1; i < count; i += 8)); do
		# 125 to 127 are docker's own; ours stay below.
		dock run --rm --cidfile "$WORK/cids/$i" busybox sh -c "exit $((i % 120))"
		code=$?
		[ "$code" = $((i % 120)) ] || echo "$i: exit $code"
	done
}

trace_start || skip_all "no trace"
start=$(date +%s%N)
for slot in 0 1 2 3 4 5 6 7; do
	one_slot "$slot" >"$WORK/slot$slot" 2>&1 &
	slots[slot]=$!
done
wait "${slots[@]}"
diag "$count starts in $((($(date +%s%N) - start) / 1000000)) ms"
is "$(cat "$WORK"/slot?)" "" "docker gives every exit code"
wait_for 20 sh -c 'for f in "$0"/cids/*; do [ ! -d "$(find /sys/fs/cgroup -maxdepth 3 -name "$(cat "$f")" | head -n 1)" ] || exit 1; done' "$WORK"
trace_forgets "nothing stays in the tables of threads that are no more"
trace_stop

for file in "$WORK"/cids/*; do
	echo "$(basename "$file") $(cat "$file")"
done >"$WORK/ids"

judge "$TRACE" "$WORK/ids" "$count" "$WORK" "${LEAKS-}" <<'EOF'
ids_file, count, work, shared = args[0], int(args[1]), args[2], args[3] == "warn"
wanted = {}
for line in open(ids_file, encoding="ascii"):
    number, container = line.split()
    wanted[container] = int(number) % 120
phases = ["request", "rootfs", "network"] + tl.START_PHASES
have = {c.id: c for c in t.timelines}
p.equal(len(wanted), count, "docker made them all")
p.equal(sorted(set(wanted) - set(have))[:10], [], "every container is present (%d)" % count)
p.equal(len([c for c in t.timelines if c.id in wanted]), count, "each of them once")
ours = [have[i] for i in wanted if i in have]
p.equal([(c.id[:12], c.exit.get("code"), wanted[c.id]) for c in ours if c.exit.get("code") != wanted[c.id]][:10], [],
        "right exit codes")
p.equal([(c.id[:12], c.missing_phases(phases)) for c in ours if c.missing_phases(phases)][:10], [], "all phases")
p.equal([(c.id[:12], c.disorder()) for c in ours if c.disorder()][:10], [], "times are in order")
p.equal([(c.id[:12], sorted({"cli", "engine", "shim", "runtime", "init"} - c.roles())) for c in ours
         if {"cli", "engine", "shim", "runtime", "init"} - c.roles()][:10], [], "all actors")
ghosts = [c.id for c in t.timelines if c.id not in wanted and not c["existed"]
          and (not shared or work in str(c["bundle"]))]
p.equal(ghosts[:10], [], "no container that nobody made")
p.equal(t.lost(), 0, "no event was lost")
EOF

done_testing
