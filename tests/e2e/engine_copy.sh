#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 400
# ctrace cp and export: docker cp's rules for paths, its texts and exit codes (each measured with docker 20.10 and 28.2's client).
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"
for applet in ln mknod mkfifo chown cp find tar; do
	ln -sf busybox "$ROOTFS/bin/$applet"
done

mkdir -p "$WORK/host/dir/sub" "$WORK/host/out" "$WORK/bound"
cd "$WORK/host" || exit 1
echo one >one
echo x >dir/x
ln -s one link-to-one
ln -s dir link-to-dir
chown 500:501 one dir/x

run=(ct run -d --network none --rootfs "$ROOTFS" -v "$WORK/bound:/bound:ro" -v "vol:/vol" --tmpfs /scratch)
"${run[@]}" --name box sh -c 'mkdir -p /d/sub /in; echo f >/d/f; chown 1000:1001 /d/f; chmod 4755 /d/f; ln /d/f /d/hard
	ln -s f /d/l; ln -s /d /dl; ln -s /nosuch /dang; mkfifo /d/fifo; mknod /d/dev b 7 99; echo v >/vol/v; echo s >/scratch/s
	: >/ready; sleep 1000' >/dev/null
wait_for 10 ct exec box ls /ready

# from WHAT SOURCE DESTINATION [OPTION...]: what then is below out/, and out/ is emptied
out()
{
	find out -mindepth 1 -printf '%P:%y:%l ' | tr ' ' '\n' | sort | tr '\n' ' '
	rm -rf out/*
}
from()
{
	local wanted=$1 source=$2 destination=$3

	shift 3
	try ct cp "$@" "$source" "$destination"
	is "$code:$out:$(out)" "0::$wanted" "cp $* $source $destination" || diag "$err"
}
# into WANTED SOURCE DESTINATION [OPTION...]: what then is below /in
into()
{
	local wanted=$1 source=$2 destination=$3

	shift 3
	try ct cp "$@" "$source" "$destination"
	is "$code:$out:$(ct exec box find /in -mindepth 1 | sed 's,^/in/,,' | sort | tr '\n' ' ')" "0::$wanted" \
		"cp $* $source $destination" || diag "$err"
	ct exec box sh -c 'rm -rf /in; mkdir /in'
}

# ---- from the container ----
tree="fifo:p: f:f: hard:f: l:l:f sub:d: "
from "f:f: " box:/d/f out
from "f:f: " box:/d/f out/
from "f:f: " box:d/f out
from "g:f: " box:/d/f out/g
from "d/f:f: d/fifo:p: d/hard:f: d/l:l:f d/sub:d: d:d: " box:/d out
from "new/f:f: new/fifo:p: new/hard:f: new/l:l:f new/sub:d: new:d: " box:/d out/new
from "new/f:f: new/fifo:p: new/hard:f: new/l:l:f new/sub:d: new:d: " box:/d out/new/
from "$(tr ' ' '\n' <<<"${tree% }" | sort | tr '\n' ' ')" box:/d/. out
from "new/f:f: new/fifo:p: new/hard:f: new/l:l:f new/sub:d: new:d: " box:/d/. out/new
from "l:l:f " box:/d/l out
from "l:f: " box:/d/l out -L
from "dl:l:/d " box:/dl out
from "dl/f:f: dl/fifo:p: dl/hard:f: dl/l:l:f dl/sub:d: dl:d: " box:/dl out -L
from "dl/f:f: dl/fifo:p: dl/hard:f: dl/l:l:f dl/sub:d: dl:d: " box:/dl/ out
from "v:f: " box:/vol/v out
from "scratch:d: " box:/scratch out
from "proc:d: " box:/proc out
from "hosts:f: " box:/etc/hosts out
from "file:f: " box:/data/../data/./file out
try ct cp box:/etc/hostname out
is "$(cat out/hostname)" "$(of box .Config.Hostname)" "the container's own hostname file, which is mounted there"
rm -rf out/*
try ct cp box:/ out/root
is "$code:$(cat out/root/data/file):$(readlink out/root/dl):$(cat out/root/vol/v)" "0:from-the-image:/d:v" "the whole root"
rm -rf out/*

# ---- owners, modes, what must not become the host's ----
try ct cp box:/d out
is "$(stat -c '%u:%g %a %h' out/d/f)" "0:0 755 2" "on the host copies are ours, without setuid bits; hard links stay links"
like "$err" '^ctrace cp: 1 device node left out: -a copies them, too$' "a device node is left out, and that is said"
rm -rf out/*
try ct cp -a box:/d out
is "$(stat -c '%u:%g %a' out/d/f) $(stat -c '%F %t,%T' out/d/dev):$err" "1000:1001 4755 block special file 7,63:" "-a keeps all"
rm -rf out/*

# ---- into the container ----
into "one " one box:/in
into "two " one box:/in/two
into "two " one box:in/two
into "dir dir/sub dir/x " dir box:/in
into "new new/sub new/x " dir box:/in/new
into "new new/sub new/x " dir/ box:/in/new
into "new new/sub new/x " dir box:/in/new/
into "sub x " dir/. box:/in
into "new new/sub new/x " dir/. box:/in/new
into "link-to-one " link-to-one box:/in
into "link-to-one " link-to-one box:/in -L
into "link-to-dir " link-to-dir box:/in
into "link-to-dir link-to-dir/sub link-to-dir/x " link-to-dir box:/in -L
into "link-to-dir link-to-dir/sub link-to-dir/x " link-to-dir/ box:/in
into "one " "$PWD/one" box:/in
(cd dir && ct cp . box:/in && ct cp ../one box:/in)
is "$(ct exec box find /in | sort | tr '\n' ' ')" "/in /in/one /in/sub /in/x " "paths of the host are seen from the working directory"
is "$(ct exec box stat -c '%u:%g %a' /in/x)" "500:501 644" "owners and modes stay in the container"
ct cp one box:/dl
is "$(ct exec box cat /d/one)$(ct exec box readlink /dl)" "one/d" "into a link to a directory"
ct cp one box:/dang
is "$(ct exec box cat /nosuch)$(ct exec box readlink /dang)" "one/nosuch" "a link that leads nowhere: what it names is made"
ct cp one box:/d/l
is "$(ct exec box cat /d/f) $(ct exec box cat /d/hard) $(ct exec box readlink /d/l)" "one f f" \
	"a file is replaced, not written to: its other name keeps the old one"
ct cp one box:/vol
is "$(ct exec box cat /vol/one)" one "into a volume"
ct cp one box:/d/fifo
is "$(ct exec box cat /d/fifo)" one "a fifo is replaced"
/usr/bin/python3 -c 'import os; os.setxattr("one", "user.note", b"hello")'
ct cp one box:/in/attr && ct cp box:/in/attr out
is "$(/usr/bin/python3 -c 'import os; print(os.getxattr("out/attr", "user.note").decode())')" hello "extended attributes go along"
rm -rf out/*
touch -d '2001-02-03 04:05:06.123456789' dir/x && ct cp dir/x box:/in/time && ct cp box:/in/time out
is "$(stat -c %y out/time | cut -c1-29)" "2001-02-03 04:05:06.123456789" "and times, to the nanosecond"
rm -rf out/*
head -c 5000000 /dev/urandom >big && ct cp big box:/in/big && ct cp box:/in/big out
check "five megabytes there and back" cmp big out/big
rm -rf out/*
printf x >$'odd \n\377name' && ct cp $'odd \n\377name' box:/in && ct cp box:/in/. out
check "a name of any bytes" test -e $'out/odd \n\377name'
rm -rf out/*

# ---- streams ----
is "$("$CTRACE" cp box:/d - | tar t | sort | tr '\n' ' ')" "d/ d/dev d/f d/fifo d/hard d/l d/one d/sub/ " "to stdout"
is "$("$CTRACE" cp box:/d/. - | tar t | sort | tr '\n' ' ')" "./ ./dev ./f ./fifo ./hard ./l ./one ./sub/ " "the contents to stdout"
is "$("$CTRACE" cp box:/d/hard - | tar tv | awk '{print $1, $2, $NF}')" "-rwsr-xr-x 1000/1001 hard" "with owner and mode"
ct exec box sh -c 'rm -rf /in; mkdir /in'
tar c dir one link-to-one | "$CTRACE" cp - box:/in
is "$? $(ct exec box find /in -mindepth 1 | sort | tr '\n' ' ')" "0 /in/dir /in/dir/sub /in/dir/x /in/link-to-one /in/one " "from stdin"
tar cz --transform 's,^,packed/,' one | "$CTRACE" cp - box:/in
is "$? $(ct exec box cat /in/packed/one)" "0 one" "from stdin, compressed"
"$CTRACE" cp - box:/in </dev/null
is $? 0 "nothing from stdin is an empty archive"
echo garbage | "$CTRACE" cp - box:/in 2>"$WORK/err"
is "$? $(cut -d: -f1,2 "$WORK/err")" "1 ctrace cp: the archive's tar is damaged" "garbage from stdin"
(cd out && tar c --transform 's,^one,../escaped,' -P ../one) 2>/dev/null | "$CTRACE" cp - box:/in 2>"$WORK/err"
is "$? $(ct exec box ls /escaped 2>/dev/null)" "1 " "an archive that leaves with .. is refused"
"$CTRACE" cp box:/in/dir - >/dev/full 2>"$WORK/err"
is "$? $(cat "$WORK/err")" "1 ctrace cp: cannot write the archive: No space left on device" "a full disk behind stdout"

# ---- export ----
"$CTRACE" export box >"$WORK/box.tar"
is $? 0 "export of one that runs"
is "$(tar tf "$WORK/box.tar" | grep -v '^bin/.' | grep -E '^(bin|d/|data/f|vol|scratch|proc|etc/hosts)' | sort | tr '\n' ' ')" \
	"bin/ d/ d/dev d/f d/fifo d/hard d/l d/one d/sub/ data/file etc/hosts proc/ scratch/ vol/ " "its root, without what is mounted there"
mkdir "$WORK/unpacked" && tar xf "$WORK/box.tar" -C "$WORK/unpacked"
is "$(cat "$WORK/unpacked/data/file") $(stat -c '%u:%g %a' "$WORK/unpacked/d/hard") $(readlink "$WORK/unpacked/bin/sh")" \
	"from-the-image 1000:1001 4755 busybox" "with owners, modes and links"
ct export -o "$WORK/file.tar" box
is "$? $(tar tf "$WORK/file.tar" | sort | md5sum) $(stat -c %a "$WORK/file.tar") $(ls "$WORK" | grep -c part)" \
	"0 $(tar tf "$WORK/box.tar" | sort | md5sum) 600 0" "export -o FILE"
fails 1 'cannot write to a directory' "export -o of a directory" ct export -o "$WORK" box
fails 1 'invalid output path /nosuch/x: No such file' "export into a directory that is not there" ct export -o /nosuch/x box
fails 1 '^ctrace export: cannot write the archive: No space left on device$' "export to a full disk" ct export -o /dev/full box
fails 1 'No such container: nosuch' "export of one that is not there" ct export -o "$WORK/none.tar" nosuch
is "$(ls "$WORK" | grep -c none)" 0 "leaves no file"
fails 1 'requires 1 argument' "export of nothing" ct export
like "$(script -qec "'$CTRACE' export box" /dev/null)" 'cowardly refusing to save to a terminal' "export to a terminal"

# ---- what is refused ----
fails 1 '^ctrace cp: no such directory$' "a file as a directory" ct cp box:/d/f out/new/
fails 1 "invalid output path: directory \"$WORK/host/out/new\" does not exist" "into a directory that is not there" ct cp box:/d/f out/new/x
fails 1 '/d/f: not a directory' "a file with a slash" ct cp box:/d/f/ out
fails 1 '/d/f: not a directory' "a file with /." ct cp box:/d/f/. out
fails 1 '^ctrace cp: cannot copy directory$' "a directory onto a file" ct cp box:/d one
fails 1 'invalid output path: "/dev/null" must be a directory or a regular file: got a device' "onto a device" ct cp box:/d/f /dev/null
fails 1 '^ctrace cp: Could not find the file /none/x in container box$' "what is not there" ct cp box:/none/x out
fails 1 'cannot open /d/f/x in container box: Not a directory' "below a file" ct cp box:/d/f/x out
fails 1 '^ctrace cp: No such container: nosuch$' "a container that is not there" ct cp nosuch:/x out
fails 1 'path cannot be empty' "no path" ct cp box: out
fails 1 'Could not find the file /in/no in container box' "into what is not there" ct cp one box:/in/no/two
fails 1 'no such directory' "into a directory that is not there" ct cp one box:/in/no/
fails 1 'cannot copy directory' "a directory onto a file of the container" ct cp dir box:/d/f
fails 1 "lstat $WORK/host/nosuch: No such file or directory" "a source that is not there" ct cp nosuch box:/in
fails 1 '/one: not a directory' "a file of the host with a slash" ct cp one/ box:/in
fails 1 '^ctrace cp: mounted volume is marked read-only$' "a read-only volume" ct cp one box:/bound
fails 1 'destination "box:/d/dev" must be a directory or a regular file: got a device' "onto a device of the container" ct cp one box:/d/dev
ct exec box sh -c 'rm -rf /in; mkdir -p /in/one; ln -s /d /in/dir'
fails 1 'cannot overwrite directory "one" with non-directory' "a file in the place of a directory" ct cp one box:/in
fails 1 'cannot overwrite non-directory "dir" with directory' "a directory in the place of a link" ct cp dir box:/in
fails 1 'must specify at least one container source' "no container" ct cp one two
fails 1 'copying between containers is not supported' "two containers" ct cp box:/a box:/b
fails 1 'source can not be empty' "no source" ct cp "" box:/b
fails 1 'destination can not be empty' "no destination" ct cp box:/b ""
fails 1 'destination "box:/nosuch" must be a directory' "a stream to nowhere" ct cp - box:/nosuch
fails 1 'destination "box:/d/f" must be a directory' "a stream onto a file" ct cp - box:/d/f
fails 1 'requires 2 arguments' "one argument" ct cp one
fails 125 'nosuch' "an unknown option" ct cp --nosuch one box:/in
fails 1 'lstat .*/box:/d: No such file or directory' "what begins with . is the host's" ct cp ./box:/d box:/in

# ---- a container that has ended ----
ct stop -t 0 box >/dev/null
from "f:f: " box:/d/f out
from "v:f: " box:/vol/v out
ct cp one box:/d/later && ct cp box:/d/later out && ct cp one box:/vol/later
is "$(cat out/later)" one "into one that has ended, and out again"
is "$(grep -c "$WORK/store" /proc/self/mountinfo) $(of box .State.Status) $(ls "$CTRACE_RUN/live")" "0 exited " "it stays unmounted, exited and free"
rm -rf out/*
head -c 100000000 /dev/zero >big
(ct cp big box:/d/1 & ct cp big box:/d/2 & wait)
is "$(ct cp box:/d/1 - | tar xO | wc -c) $(ct cp box:/d/2 - | tar xO | wc -c)" "100000000 100000000" "two at once wait for each other"
is "$("$CTRACE" export box | tar xO d/later)" one "export of one that has ended"
ct start box >/dev/null
is "$(ct exec box cat /d/later /vol/later | tr '\n' ' ')" "one one " "and it starts with what was copied"
"$CTRACE" cp big box:/d/3 &
copier=$!
ct stop -t 0 box >/dev/null
wait "$copier"
is "$? $(of box .State.Status)" "0 exited" "one that ends meanwhile"
ct run --name sealed --read-only "${ON[@]}" true
fails 1 '^ctrace cp: container rootfs is marked read-only$' "into one with --read-only" ct cp one sealed:/
from "file:f: " sealed:/data/file out
mkfifo endless
"$CTRACE" cp - box:/d <endless &
copier=$!
exec 9>endless
wait_for 5 test -L "$CTRACE_RUN/live/$(of box .Id)"
is $? 0 "a cp has the container that has ended"
fails 1 'is in use by process' "which cannot start meanwhile" ct start box
fails 1 "cannot remove container box: process $copier \\(ctrace cp\\) is using it. Try again" "nor be removed" ct rm -f box
kill -KILL "$copier"
wait "$copier" 2>/dev/null
exec 9>&-
is "$(ct cp box:/d/f - | tar xO)" f "after a cp was killed the next one works"
like "$(ct ps -a --filter name=box)" 'Exited' "and the container is still there"
"$CTRACE" cp - box:/d <endless &
copier=$!
exec 9>endless
wait_for 5 test "$(readlink "$CTRACE_RUN/live/$(of box .Id)" | cut -d' ' -f1)" = "$copier"
(sleep 0.5 && tar c big >&9) 9>&9 &
ct rm -v box >"$WORK/removed" 2>&1 9>&- &
remover=$!
exec 9>&-
wait "$copier"
is $? 0 "a cp from a stream"
wait "$remover"
is "$? $(cat "$WORK/removed")" "0 box" "rm of a container that a cp has waits until it has ended"
ct rm -fv sealed >/dev/null
ct volume rm vol >/dev/null
is "$(engine_things)" "" "nothing is left"
cd "$TOP" || exit 1
done_testing
