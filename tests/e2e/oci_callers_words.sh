#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# What runc's and crun's own suites look for beyond the specification: the words of errors, the log, sub-cgroups of
# exec, a container that somebody else froze.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/oci.sh
need_root
need jq
oci_bundle

# config SCRIPT [JQ]
config()
{
	jq --arg script "$1" '.process.terminal = false | .process.args = ["/bin/sh", "-c", $script]
		| .process.noNewPrivileges = false | .root.readonly = false' "$BASE" | jq "${2:-.}" >"$B/config.json"
}

clean_up()
{
	for id in $(oci list -q); do
		oci delete --force "$id"
	done
}
on_exit clean_up

# start ID SCRIPT [JQ]: in the background
start()
{
	config "${@:2}"
	oci run -d --bundle "$B" --pid-file "$WORK/pid" "$1" >"$WORK/out" 2>&1 || { cat "$WORK/out"; return 1; }
}

# exec --cgroup
writable='.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
check "a container" start "words$$" 'sleep 100' "$writable"
id=words$$
like "$(oci exec --cgroup .. "$id" true 2>&1)" ' \.\. is not a sub cgroup path' "exec --cgroup .. is refused"
like "$(oci exec --cgroup a/../.. "$id" true 2>&1)" ' is not a sub cgroup path' "so is a way out by a detour"
like "$(oci exec --cgroup nonexistent "$id" true 2>&1)" ' adding pid .*/nonexistent/cgroup.procs: no such file ' \
	"a group that does not exist is told as runc tells it"
like "$(oci exec --cgroup whaaat:/ "$id" true 2>&1)" 'unknown controller whaaat' "so is a controller"
like "$(oci exec --cgroup a --cgroup b "$id" true 2>&1)" 'invalid --cgroup argument: a \(missing <controller>' \
	"several want their controllers"
like "$(oci exec --cgroup pids:a:b "$id" true 2>&1)" 'invalid --cgroup argument: pids:a:b' "two colons are one too many"
own=$(oci exec "$id" cat /proc/self/cgroup)
is "$(oci exec --cgroup / "$id" cat /proc/self/cgroup)" "$own" "exec --cgroup / is the container's own"
if is_v1; then
	like "$(oci exec --cgroup pids:nonexistent "$id" true 2>&1)" ' adding pid .*/nonexistent/cgroup.procs: no such file ' \
		"of one controller, too"
	oci exec "$id" mkdir -p /sys/fs/cgroup/memory/submem /sys/fs/cgroup/pids/subpids
	groups=$(oci exec --cgroup memory:submem --cgroup pids:/subpids "$id" cat /proc/self/cgroup)
	like "$groups" ':memory:.*/submem$' "exec --cgroup memory:submem"
	like "$groups" ':pids:.*/subpids$' "exec --cgroup pids:/subpids beside it"
	unlike "$(grep -v 'memory\|pids' <<<"$groups")" 'sub(mem|pids)' "the other hierarchies stay"
else
	oci exec "$id" mkdir /sys/fs/cgroup/low /sys/fs/cgroup/second
	oci exec "$id" sh -c 'echo 1 >/sys/fs/cgroup/low/cgroup.procs; echo $$ >/sys/fs/cgroup/low/cgroup.procs
		echo +memory >/sys/fs/cgroup/cgroup.subtree_control'
	like "$(oci exec "$id" cat /proc/self/cgroup)" '^0::/low$' "a group that takes no process: exec goes where init is"
	like "$(oci exec --cgroup / "$id" true 2>&1)" ' adding pid .* to cgroups.*/cgroup.procs: device or resource busy' \
		"unless told where to go"
	like "$(oci exec --cgroup second "$id" cat /proc/self/cgroup)" '^0::/second$' "exec --cgroup second"
fi

# update: the same rules for resources as in config.json
rules='{"devices": [{"allow": false, "type": "c", "major": 1, "minor": 11, "access": "rwx"}]}'
like "$(oci update -r - "$id" 2>&1 <<<"$rules")$(timeout 20 "$CTRACE" oci --root "$WORK/state" update -r - "$id" <<<"$rules" 2>&1)" \
	'resources.devices\[0\].access: "rwx"' "update refuses a device access that there is not"

# exec --no-new-privs
is "$(oci exec "$id" sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)" 0 "exec does as the container's own process"
is "$(oci exec --no-new-privs "$id" sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)" 1 "exec --no-new-privs"
check "a container with no_new_privs" start "nnp$$" 'sleep 100' '.process.noNewPrivileges = true'
is "$(oci exec "nnp$$" sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)" 1 "what exec runs in it has no more than it"

# A process of the container that somebody put into a frozen group of his own
for root in "$(cgroup_mount freezer)" "$(cgroup_mount '')"; do
	[ -n "$root" ] || continue
	case $root in *freezer) file=freezer.state frozen=FROZEN thawed=THAWED ;; *) file=cgroup.freeze frozen=1 thawed=0 ;; esac
	mkdir "$root/foreign$$"
	on_exit rmdir "$root/foreign$$"
	start "frozen$$" 'sleep 100 & wait'
	sleep 100 &
	bystander=$!
	cat "$WORK/pid" >"$root/foreign$$/cgroup.procs"
	echo "$bystander" >"$root/foreign$$/cgroup.procs"
	echo $frozen >"$root/foreign$$/$file"
	check "delete --force of a container in a frozen group of ${root##*/}" oci delete --force "frozen$$"
	check "it is dead" process_gone "$(cat "$WORK/pid")"
	is "$(cat "$root/foreign$$/$file")" $frozen "who else is in that group stays frozen"
	echo $thawed >"$root/foreign$$/$file"
	stop_process $bystander KILL
