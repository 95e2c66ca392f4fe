#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 200
# create: a container that is there and does not run, until start; or until rm or prune.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"

# ---- made, not started ----
try ct create --name made --cidfile "$WORK/cid" -e WORD=hello -v /anon -v named:/named "${ON[@]}" \
	sh -c 'echo $WORD; echo told >&2; test -e /upper && echo again; touch /upper; exit 7'
is "$code $err" "0 " "create"
like "$out" '^[0-9a-f]{64}$' "prints an id"
id=$out
is "$(cat "$WORK/cid")" "$id" "--cidfile has it, too"
is "$(of made .Id)" "$id" "inspect knows it"
is "$(of made .State.Status) $(of made .State.Running) $(of made .State.Pid) $(of made .State.StartedAt)" \
	"created false 0 0001-01-01T00:00:00Z" "and that it does not run"
is "$(ct ps -q)" "" "ps does not show it"
is "$(ct ps -a --format '{{.Names}} {{.Status}} {{.State}}')" "made Created created" "ps -a does"
is "$(ct ps -aq --no-trunc --filter status=created)" "$id" "as does a filter for what is created"
is "$(grep -cF "$WORK/" /proc/self/mountinfo)" 0 "nothing is mounted" || grep -F "$WORK/" /proc/self/mountinfo | sed 's/^/# /'
is "$(ls "$CTRACE_RUN/live")" "" "nobody holds it"
is "$(find /sys/fs/cgroup -type d -name "$id")" "" "it has no cgroup"
try ct logs made
is "$code$out$err" 0 "its log is empty"
is "$(ct wait made)" 0 "wait does not wait for one that does not run"
fails 1 'is not running' "kill" ct kill made
fails 1 'start it first' "attach" ct attach made
fails 1 'is not running' "exec" ct exec made true
fails 1 'already in use by container' "create with a name that is taken" ct create --name made "${ON[@]}" true
is "$(ct ps -aq | wc -l)" 1 "which leaves nothing"
fails 1 "Container ID file found" "create with a cidfile that is there" ct create --cidfile "$WORK/cid" "${ON[@]}" true
is "$(ct ps -aq | wc -l) $(cat "$WORK/cid")" "1 $id" "which leaves nothing but the file"

# ---- started ----
try ct start -a made
is "$code $out $err" "7 hello told" "start -a"
is "$(of made .State.Status) $(of made .State.ExitCode)" "exited 7" "it has ended"
is "$(ct logs made 2>&1 | sort | xargs)" "hello told" "and has a log"
is "$(ct start -a made 2>/dev/null | xargs)" "hello again" "another start finds what the first wrote"
is "$(ct rm -v made)" made "rm"
is "$(ct volume ls -q)" named "rm -v takes the volume without a name"
ct volume rm named >/dev/null

ct create --name later "${ON[@]}" sleep 60 >/dev/null
is "$(ct start later) $(of later .State.Status)" "later running" "start"
is "$(ct start later)" later "start of one that runs is no error"
ct rm -f later >/dev/null
ct create --name later "${ON[@]}" sleep 60 >/dev/null
is "$(ct restart later) $(of later .State.Status)" "later running" "restart starts it, too"
ct rm -f later >/dev/null
ct create --rm --name gone -v /anon "${ON[@]}" echo once >/dev/null
is "$(of gone .State.Status)" created "--rm"
is "$(ct start -a gone) $(ct ps -aq | wc -l)" "once 0" "removes it when it has run"
is "$(ct volume ls -q)" "" "with its volume"

# ---- a start that fails ----
ct create --name bad "${ON[@]}" nosuch >/dev/null
fails 1 'executable file not found' "start of a program that is not there" ct start bad
is "$(of bad .State.Status) $(of bad .State.ExitCode)" "created 127" "it stays created"
like "$(of bad .State.Error)" 'executable file not found' "and knows why"
cp "$ROOTFS/bin/busybox" "$ROOTFS/bin/nosuch"
is "$(ct start bad; ct wait bad)" "bad
127" "once the program is there it starts (busybox knows no nosuch: 127)"
is "$(of bad .State.Status)" exited "and has ended"
rm "$ROOTFS/bin/nosuch"
ct rm bad >/dev/null

