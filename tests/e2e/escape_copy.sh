#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 200
# ctrace cp against a container that wants the host's files (CVE-2018-15664 and its kin): links that lead out, names that are
# exchanged while they are walked, device nodes, mount points that are moved away, archives that leave the destination.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox
engine_root || skip_all "no busybox"
for applet in ln mknod mv; do
	ln -sf busybox "$ROOTFS/bin/$applet"
done
cp "$CTRACE_OUTPUT/tests/attacker" "$ROOTFS/bin/attacker"

victim=$WORK/victim
mkdir -p "$victim" "$WORK/host/dir" "$WORK/host/out"
echo secret >"$victim/secret"
chmod 600 "$victim/secret"
cd "$WORK/host" || exit 1
for i in 1 2; do echo "$i" >"dir/$i"; done
chmod 4777 dir/*
echo one >one

untouched()
{
	is "$(ls "$victim" | tr '\n' ' ')$(cat "$victim/secret") $(stat -c '%a %u' "$victim/secret" "$victim" | tr '\n' ' ')" \
		"secret secret 600 0 755 0 " "$1: nothing of the host was written"
}
got_nothing()
{
	is "$(grep -rls secret out)" "" "$1: nothing of the host was read"
	rm -rf out/*
}

ct run -d --name bad --network none -v "vol:/moved/vol" --rootfs "$ROOTFS" sh -c "
	ln -s $victim /absolute; ln -s ../../../../../../../..$victim /relative; ln -s absolute /twice; mkdir /links
	ln -s /proc/self/root$victim /links/a; ln -s /proc/1/root$victim /links/b; ln -s /proc/self/cwd /links/c
	ln -s /proc/self/fd/3 /links/d; ln -s /absolute/secret /links/e; ln -s $victim/new /links/f
	mknod /node b 1 0; mknod /links/node c 1 3
	: >/ready; sleep 1000" >/dev/null
wait_for 10 ct exec bad ls /ready
pid=$(of bad .State.Pid)

# ---- links ----
is "$(cat "/proc/$pid/root/absolute/secret")" secret "the attack bites: by its path below /proc/PID/root the link leads out"
for path in /absolute/secret /relative/secret /twice/secret /links/a/secret /links/b/secret /links/c/secret /links/e; do
	fails 1 'Could not find the file' "from $path" ct cp -L "bad:$path" out
done
for path in /absolute/ /relative/. /twice/ /links/a/ /links/b/. /links/d/; do
	fails 1 'Could not find the file' "from $path" ct cp "bad:$path" out
done
got_nothing "links"
for path in /absolute/ /relative/x /twice /links/a /links/b/ /links/c /links/d /links/f; do
	ct cp one "bad:$path" >/dev/null 2>&1
	ct cp dir "bad:$path" >/dev/null 2>&1
	tar c one | "$CTRACE" cp - "bad:$path" 2>/dev/null
done
untouched "links"

# ---- devices ----
ct cp bad:/node out 2>/dev/null
ct cp bad:/links/. out 2>/dev/null
is "$(find out -type b -o -type c)" "" "a device node of the container does not become one of the host"
is "$("$CTRACE" cp bad:/node - | tar xO | wc -c)" 0 "and is never read"
fails 1 'got a device' "nor written to" ct cp one bad:/node
rm -rf out/*

# ---- what a volume is mounted on ----
ct exec bad sh -c "mv /moved /elsewhere; ln -s $victim /moved"
ct exec bad readlink /moved >/dev/null
is $? 0 "the directory above a mount point becomes a link"
ct cp one bad:/moved/vol >/dev/null 2>&1
ct cp one bad:/moved >/dev/null 2>&1
fails 1 'Could not find the file' "from there" ct cp bad:/moved/secret out
untouched "a mount point that is moved"
got_nothing "a mount point that is moved"

# ---- names that are exchanged ----
ct exec bad sh -c "mkdir -p /race/dir /race/to; echo harmless >/race/dir/secret; ln -s $victim /race/link"
ct exec -d bad attacker swap /race/dir /race/link 30
bitten=0 got=
for _ in $(seq 20000); do
	line=
	{ read -r line <"/proc/$pid/root/race/dir/secret"; } 2>/dev/null
	[ "$line" != secret ] || bitten=1
done
is $bitten 1 "the attack bites: who walks by name meets the link in time"
for _ in 1 2 3 4; do
	ct cp bad:/race/dir out >/dev/null 2>&1
	ct cp bad:/race/dir/secret out/file >/dev/null 2>&1
	ct cp bad:/race/. out >/dev/null 2>&1
	ct cp -L bad:/race/link out/dir2 >/dev/null 2>&1
	got=$got$(grep -rls '^secret' out)
	rm -rf out/*
	ct cp one bad:/race/dir >/dev/null 2>&1
	ct cp dir/. bad:/race/dir >/dev/null 2>&1
	ct cp dir bad:/race/dir/ >/dev/null 2>&1
done
is "$got" "" "names that are exchanged: nothing of the host was read"
untouched "names that are exchanged"
ct exec -d bad attacker plant /race/to/1 "$victim/secret" 30
/usr/bin/python3 - >again.tar <<'PYTHON'
import sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
    for i in range(10000):
        entry = tarfile.TarInfo("1")
        entry.mode, entry.uid, entry.mtime = 0o4777, 1234, 1
        tar.addfile(entry)
PYTHON
for _ in 1 2 3 4 5 6; do
	"$CTRACE" cp - bad:/race/to <again.tar >/dev/null 2>&1
done
untouched "a file that becomes a link as soon as it is made"

# ---- archives ----
/usr/bin/python3 - "$victim" >hostile.tar <<'PYTHON'
import io, sys, tarfile
victim = sys.argv[1]
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
    def add(name, kind, link="", data=b""):
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.size, entry.mode = kind, link, len(data), 0o4777
        tar.addfile(entry, io.BytesIO(data))
    add("l", tarfile.SYMTYPE, victim)
    add("l/new", tarfile.REGTYPE, data=b"x")
    add("h", tarfile.SYMTYPE, victim + "/secret")
    add("h2", tarfile.LNKTYPE, "h")
    add("h2", tarfile.REGTYPE, data=b"x")
    add(victim + "/absolute", tarfile.REGTYPE, data=b"x")
    add("out", tarfile.LNKTYPE, victim + "/secret")
PYTHON
"$CTRACE" cp - bad:/race/to <hostile.tar >/dev/null 2>&1
untouched "an archive"
ct rm -fv bad >/dev/null
ct volume rm vol >/dev/null
is "$(engine_things)" "" "nothing is left"
cd "$TOP" || exit 1
done_testing
