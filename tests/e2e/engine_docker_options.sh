#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 200
# --annotation, --device-cgroup-rule, --volumes-from, --sig-proxy, --attach: what docker run makes of them.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"

# ---- annotations ----
ct run --name noted --annotation one=first --annotation one=1 --annotation org.example/two='a=b "c"' --annotation bare \
	-l one=label --annotation ctrace.name=forged "${ON[@]}" true
is "$(ct inspect --format json noted | jq -cS '.[0].HostConfig.Annotations')" \
	'{"bare":"","ctrace.name":"forged","one":"1","org.example/two":"a=b \"c\""}' "inspect shows annotations"
directory=$CTRACE_RUN/containers/$(of noted .Id)
is "$(jq -c '[.annotations | .one, .bare, ."org.example/two", ."ctrace.name"]' "$directory/config.json")" \
	'["1","","a=b \"c\"","noted"]' "and they are in config.json, where they replace labels, but not what ctrace says itself"
is "$(ct inspect --format json noted | jq -c '.[0].Config.Labels')" '{"one":"label"}' "labels stay what they were"
ct rm noted >/dev/null
ct run --name plain "${ON[@]}" true
is "$(ct inspect --format json plain | jq -c '.[0].HostConfig | has("Annotations")')" false "without the option there are none"
ct rm plain >/dev/null

# ---- device rules ----
# A number without a driver: whoever may use it is told that nothing is there.
open_device='busybox mknod /tmp/d c 42 7 && cat /tmp/d'
like "$(ct run --rm "${ON[@]}" sh -c "$open_device" 2>&1)" 'Operation not permitted' "a device is refused"
like "$(ct run --rm --device-cgroup-rule 'c 42:* rm' "${ON[@]}" sh -c "$open_device" 2>&1)" 'No such device' \
	"--device-cgroup-rule lets it be opened"
like "$(ct run --rm --device-cgroup-rule 'c 42:8 rm' "${ON[@]}" sh -c "$open_device" 2>&1)" 'Operation not permitted' \
	"but none of another number"
like "$(ct run --rm --device-cgroup-rule 'c 42:7 w' "${ON[@]}" sh -c "$open_device" 2>&1)" 'Operation not permitted' \
	"and not in another way"
ct run --name ruled --device-cgroup-rule 'c 42:* rm' --device-cgroup-rule 'b *:* m' "${ON[@]}" true
is "$(ct inspect --format json ruled | jq -c '.[0].HostConfig.DeviceCgroupRules')" '["c 42:* rm","b *:* m"]' "inspect shows them"
ct rm ruled >/dev/null
fails 125 "invalid device cgroup format 'c 42 r'" "a rule that is none" ct run --device-cgroup-rule 'c 42 r' "${ON[@]}" true

# ---- volumes of another container ----
mkdir "$WORK/bound" "$WORK/closed" "$WORK/own"
echo bound >"$WORK/bound/file"
echo closed >"$WORK/closed/file"
echo own >"$WORK/own/file"
ct run --name first -v named:/named -v /anon -v "$WORK/bound:/bound:rslave" -v "$WORK/closed:/closed:ro" "${ON[@]}" \
	sh -c 'echo n >/named/file; echo a >/anon/file'
is "$(ct run --rm --volumes-from first "${ON[@]}" cat /named/file /anon/file /bound/file /closed/file | xargs)" \
	"n a bound closed" "--volumes-from mounts all of one that has ended"
is "$(ct volume ls -q | wc -l)" 2 "--rm of the one that joined leaves the volume without a name to the other"
ct run --name second --volumes-from first "${ON[@]}" sh -c 'echo written >/anon/file; echo x >/closed/file' 2>"$WORK/err"
like "$(cat "$WORK/err")" 'Read-only file system' "what the first may only read stays so"
is "$(ct inspect --format json second | jq -c '[.[0].Mounts[] | [.Type, .Destination, .RW, .Propagation]] | sort')" \
	'[["bind","/bound",true,"rslave"],["bind","/closed",false,"rprivate"],["volume","/anon",true,""],["volume","/named",true,""]]' \
	"inspect shows the mounts as the first has them"
try ct run --rm --volumes-from first:ro "${ON[@]}" sh -c 'cat /anon/file; echo x >/anon/file'
is "$out" written ":ro: it reads what the second wrote"
like "$err" 'Read-only file system' "and cannot write"
is "$(ct run --rm --volumes-from first -v "$WORK/own:/bound" --tmpfs /named "${ON[@]}" sh -c 'cat /bound/file; ls /named')" own \
	"what is mounted by another option counts more"
ct run --name third -v "$WORK/own:/bound" "${ON[@]}" true
is "$(ct run --rm --volumes-from first --volumes-from third "${ON[@]}" cat /bound/file /anon/file | xargs)" "own written" \
	"of two containers the later counts"
is "$(ct run --rm --volumes-from third --volumes-from first "${ON[@]}" cat /bound/file)" bound "in either order"
ct rm -v first >/dev/null
is "$(ct volume ls -q | wc -l)" 2 "rm -v leaves a volume that another container has"
is "$(ct run --rm --volumes-from second "${ON[@]}" cat /anon/file)" written "which still has it"
ct rm -v second >/dev/null
is "$(ct volume ls -q)" named "rm -v of the last removes it"
fails 125 'No such container: first' "--volumes-from of nobody" ct run --volumes-from first "${ON[@]}" true
fails 125 'invalid mode: rx' "--volumes-from in a mode that is none" ct run --volumes-from third:rx "${ON[@]}" true
ct rm third >/dev/null
ct volume rm named >/dev/null

