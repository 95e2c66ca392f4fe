#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 5400
# SOAK=1: for SOAK_SECONDS (3600) docker, runc and ctrace start containers in turn, with serve, top --batch, top --json, trace
# and a scraper attached. Memory is flat after the warm-up, descriptors are as many as at its end, no event of a container is
# lost, and each container is accounted for: docker's by docker's own event log, the others by their exit codes.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
[ -n "${SOAK-}" ] || skip_all "it takes an hour: SOAK=1 (SOAK_SECONDS) runs it"
need_tracing
need_ctrace serve top run
need runc jq bpftool
docker_start || skip_all "$ENGINE_WHY"
busybox_image || skip_all "no busybox image"
seconds=${SOAK_SECONDS:-3600}
seconds=${seconds:-3600}
warmup=$((seconds / 4 < 600 ? seconds / 4 : 600))
KEPT=1280    # ended containers that serve and top keep before they go back to 1,024
KEPT_READ=160 # those that read from a server or print, to 128
KIB_EACH=80  # of a docker start, with all its steps
for code in 1 2 3; do
	bundle "$WORK/b$code" sh -c "exit $code"
done

# ---- the programs that are watched ----

watched=()
# watch_program NAME PID
watch_program()
{
	watched+=("$1:$2")
	on_exit stop_process "$2"
}

serve_start --compat=cadvisor || skip_all "no server"
watch_program serve "$SERVE_PID"
"$CTRACE" top --batch --delay 2 >/dev/null 2>"$WORK/top.err" &
watch_program "top --batch" $!
"$CTRACE" top --json --delay 2 >/dev/null 2>>"$WORK/top.err" &
watch_program "top --json" $!
trace_start || skip_all "no reader"
watch_program "trace from serve" "$TRACE_PID"
reader=$TRACE reader_pid=$TRACE_PID
trace_start --no-serve || skip_all "no trace"
watch_program "trace of its own" "$TRACE_PID"
(while :; do metrics >/dev/null 2>&1; sleep 5; done) &
on_exit stop_process $!
dock events --since 0 --filter type=container --format '{{json .}}' >"$WORK/docker.events" &
events=$!
on_exit stop_process "$events"

# A line for each program: NAME RSS-KIB DESCRIPTORS; before them what is kept on purpose: containers that were seen (others' on
# this machine among them), KiB of the past that serve keeps for late readers.
figures()
{
	local w pid

	metrics | awk '/^ctrace_container_starts_total/ { n += $2 } /^ctrace_stream_history_bytes/ { h = $2 }
		END { printf "kept\t%d\t%d\n", n, h / 1024 }'

	for w in "${watched[@]}"; do
		pid=${w##*:}
		printf '%s\t%s\t%s\n' "${w%:*}" "$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")" \
			"$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)"
	done
}

# ---- the load ----

started=0 wrong=0
# start WANTED ID COMMAND...: one container, whose exit code is known.
start()
{
	local wanted=$1 id=$2

	shift 2
	"$@" </dev/null >/dev/null 2>>"$WORK/load.err"
	if [ $? = "$wanted" ]; then
		[ -z "$id" ] || echo "$id $wanted" >>"$WORK/expected"
	else
		wrong=$((wrong + 1))
	fi
	started=$((started + 1))
}

begin=$(date +%s)
: >"$WORK/expected"
while now=$(($(date +%s) - begin)) && [ "$now" -lt "$seconds" ]; do
	code=$((started % 3 + 1))
	start "$code" "soak-runc-$started" rc run --bundle "$WORK/b$code" "soak-runc-$started"
	start "$code" "" dock run --rm --network none busybox sh -c "exit $code"
	start "$code" "" "$CTRACE" run --trace=none --rm --network none --rootfs "$BUSYBOX_ROOT" sh -c "exit $code"
	start 42 "" dock run --rm --network none --memory 32m --cpus 0.5 busybox sh -c 'exit 42'
	# It is warm when what is kept has reached its bound; a slow machine does not get there.
	if [ ! -s "$WORK/warm" ] && [ "$now" -ge "$warmup" ] &&
		{ [ "$started" -ge "$KEPT" ] || [ "$now" -ge $((seconds / 2)) ]; }; then
		figures >"$WORK/warm"
		diag "after $now s and $started starts:" "$(cat "$WORK/warm")"
	fi
done
sleep 3
figures >"$WORK/end"
diag "after $(($(date +%s) - begin)) s and $started starts:" "$(cat "$WORK/end")"
is "$wrong" 0 "each of $started containers ended as it should"

# ---- what came of it ----

# What was not kept yet when it was warm may still come, up to the bound. Beyond that, and a tenth for the allocator, memory is
# flat.
while IFS=$'\t' read -r name warm_rss warm_fds <&3 && IFS=$'\t' read -r _ end_rss end_fds <&4; do
	if [ "$name" = kept ]; then
		kept=$warm_rss seen=$((end_rss - warm_rss)) past=$((end_fds - warm_fds))
		[ "$past" -ge 0 ] || past=0
		diag "containers since then: $seen, growth of the past: $past KiB"
		continue
	fi
	case $name in
	trace*) room=$((KEPT_READ - kept)) ;;
	*) room=$((KEPT - kept)) ;;
	esac
	[ "$room" -ge 0 ] || room=0
	most=$((warm_rss + warm_rss / 10 + 2048 + (seen < room ? seen : room) * KIB_EACH))
	[ "$name" != serve ] || most=$((most + past))
	check "$name: memory is flat ($warm_rss, then $end_rss of at most $most KiB)" test "${end_rss:-0}" -gt 0 -a \
		"${end_rss:-0}" -le "$most"
	check "$name: descriptors are as many ($warm_fds, then $end_fds)" test "$end_fds" -le $((warm_fds + 3))
done 3<"$WORK/warm" 4<"$WORK/end"
metrics | grep '^ctrace_events_lost_total.* [^0]' | while read -r line; do diag "$line"; done
trace_forgets "nothing stays in the tables of threads that are no more"
lost=$(metrics | awk '/^ctrace_events_lost_total/ && !/snapshot/ { n += $2 } END { print n + 0 }')
is "$lost" 0 "serve lost no event"
trace_stop
own=$TRACE
TRACE_PID=$reader_pid
trace_stop
stop_process "$events"
is "$(cat "$WORK/top.err")" "" "top had nothing to complain of"

for file in "$own" "$reader"; do
	judge "$file" "$WORK/expected" "$WORK/docker.events" <<'PYTHON'
import json
wanted = dict(line.split() for line in open(args[0]))
docker = {}
for line in open(args[1]):
    event = json.loads(line)
    if event.get("Action") == "die":
        docker[event["id"]] = event["Actor"]["Attributes"]["exitCode"]
wanted.update(docker)
got = {c.id: str(c.exit.get("code")) for c in t.timelines if c["state"] == "exited"}
missing = [i for i in wanted if i not in got]
p.equal(missing[:5], [], "each of %d containers, %d of them in docker's event log, is there" % (len(wanted), len(docker)))
p.equal([(i, wanted[i], got[i]) for i in wanted if i in got and got[i] != wanted[i]][:5], [], "with its exit code")
mine = [c for c in t.timelines if c.id in wanted]
p.equal([(c.id, c["lost"]) for c in mine if c["lost"]][:5], [], "and nothing lost")
p.equal([(c.id, c.missing_phases(tl.START_PHASES)) for c in mine if c.missing_phases(tl.START_PHASES)][:5], [], "every phase of each")
PYTHON
done
serve_stop
is "$SERVE_CODE" 0 "serve ends well"
done_testing
