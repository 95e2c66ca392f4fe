#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# sd_notify(3) through ctrace oci: the container has a socket of its own, READY=1 reaches the caller's NOTIFY_SOCKET and nothing else
# does; whoever starts it and would return waits for that, or for its end.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/oci.sh
need_root
need jq
oci_bundle
cp "$CTRACE_OUTPUT/tests/stimulus" "$B/rootfs/bin/stimulus"
id=ready$$
on_exit oci delete --force "$id"
SOCKET=$WORK/manager
MESSAGES=$WORK/messages

# manager: what comes to SOCKET goes to MESSAGES, one message a line. manager @NAME: an abstract socket.
manager()
{
	: >"$MESSAGES"
	rm -f "$SOCKET" "$WORK/listens"
	/usr/bin/python3 - "${1:-$SOCKET}" "$MESSAGES" "$WORK/listens" <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + sys.argv[1][1:] if sys.argv[1][0] == "@" else sys.argv[1])
open(sys.argv[3], "w")
while True:
    text = s.recv(4096)
    with open(sys.argv[2], "a") as f:
        f.write("%r\n" % text)
PY
	manager=$!
	on_exit stop_process "$manager"
	wait_for 10 test -e "$WORK/listens"
}

# container JQ ACTION...: config.json for a program of the stimulus.
container()
{
	local jq=$1

	shift
	jq ".process.terminal = false | .process.args = [\"stimulus\"] + \$ARGS.positional | $jq" "$BASE" --args -- "$@" >"$B/config.json"
}

# noti VERB...: as a service does it.
noti()
{
	NOTIFY_SOCKET=${NAME:-$SOCKET} timeout -s KILL 30 "$CTRACE" oci --root "$WORK/state" "$@" </dev/null
}

manager
container '.process.args = ["sh", "-c", "echo $NOTIFY_SOCKET; ls $NOTIFY_SOCKET; grep -c \" $(dirname $NOTIFY_SOCKET) ro,nosuid,nodev,noexec\" /proc/self/mountinfo"] | .process.env += ["NOTIFY_SOCKET=/else"]'
is "$(noti run --bundle "$B" "$id")" "$SOCKET/notify
$SOCKET/notify
1" "the container has a socket of its own, in a directory that it cannot write to"
container . notify=STATUS=new 'notify=MAINPID=1;FDSTORE=1' 'notify=STATUS=x;READY=1' notify=READY=1
noti run --bundle "$B" "$id"
is $? 0 "run: a container that says that it is ready"
is "$(cat "$MESSAGES")" "b'READY=1'" "is said to be, once, and what else it says is not passed on"
is "$(ls -A "$WORK/state")" "" "no state is left"

: >"$MESSAGES"
container '.process.terminal = true' notify=READY=1
script -qec "NOTIFY_SOCKET=$SOCKET $CTRACE oci --root $WORK/state run --bundle $B $id" /dev/null </dev/null >/dev/null
is "$(cat "$MESSAGES")" "b'READY=1'" "run with a terminal"

: >"$MESSAGES"
container '.process.user = {uid: 1000, gid: 1000} | .linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings' notify=READY=1
chmod o+x "$WORK"
noti run --bundle "$B" "$id"
is "$(cat "$MESSAGES")" "b'READY=1'" "a user of a user namespace can say it"

: >"$MESSAGES"
container . sleep=700 notify=READY=1 sleep=60000
noti run --detach --bundle "$B" "$id"
pid=$(oci state "$id" | jq .pid)
is "$(cat "$MESSAGES")" "b'MAINPID=$pid\\nREADY=1'" "run --detach returns when it is ready, and tells which process the service is"
oci delete --force "$id"

: >"$MESSAGES"
noti create --bundle "$B" "$id" >"$WORK/out" 2>&1
is "$(cat "$WORK/out" "$MESSAGES")" "" "create waits for nothing"
noti start "$id"
is "$(cat "$MESSAGES")" "b'READY=1'" "start returns when it is ready"
oci delete --force "$id"
noti create --bundle "$B" "$id" >/dev/null 2>&1
oci start "$id"
is "$(oci state "$id" | jq -r .status)" running "a start without a service manager does not wait"
oci delete --force "$id"
: >"$MESSAGES"
container . notify=STATUS=x exit=3
noti create --bundle "$B" "$id" >/dev/null 2>&1
noti start "$id"
is "$?:$(cat "$MESSAGES")" "0:" "nor does one of a container that ends before it is ready"
oci delete --force "$id"
is "$(ls -A "$WORK/state")" "" "no state is left"

rm "$SOCKET"
stop_process "$manager"
container . notify=READY=1
noti run --bundle "$B" "$id"
is $? 0 "a service manager that is gone does not matter"
NAME=@ctrace-ready-$$
manager "$NAME"
container '.process.args = ["sh", "-c", "echo $NOTIFY_SOCKET; stimulus notify=READY=1"]'
is "$(noti run --bundle "$B" "$id")" /run/notify/notify "an abstract socket"
is "$(cat "$MESSAGES")" "b'READY=1'" "is told, too"
: >"$B/rootfs/busy"
NAME=/busy
like "$(noti run --bundle "$B" "$id" 2>&1)" 'NOTIFY_SOCKET: .*/busy' "a name that cannot be a directory in the container is an error that says why"
is "$(ls -A "$WORK/state")" "" "no state is left"
done_testing
