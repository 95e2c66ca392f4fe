#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# ctrace run -d and the commands on containers that stay: what they do, print and return.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"

# ---- a container that stays ----
try ct run --name first "${ON[@]}" sh -c 'echo out; echo err >&2; exit 3'
is "$code:$out:$err" 3:out:err "in the foreground: its output and its exit code"
like "$(ct ps -a)" "\"sh -c 'echo out; ec…\" .* Exited \(3\) .* first$" "it stays, exited"
is "$(ct ps -q)" "" "and is not listed among those that run"
is "$(ct logs first 2>/dev/null)" out "its stdout is kept"
is "$(ct logs first 2>&1 >/dev/null)" err "and its stderr"
is "$(of first .State.ExitCode) $(of first .State.Running) $(of first .State.Pid)" "3 false 0" "inspect: its end"
first=$(of first .Id)
is "$(find "$CTRACE_ROOT/containers" -maxdepth 1 -name "$first" | wc -l)" 1 "its storage is there"
is "$(grep -c "$WORK/store" /proc/self/mountinfo)" 0 "but not mounted"
fails 125 'The container name "/first" is already in use by container' "a second of that name" \
	ct run --name first "${ON[@]}" true
is "$(ct rm first)" first "rm says the name"
is "$(engine_things)" "" "nothing is left of it"
ct run --rm "${ON[@]}" true
is "$(engine_things)" "" "with --rm it goes by itself"
is "$(ct ps -a | wc -l)" 1 "ps without containers is a heading"

# ---- in the background ----
id=$(ct run -d --name web --label a=1 --label b=2 "${ON[@]}" sh -c 'trap "exit 9" TERM; echo up; while :; do sleep 0.1; done')
like "$id" '^[0-9a-f]{64}$' "run -d prints the id"
wait_for 5 ct exec web true
like "$(ct ps)" "^${id:0:12} +$ROOTFS +\"sh -c 'trap .* Up .* web\$" "ps shows it"
is "$(ct ps -q)" "${id:0:12}" "ps -q"
is "$(ct ps -q --no-trunc)" "$id" "ps -q --no-trunc"
is "$(ct ps --format '{{.ID}} {{.Names}} {{.State}}')" "${id:0:12} web running" "ps --format TEMPLATE"
is "$(ct ps --format 'table {{.Names}}\t{{.ID}}' | head -1 | tr -s ' ')" "NAMES CONTAINER ID" "ps --format 'table ...'"
is "$(ct ps --format json | jq -r '.Names + " " + .State + " " + .Labels')" "web running a=1,b=2" "ps --format json"
is "$(ct ps -q --filter label=a=1 --filter name=we)" "${id:0:12}" "ps --filter that holds"
is "$(ct ps -q --filter label=a=2)" "" "ps --filter that does not"
is "$(ct ps -q --filter status=exited --filter status=running)" "${id:0:12}" "one filter twice: either"
fails 1 "Invalid filter 'nosuch'" "an unknown filter" ct ps --filter nosuch=1
fails 1 "can't evaluate field Nosuch" "an unknown field" ct ps --format '{{.Nosuch}}'
supervisor=$(readlink "$CTRACE_RUN/live/$id" | cut -d' ' -f1)
is "$(cut -d' ' -f4 "/proc/$supervisor/stat" | grep -cvx "$$")" 1 "its supervisor is not our child"
is "$(awk '{print $6}' "/proc/$supervisor/stat")" "$supervisor" "and leads a session of its own"
is "$(readlink "/proc/$supervisor/fd/1")" /dev/null "and has let go of our output"
size=$(awk '/VmRSS/ {print $2}' "/proc/$supervisor/status")
if nm -D "$CTRACE" | grep -q __asan_init; then
	skip_point "and is small" "$size kB, most of them the address sanitizer's"
else
	[ "$size" -lt 8000 ]
	is $? 0 "and is small: $size kB"
fi

# ---- unique prefixes, errors ----
is "$(ct inspect -f '{{.Name}}' "${id:0:4}")" /web "a prefix of the id"
fails 1 '^ctrace stop: No such container: nosuch$' "an unknown container" ct stop nosuch
fails 1 'No such object: nosuch' "inspect of an unknown one" ct inspect -f json nosuch
fails 1 'You cannot remove a running container' "rm of one that runs" ct rm web
for command in logs exec attach start stop restart kill pause unpause wait rm rename port; do
	try ct "$command"
	is "$code" 1 "ctrace $command without a container: 1, as docker's client"
done
for words in "run" "pull" "rmi" "ps extra" "volume rm" "volume nosuch" "inspect" "exec web" "logs --since bad web" "images a b"; do
	# shellcheck disable=SC2086
	try ct $words
	is "$code" 1 "ctrace $words: 1"
done
for words in "run --nosuch x" "ps --nosuch" "stop -t x web" "exec --nosuch web true" "pull --nosuch x"; do
	# shellcheck disable=SC2086
	try ct $words
	is "$code" 125 "ctrace $words: 125"