# ---- signals that are not passed on ----
loop='trap "echo got-int" INT; echo ready; while :; do sleep 0.1; done'
timeout -k 2 --preserve-status -s INT 2 "$CTRACE" run --trace=none --name alone --sig-proxy=false "${ON[@]}" sh -c "$loop" \
	</dev/null >"$WORK/out" 2>"$WORK/err"
is "$? $(cat "$WORK/out")" "130 ready" "run --sig-proxy=false: SIGINT ends ctrace run"
is "$(of alone .State.Status) $(ct logs alone)" "running ready" "and the container runs on, without it"
ct run -d --name hears "${ON[@]}" sh -c 'trap "echo got-int; exit 9" INT; while :; do sleep 0.1; done' >/dev/null
is "$(timeout -k 2 --preserve-status -s INT 1 "$CTRACE" attach --sig-proxy hears </dev/null; echo $?)" "got-int
9" "attach --sig-proxy passes it on"
ct rm hears >/dev/null
ct stop -t 0 alone >/dev/null
timeout -k 2 --preserve-status -s TERM 1 "$CTRACE" start -a --sig-proxy=false alone </dev/null >"$WORK/out" 2>"$WORK/err"
is "$? $(cat "$WORK/out") $(of alone .State.Status)" "143 ready running" "start -a --sig-proxy=false"
"$CTRACE" attach --sig-proxy=0 alone </dev/null >/dev/null 2>&1 &
sleep 0.3
kill -CONT $!
sleep 0.2
check "SIGCONT does not end who passes nothing on" kill -0 $!
kill $!
wait $!
ct rm -f alone >/dev/null
is "$(ct run --rm --sig-proxy=false "${ON[@]}" sh -c 'echo out; echo err >&2; exit 3' 2>"$WORK/err"; echo $?)" "out
3" "its output and exit code come through"
is "$(cat "$WORK/err")" err "and its stderr"
fails 125 'invalid argument "perhaps" for "--sig-proxy" flag' "--sig-proxy of no truth" ct run --sig-proxy=perhaps "${ON[@]}" true

# ---- stdin through a supervisor: all of it, and its end ----
head -c 3000000 /dev/urandom >"$WORK/bytes"
sum=$(cksum <"$WORK/bytes")
run=("$CTRACE" run --trace=none --rm -i --sig-proxy=false "${ON[@]}")
is "$(timeout -k 1 10 "${run[@]}" cat <"$WORK/bytes" | cksum)" "$sum" "3 MB go in and come out"
is "$(timeout -k 1 10 "${run[@]}" sh -c 'sleep 1; wc -c' <"$WORK/bytes")" 3000000 "a program that reads late gets all of it"
is "$(timeout -k 1 10 "${run[@]}" true <"$WORK/bytes"; echo $?)" 0 "one that does not read ends all the same"
ct create -i --name once "${ON[@]}" wc -c >/dev/null
is "$(timeout -k 1 10 "$CTRACE" start -ai once <"$WORK/bytes") $(of once .Config.StdinOnce)" "3000000 true" "start -ai: so does one that was created"
ct rm once >/dev/null
ct create -i --name full "${ON[@]}" sh -c 'trap "exit 9" INT; while :; do sleep 0.1; done' >/dev/null
timeout -k 5 --preserve-status -s INT 2 "$CTRACE" start -ai full <"$WORK/bytes"
is $? 9 "a signal reaches one that does not read, however much waits for it"
ct rm -f full >/dev/null

# ---- some of the streams ----
both='echo to-out; echo to-err >&2; exit 5'
try ct run --name some -a stdout "${ON[@]}" sh -c "$both"
is "$code $out $err" "5 to-out " "-a stdout"
is "$(ct logs some 2>&1 | sort | xargs)" "to-err to-out" "its log has all"
ct rm some >/dev/null
try ct run --rm --attach STDERR "${ON[@]}" sh -c "$both"
is "$code $out $err" "5  to-err" "--attach STDERR"
try ct run --rm -a stderr -a stdout "${ON[@]}" sh -c "$both"
is "$code $out $err" "5 to-out to-err" "two of them"
out=$(echo typed | timeout -k 1 10 "$CTRACE" run --trace=none --name fed -i -a stdin "${ON[@]}" sh -c 'cat; sleep 1; exit 4')
is "$? $out" "0 $(of fed .Id)" "-a stdin prints the id and leaves when all is given"
is "$(ct wait fed) $(ct logs fed)" "4 typed" "the container goes on with it"
ct rm fed >/dev/null
ct create --name closed -i -a stdout "${ON[@]}" true >/dev/null
is "$(of closed .Config.StdinOnce)" false "create -a"
ct rm closed >/dev/null
fails 125 'Conflicting options: -a and -d' "-a and -d" ct run -d -a stdout "${ON[@]}" true
fails 125 'valid streams are STDIN, STDOUT and STDERR' "-a of no stream" ct run -a std "${ON[@]}" true

wait_for 5 test -z "$(engine_things)"
is "$(engine_things)" "" "nothing is left at the end"
is "$(ct volume ls -q)" "" "not even a volume"
done_testing