done

# Seccomp
notify='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/nobody/listens.sock",
	syscalls: [{names: ["CALL"], action: "SCMP_ACT_NOTIFY"}]}'
config true "${notify/CALL/mkdir}"
like "$(oci run --bundle "$B" "agent$$" 2>&1)" 'failed to connect with seccomp agent' "no seccomp agent is told as such"
for call in write sendmsg; do
	config true "${notify/CALL/$call}"
	like "$(oci run --bundle "$B" "agent$$" 2>&1)" \
		"linux.seccomp.syscalls\[0\].names\[0\]: SCMP_ACT_NOTIFY cannot be used for the $call syscall" \
		"SCMP_ACT_NOTIFY of $call is refused"
done
config true '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL"}]}
	| .hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "mkdir /dev/shm/foo"]}]}'
like "$(oci run --bundle "$B" "hook$$" 2>&1)" 'error running hook.*bad system call' "a hook that the filter kills"

# /proc as a symbolic link, in runc's words
rmdir "$B/rootfs/proc"
ln -s /symlink "$B/rootfs/proc"
config true
like "$(oci run --bundle "$B" "link$$" 2>&1)" '/proc must be mounted on ordinary directory' "/proc as a symbolic link"
rm "$B/rootfs/proc"
mkdir "$B/rootfs/proc"

# The log
config 'exit 3'
for format in text json; do
	log=$WORK/log.$format
	output=$(oci --log "$log" --log-format $format --debug run --bundle "$B" "log$$" 2>&1)
	is "$?$output" 3 "--debug --log leaves the output alone ($format)"
	cp "$log" "$WORK/log"
done
like "$(cat "$WORK/log.text")" '^time="[0-9T:Z-]*" level=debug msg="container log[0-9]*: created from .*init is process' \
	"--debug writes the steps to the log"
is "$(jq -r 'select(.time and .msg) | .level' "$WORK/log.json" | sort -u)" debug "as JSON lines, too"
like "$(oci --debug run --bundle "$B" "log$$" 2>&1)" 'level=debug msg="run ends with code 3"' "without a log it goes to stderr"
oci --log "$WORK/empty.log" state nosuch 2>/dev/null
like "$(cat "$WORK/empty.log")" 'level=error msg=".*nosuch.* does not exist' "errors are in the log without --debug"
oci --log "$WORK/quiet.log" list >/dev/null
check "a log without a line exists" test -f "$WORK/quiet.log"
like "$(oci --log /nosuch/dir/log list 2>&1)" 'cannot open log /nosuch/dir/log' "a log that cannot be written is an error"

# The name: of a link to it, as a drop-in for the runtime that a script was written for
for name in runc crun; do
	ln -s "$CTRACE" "$WORK/$name"
	like "$("$WORK/$name" --version)" "^$name version [0-9]+\.[0-9]+\.[0-9]+.* \(ctrace\)$" "called as $name it says so, and whose it is"
	like "$("$WORK/$name" -h | sed -n 2p)" "^   $name - Open Container Initiative runtime" "its help, too"
	check "and it is one" "$WORK/$name" --root "$WORK/state" list -q
done
like "$("$CTRACE-oci" -v)" '^ctrace version' "ctrace-oci is ctrace"
like "$("$WORK/runc" delete --help)" '^   runc delete - ' "help of a verb"
is "$("$WORK/runc" checkpoint -h >/dev/null; echo $?)" 0 "a verb of runc's that is not here has help"
like "$("$WORK/runc" --root "$WORK/state" checkpoint x 2>&1)" '^ctrace oci: checkpoint is not supported' "and says so"
like "$("$WORK/runc" nosuch -h 2>&1)" "No help topic for 'nosuch'" "help for none"
clean_up
is "$(ls -A "$WORK/state")" "" "nothing is left"
# a group that was there, and is frozen
frozen=/ctrace-frozen$$
case $(cgroup_mount freezer) in
'') group=$(cgroup_mount '')$frozen && file=$group/cgroup.freeze && word=1 ;;
*) group=$(cgroup_mount freezer)$frozen && file=$group/freezer.state && word=FROZEN ;;
esac
on_exit remove_cgroup "$frozen"
mkdir "$group" && echo "$word" >"$file"
jq --arg path "$frozen" '.process.terminal = false | .process.args = ["true"] | .linux.cgroupsPath = $path' "$BASE" >"$B/config.json"
like "$(oci run --bundle "$B" "$id" 2>&1)" "container's cgroup unexpectedly frozen" "a cgroup that is frozen is refused"
is "$(find /sys/fs/cgroup -maxdepth 2 -name "${frozen#/}")" "$group" "it stays, and no other of its name is left"
done_testing