done
is "$(ct volume 2>&1 | head -n 1); $?" "Usage: ctrace volume create|ls|inspect|rm|prune [OPTIONS]; 0" "volume alone tells how"
fails 1 "can't evaluate field Nosuch" "an unknown field, and nothing to show" ct ps --filter name=nosuch --format '{{.Nosuch}}'

# ---- logs ----
is "$(ct logs web)" up "logs of one that runs"
like "$(ct logs -t web)" '^20[0-9-]+T[0-9:.]+Z up$' "logs -t"
ct run -d --name counter "${ON[@]}" sh -c 'for i in $(seq 30); do echo line $i; done; printf unfinished; sleep 0.5; echo; echo last' >/dev/null
is "$(timeout 20 "$CTRACE" logs -f counter | tail -n 2 | tr '\n' ' ')" "unfinished last " "logs -f ends with the container"
is "$(ct logs --tail 2 counter | tr '\n' ' ')" "unfinished last " "logs --tail"
is "$(ct logs --tail 0 counter)" "" "logs --tail 0"
is "$(ct logs -n 1000 counter | wc -l)" 32 "logs --tail of more than there is"
is "$(ct logs --since 1h counter | wc -l)" 32 "logs --since"
is "$(ct logs --since 2200-01-01 counter)" "" "logs --since in the future"
is "$(ct logs --until 1h counter)" "" "logs --until"
is "$(jq -r '.stream' "$(of counter .LogPath)" | sort -u)" stdout "the log is docker's json-file"
head -c 3000000 /dev/zero | tr '\0' x >"$ROOTFS/data/long"
is "$(ct run --name long "${ON[@]}" cat /data/long | wc -c) $(ct logs long | wc -c)" "3000000 3000000" "a long line comes through whole"
printf '\xff\xfe"\\\t\001<end>\n' >"$ROOTFS/data/bytes"
ct run --name bytes "${ON[@]}" cat /data/bytes >/dev/null
jq -e . "$(of bytes .LogPath)" >/dev/null
is $? 0 "bytes that are no UTF-8 make no bad JSON"
ct run --name mixed "${ON[@]}" sh -c 'echo 1; sleep 0.1; echo 2 >&2; sleep 0.1; echo 3' >/dev/null 2>&1
is "$(ct logs mixed 2>&1 | tr '\n' ' ')" "1 2 3 " "logs of both streams into one pipe come in their order"
like "$(ct ps -a --no-trunc --filter name=mixed)" "\"sh -c 'echo 1; sleep 0.1;.*'\"" "ps: an argument with spaces is quoted"
fails 1 "Invalid filter 'status=bogus'" "ps --filter of a status that is none" ct ps --filter status=bogus
ct rm long bytes counter mixed >/dev/null

# ---- exec ----
is "$(ct exec web sh -c 'echo $$ >/tmp/pid; id -u; pwd')" "0
/" "exec"
try ct exec web sh -c 'exit 41'; is "$code" 41 "exec: the program's exit code"
is "$(ct exec -u app -w /tmp -e A=b web sh -c 'id; pwd; echo $A $HOME')" "uid=1000(app) gid=1001(app) groups=44(video),1001(app)
/tmp
b /home/app" "exec -u -w -e" || diag "$(ct exec -u app web id)"
is "$(ct exec -u 7:8 web id)" "uid=7 gid=8 groups=8" "exec -u of a number that nobody has" ||
	diag "$(ct exec -u 7:8 web id 2>&1)"
fails 126 'permission denied' "exec of what is not executable" ct exec web /etc/passwd
fails 127 'executable file not found' "exec of what is not there" ct exec web nosuch
fails 126 'unable to find user ghost' "exec as nobody" ct exec -u ghost web true
fails 126 'uids and gids must be in range' "exec as a number that is no id" ct exec -u 4294967296 web true
fails 126 'No such file or directory' "exec -w of a directory that is not there" ct exec -w /no/such web true
is "$(echo hello | "$CTRACE" exec -i web cat)" hello "exec -i"
is "$(echo hello | "$CTRACE" exec web cat)" "" "exec without -i has no stdin"
is "$(ct exec web grep CapEff /proc/self/status | tr -d '\t')" CapEff:00000000a80425fb "exec has the container's capabilities"
is "$(ct exec -u app web grep CapEff /proc/self/status | tr -d '\t')" CapEff:0000000000000000 "exec -u has none"
is "$(ct exec web grep Seccomp: /proc/self/status | tr -d '\t')" Seccomp:2 "exec has the seccomp filter"
ct exec -d web sh -c 'echo done >/tmp/detached'
wait_for 5 ct exec web cat /tmp/detached
is $? 0 "exec -d"
fails 1 'the input device is not a TTY' "exec -it without a terminal" ct exec -it web sh
is "$(ct exec -t web tty | tr -d '\r')" /dev/pts/0 "exec -t"

# ---- pause ----
is "$(ct pause web)" web "pause"
like "$(ct ps)" '\(Paused\)' "ps says so"
is "$(of web .State.Status)" paused "inspect says so"
fails 1 'is already paused' "pause again" ct pause web
fails 1 'is paused, unpause the container before exec' "exec in a paused one" ct exec web true
is "$(ct unpause web)" web "unpause"
fails 1 'is not paused' "unpause again" ct unpause web