# ---- what needs another container ----
ct create --name donor --ipc shareable --hostname donor "${ON[@]}" sleep 60 >/dev/null
try ct create --name guest --network container:donor --ipc container:donor --rootfs "$ROOTFS" sh -c \
	'hostname; cat /etc/hostname; readlink /proc/self/ns/net; cat /dev/shm/word'
is "$code $err" "0 " "create may join one that does not run"
fails 1 'cannot join network of a non running container' "start may not" ct start guest
is "$(of guest .State.Status)" created "it stays created"
ct start donor >/dev/null
ct exec donor sh -c 'echo shared >/dev/shm/word'
is "$(ct start -a guest | xargs)" "donor donor $(ct exec donor readlink /proc/self/ns/net) shared" "once that runs it is joined"
is "$(ct run --rm --volumes-from guest "${ON[@]}" true; echo $?)" 0 "--volumes-from of one without volumes"
ct rm -f guest donor >/dev/null

# ---- ports and addresses ----
if ct create --name web -p 127.0.0.1::80 --add-host up:host-gateway --rootfs "$ROOTFS" sh -c \
	'cat /etc/hosts; exec sleep 60' >/dev/null 2>"$WORK/err"; then
	ct create --name beside --network container:web --rootfs "$ROOTFS" cat /etc/hosts >/dev/null
	is "$(ct port web)$(of web .NetworkSettings.IPAddress)" "" "create publishes nothing and takes no address"
	if ct start web >/dev/null 2>"$WORK/err"; then
		like "$(ct port web)" '^80/tcp -> 127.0.0.1:[0-9]+$' "start does"
		address=$(of web .NetworkSettings.IPAddress)
		wait_for 5 eval 'ct logs web | grep -q "$address"'
		like "$(ct logs web)" "^$address.$(of web .Id | cut -c1-12)$" "the name has its address"
		like "$(ct logs web)" '^[0-9.]+.up$' "host-gateway is the bridge"
		is "$(ct start -a beside)" "$(ct logs web)" "one that was made to join its network has its hosts"
	else
		skip_point "start does" "no bridge: $(cat "$WORK/err")"
	fi
	ct rm -f beside web >/dev/null
fi

# ---- options ----
fails 125 "unknown shorthand flag: 'd' in -d; see 'ctrace create --help'" "-d" ct create -d "${ON[@]}" true
fails 125 "unknown flag: --trace; see 'ctrace create --help'" "--trace" ct create --trace=none "${ON[@]}" true
fails 125 "docker's option --gpus is not supported by ctrace create" "what docker has and ctrace has not" ct create --gpus all x
fails 125 "Minimum memory limit" "a limit that is too low" ct create -m 1m "${ON[@]}" true
fails 1 'requires at least 1 argument' "no image" ct create
fails 1 'No such image' "an image that is not there" ct create --pull never nosuch
fails 1 'unable to find user ghost' "a user that is not there" ct create -u ghost "${ON[@]}" true
is "$(ct ps -aq)" "" "of which nothing is left"
ct create --help >"$WORK/help"
like "$(cat "$WORK/help")" '--name NAME' "--help"
is "$(grep -cE -- '--(detach|trace|record|bundle|tui)\b' "$WORK/help")" 0 "without what only run has"

# ---- images ----
if busybox_image; then
	ct create -q --name image "oci:$BUSYBOX_OCI" echo from-image >/dev/null
	fails 1 'uses its image' "rmi of its image" ct rmi "oci:$BUSYBOX_OCI"
	is "$(ct start -a image)" from-image "one of an image starts"
	ct rm image >/dev/null
	is "$(ct rmi "oci:$BUSYBOX_OCI" >/dev/null; echo $?)" 0 "and after rm the image can go"
fi

# ---- prune ----
ct create --name pruned "${ON[@]}" true >/dev/null
ct prune --leftovers
is "$(of pruned .State.Status)" created "prune --leftovers leaves it"
like "$(ct prune -f)" 'Deleted Containers:' "prune -f removes it"

wait_for 5 test -z "$(engine_things)"
is "$(engine_things)" "" "nothing is left at the end"
done_testing
