#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# A storm of runc containers that end at once, 8 at a time: ctrace serve is scraped each second, and a ctrace top beside it is
# used. Series stay bounded, counters rise, scrapes and keys are answered. 80 containers; FULL=1 runs 1,000.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
. tests/lib/tui.sh
need_tracing
need_ctrace serve
need promtool runc jq tmux

count=80 most=30
[ -z "${FULL-}" ] || count=1000 most=100
prefix=storm-$$
mkdir "$WORK/scrapes"
echo "{\"serve\": {\"max_containers\": $most, \"grace_seconds\": 5}}" >"$WORK/serve.json"
export CTRACE_CONFIG=$WORK/serve.json
serve_start || { done_testing; exit; }
# Processes of others that went while the snapshot was taken are counted; nothing else may be.
snapshot=$(metric 'ctrace_events_lost_total{reason="snapshot"}')
idle=$(metrics | grep -vc '^#')
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB /usr/bin/python3 "$LIB/scraper.py" run "http://$SERVE/metrics" "$WORK/scrapes" 1 &
scraper=$!
on_exit stop_process "$scraper"
tui_start 120x40 "CTRACE_RUN=$CTRACE_RUN" -- --filter "id~$prefix"
check "the dashboard comes up" tui_wait 'no containers? |NAME +STATE' 60

# key KEY REGEX: milliseconds from the key to what it shows.
key()
{
	local from=${EPOCHREALTIME/[.,]/}

	tui_keys "$1"
	tui_wait "$2" 20 || echo 20000
	echo $(((${EPOCHREALTIME/[.,]/} - from) / 1000))
}

# How many seconds the dashboard's clock is behind the machine's.
behind()
{
	local shown

	shown=$(tui_screen | grep -om 1 '[0-9][0-9]:[0-9][0-9]:[0-9][0-9]')
	echo $((($(date -u +%s) - $(date -u -d "$shown" +%s) + 86400) % 86400))
}

busy=$(awk '{ print $14 + $15 }' "/proc/$SERVE_PID/stat")
start=${EPOCHREALTIME/[.,]/}
runc_storm "$count" "$prefix" >"$WORK/failed" &
storm=$!
while kill -0 "$storm" 2>/dev/null; do
	for view in '3 \[3.events\]' '5 \[5.host\]' '1 \[1.containers\]'; do
		key "${view% *}" "${view#* }" >>"$WORK/keys"
	done
	behind >>"$WORK/behind"
	sleep 0.5
done
wait "$storm"
took=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
busy=$(($(awk '{ print $14 + $15 }' "/proc/$SERVE_PID/stat") - busy))
diag "$count starts in $took ms; ctrace serve: $((busy * 1000 / $(getconf CLK_TCK))) ms of CPU, $(awk '/VmRSS/ { print $2 }' "/proc/$SERVE_PID/status") kB"
is "$(cat "$WORK/failed")" "" "every container ran"

# ---- the dashboard ----

read -r median slowest keys <<<"$(sort -n "$WORK/keys" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)], all[NR], NR }')"
# With the time that tmux and the test itself take on a machine where all CPUs are busy.
check "$keys keys were answered: half of them within $median ms, the slowest after $slowest ms" \
	test "$median" -le 5000 -a "$slowest" -lt 20000
check "its clock was at most two seconds behind: $(sort -n "$WORK/behind" | tail -n 1)" test "$(sort -n "$WORK/behind" | tail -n 1)" -le 2
tui_keys / "$prefix-$((count - 1))" Enter
check "the last container is there, and has ended" tui_wait "^$prefix-$((count - 1)) +exit 0" 10
like "$(tui_screen | head -n 1)" "(lost|LOST) $snapshot\$" "and nothing was lost"
tui_keys Enter
check "with its phases" tui_wait 'pivot ' 10
pid=$(tui_pid)
tui_keys q
check "q leaves it" wait_for 10 process_gone "$pid"

# ---- the metrics ----

sleep 2
stop_process "$scraper"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB /usr/bin/python3 "$LIB/scraper.py" judge "$WORK/scrapes" "$most" >"$WORK/points" 2>&1 ||
	not_ok "the scrapes can be judged"
take_points <"$WORK/points"
: >"$WORK/promtool"
for scrape in "$WORK"/scrapes/[0-9]*; do
	promtool check metrics <"$scrape" >>"$WORK/promtool" 2>&1
done
is "$(head -n 3 "$WORK/promtool")" "" "promtool has nothing to say of any of them"
check "every start was counted" test "$(metric 'ctrace_container_starts_total{runtime="runc",result="started"}')" -ge "$count"
check "and every end" test "$(metric 'ctrace_container_exits_total{runtime="runc",reason="completed"}')" -ge "$count"
is "$(metrics | grep '^ctrace_events_lost_total' | grep -v ' 0$' | grep -v snapshot)" "" "no event was lost"
no_series() { ! metrics | grep -q "id=\"$prefix"; }
check "after the grace their series are gone" wait_for 20 no_series
diag "samples: $idle before, $(metrics | grep -vc '^#') after"

done_testing