# ---- stats, rename, inspect ----
like "$(ct stats --no-stream)" "^CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS" "stats: docker's columns"
is "$(ct stats --no-stream --format json | jq -r '.Name')" web "stats --format json"
is "$(ct rename web site)$(of site .Name)" /site "rename"
fails 1 'No such container: web' "the old name is gone" ct stop web
ct rename site web
like "$(ct inspect web)" '^namespaces' "inspect: what it is made of"
is "$(ct inspect --json web | jq -r .id)" "$id" "inspect --json"
is "$(ct inspect -f '{{index .Config.Labels "a"}} {{json .State.Running}} {{len .Mounts}}' web)" "1 true 0" "inspect -f: functions"
is "$(ct inspect --format json web | jq -r '.[0].State.Status + " " + .[0].HostConfig.NetworkMode')" "running none" "inspect --format json is docker's list"
fails 1 'error calling upper: wrong type' "a template that is not understood" ct inspect -f '{{upper .Mounts}}' web

# ---- kill, stop, wait, start, restart ----
is "$(ct kill -s CONT web)" web "kill -s"
"$CTRACE" wait web >"$WORK/wait" 2>&1 &
waiter=$!
is "$(ct stop web)" web "stop"
is "$(of web .State.ExitCode)" 9 "its stop signal reached it"
wait "$waiter"
is "$(cat "$WORK/wait")" 9 "wait prints the exit code"
is "$(ct wait web)" 9 "wait of one that has ended, too"
is "$(ct stop web)" web "stop again is no error"
fails 1 'Cannot kill container: web: Container .* is not running' "kill of one that has ended" ct kill web
fails 1 'is not running' "exec in one that has ended" ct exec web true
is "$(ct start web)" web "start"
is "$(ct exec web cat /tmp/detached)" done "what it wrote is still there"
is "$(ct start web)" web "start of one that runs is no error"
before=$(of web .State.Pid)
is "$(ct restart web)" web "restart"
[ "$(of web .State.Pid)" != "$before" ] && is_status web running
is $? 0 "it runs under another pid"
is "$(ct kill web)" web "kill"
wait_for 5 is_status web exited
is "$(of web .State.ExitCode)" 137 "KILL: 137"
ct run -d --name stubborn --stop-timeout 1 "${ON[@]}" sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
start=$(date +%s%N)
ct stop stubborn >/dev/null
took=$((($(date +%s%N) - start) / 1000000))
[ "$took" -ge 1000 ] && [ "$took" -lt 8000 ]
is "$? $(of stubborn .State.ExitCode)" "0 137" "stop kills after --stop-timeout (it took $took ms)"
ct run -d --name quiet --stop-signal USR1 "${ON[@]}" sh -c 'trap "exit 11" USR1; while :; do sleep 0.1; done' >/dev/null
wait_for 5 ct exec quiet true
ct stop quiet >/dev/null
is "$(of quiet .State.ExitCode)" 11 "stop uses --stop-signal"
try ct start -a first-gone; is "$code" 1 "start of an unknown one"
ct run --name again "${ON[@]}" sh -c 'echo x >>/tmp/runs; cat /tmp/runs | wc -l; exit 5' >/dev/null
try ct start -a again
is "$code:$(tr -d ' ' <<<"$out")" 5:2 "start -a: output and exit code of this run"

# ---- rm, prune ----
ct run -d --name running "${ON[@]}" sleep 100 >/dev/null
is "$(ct rm -f running again)" "running
again" "rm -f, two at once"
fails 1 'No such container: running' "one of two is missing" ct rm running quiet
try ct rm -f running
like "$code $err" '^0 .*No such container: running' "rm -f of one that is not there says so and is no failure"
is "$(ct ps -aq --filter name=quiet)" "" "the other is removed all the same"
fails 125 'say so with -f' "prune without -f" ct prune
like "$(ct prune -f)" 'Deleted Containers:' "prune -f"
is "$(ct ps -aq)" "" "prune removed all that had ended"

# ---- --rm -d, --cidfile, a program that does not start ----
ct run -d --rm --name brief --cidfile "$WORK/cid" "${ON[@]}" sleep 0.3 >/dev/null
like "$(cat "$WORK/cid")" '^[0-9a-f]{64}$' "--cidfile"
fails 125 'Container ID file found' "--cidfile that exists" ct run --cidfile "$WORK/cid" "${ON[@]}" true
wait_for 5 test ! -e "$CTRACE_RUN/names/brief"
is $? 0 "--rm -d removes it when it ends"
fails 127 'executable file not found' "-d of what is not there" ct run -d "${ON[@]}" nosuch
wait_for 5 test -z "$(engine_things)"
is "$(engine_things)" "" "nothing is left at the end"
is "$(of nosuch .Id 2>&1)" "ctrace inspect: No such object: nosuch" "an error names the command and the object"
done_testing
