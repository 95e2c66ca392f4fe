#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Layers that attack: nothing outside the layer changes, bombs stop, and honest ones come out as umoci
# unpacks them.
set -u
work=$(mktemp -d /tmp/ctrace-image-hostile.XXXXXX)
count=0
trap 'mountpoint -q "$work/small" && umount "$work/small"; rm -rf "$work"' EXIT
export CTRACE_ROOT=$work/root

check() { # WHAT STATUS
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then echo "ok $count - $1"; else
		echo "not ok $count - $1"; sed 's/^/# /' "$work/out" | head -8; fi
}

victim() {
	rm -rf "$work/victim"
	mkdir -m 755 "$work/victim"
	echo precious > "$work/victim/file"
	chmod 600 "$work/victim/file"
	touch -d @1000000 "$work/victim/file" "$work/victim"
	find "$work/victim" -printf '%P %m %U %s %T@ %n\n'; cat "$work/victim/file"
}
state() { find "$work/victim" -printf '%P %m %U %s %T@ %n\n'; cat "$work/victim/file"; }
store() { find "$CTRACE_ROOT" -mindepth 1 ! -name references.json -printf '%P\n' | sort; }
"$CTRACE" images > /dev/null
empty=$(store)

python3 - "$work" <<'PY'
import io, os, sys, tarfile
work = sys.argv[1]
victim = work + "/victim"
up = "../" * 12 + victim[1:]

def entry(name, type=tarfile.REGTYPE, link="", mode=0o644, data=b"evil", **kw):
    i = tarfile.TarInfo(name)
    i.type, i.linkname, i.mode = type, link, mode
    i.size = len(data) if type == tarfile.REGTYPE else 0
    for k, v in kw.items():
        setattr(i, k, v)
    return i, data

SYM, HARD, DIR, CHR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE
refused = {
    "dotdot": [entry(up + "/file")],
    "hardlink-dotdot": [entry("x", HARD, up + "/file"), entry("x")],
    "root-symlink": [entry(".", SYM, victim), entry("file")],
    "whiteout-empty": [entry(".wh.", data=b"")],
    "whiteout-dotdot": [entry("d", DIR, mode=0o755), entry("d/.wh...", data=b"")],
    "whiteout-dot": [entry("d", DIR, mode=0o755), entry("d/.wh..", data=b"")],
    "hardlink-out": [entry("x", HARD, victim + "/file"), entry("x")],
    "hardlink-via-symlink": [entry("l", SYM, victim), entry("x", HARD, "l/file"), entry("x")],
}
harmless = {
    "absolute": [entry(victim + "/file")],
    "file-through-symlink": [entry("l", SYM, victim), entry("l/file")],
    "file-through-relative-symlink": [entry("l", SYM, up), entry("l/file")],
    "dir-through-symlink": [entry("l", SYM, victim), entry("l/new", DIR, mode=0o777)],
    "whiteout-via-symlink": [entry("l", SYM, victim), entry("l/.wh.file", data=b"")],
    "opaque-via-symlink": [entry("l", SYM, victim), entry("l/.wh..wh..opq", data=b"")],
    "chmod-via-symlink": [entry("l", SYM, victim + "/file"), entry("l", mode=0o777, data=b"")],
    "chmod-via-hardlink": [entry("l", SYM, victim + "/file"), entry("h", HARD, "l", mode=0o777)],
    "symlink-to-dir": [entry("l", SYM, victim), entry("l", DIR, mode=0o777), entry("l/file")],
    "dir-to-symlink": [entry("d", DIR), entry("d/a"), entry("d", SYM, victim), entry("d/file")],
    "overlay-xattr": [entry("d", DIR, pax_headers={
        "SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.trusted.overlay.redirect": "/etc",
        "SCHILY.xattr.user.kept": "1"})],
    "overlay-char": [entry("w", CHR, devmajor=0, devminor=0)],
}
for kind, tars in (("refused", refused), ("harmless", harmless)):
    os.makedirs(work + "/" + kind)
    for name, entries in tars.items():
        with tarfile.open("%s/%s/%s.tar" % (work, kind, name), "w", format=tarfile.PAX_FORMAT) as t:
            for i, data in entries:
                t.addfile(i, io.BytesIO(data) if i.type == tarfile.REGTYPE else None)
PY

xattrs() { # DIR
	(cd "$1" && python3 - <<'PY'
import os
for base, dirs, files in os.walk("."):
    for name in sorted(dirs + files):
        path = os.path.join(base, name)
        for key in sorted(os.listxattr(path, follow_symlinks=False)):
            print(path, "%s=%r" % (key, os.getxattr(path, key, follow_symlinks=False)))
PY
	)
}

pull_tars() { # TAR...
	rm -rf "$work/layout"
	python3 tests/lib/make_layout.py "$work/layout" "$@"
	timeout 60 "$CTRACE" pull "oci:$work/layout" > "$work/out" 2>&1
}

for tar in "$work"/refused/*.tar; do
	before=$(victim)
	pull_tars "$tar"
	[ $? -eq 1 ] && [ "$(state)" = "$before" ] && [ "$(store)" = "$empty" ] &&
		grep -q 'entry "\|hard link "' "$work/out"
	rc=$?
	check "refused: $(basename "$tar" .tar)" $rc
done
for tar in "$work"/harmless/*.tar; do
	before=$(victim)
	pull_tars "$tar"
	rc=$?
	[ $rc -eq 0 ] && [ "$(state)" = "$before" ]
	rc=$?
	check "stays inside: $(basename "$tar" .tar)" $rc
	if [ "$(basename "$tar")" = overlay-xattr.tar ]; then
		xattrs "$CTRACE_ROOT"/layers/*/diff > "$work/out" 2>&1
		! grep -q overlay "$work/out" && grep -q "^./d user.kept=b'1'" "$work/out"
		check 'overlay attributes are stripped, others kept' $?
	elif [ "$(basename "$tar")" = overlay-char.tar ]; then
		! ls "$CTRACE_ROOT"/layers/*/diff/w > /dev/null 2>&1
		check "a layer's own whiteout device is stripped" $?
	fi
	"$CTRACE" rmi "oci:$work/layout" > /dev/null
done

# Bombs and damage.
bomb() { # WHAT PATTERN TAR
	pull_tars "$3"
	[ $? -eq 1 ] && grep -Eq "$2" "$work/out" && [ "$(store)" = "$empty" ]
	check "$1" $?
}
tar -C / -cf "$work/good.tar" etc/hostname bin/busybox
cp "$work/good.tar" "$work/wrong.tar"
pull_tars "$work/wrong.tar.badid"
[ $? -eq 1 ] && grep -q 'unpacks to diff id' "$work/out" && [ "$(store)" = "$empty" ]
check 'a wrong diff id' $?
mkdir -p "$work/layout2"
gzip -c "$work/good.tar" > "$work/good.tar.gz"
python3 - "$work" <<'PY'
import gzip, hashlib, json, subprocess, sys
# Layouts whose documents all agree, around a layer that cannot be unpacked.
work = sys.argv[1]
def layout(name, blob):
    subprocess.run(["python3", "tests/lib/make_layout.py", work + "/" + name, work + "/good.tar.gz"], check=True)
    root = work + "/" + name
    index = json.load(open(root + "/index.json"))
    path = lambda d: root + "/blobs/" + d.replace(":", "/")
    m = json.load(open(path(index["manifests"][0]["digest"])))
    d = "sha256:" + hashlib.sha256(blob).hexdigest()
    open(path(d), "wb").write(blob)
    m["layers"][0].update(digest=d, size=len(blob))
    body = json.dumps(m).encode()
    md = "sha256:" + hashlib.sha256(body).hexdigest()
    open(path(md), "wb").write(body)
    index["manifests"][0].update(digest=md, size=len(body))
    json.dump(index, open(root + "/index.json", "w"))
good = open(work + "/good.tar.gz", "rb").read()
layout("corrupt", good[:len(good) // 2] + b"\0" * 1000 + good[len(good) // 2:])
layout("cut", good[:len(good) // 2])
layout("cuttar", gzip.compress(open(work + "/good.tar", "rb").read()[:300000]))
layout("trailing", good + b"\0" * 4096)
PY
for what in corrupt:'data are corrupt|is damaged' cut:'corrupt' cuttar:'tar is damaged'; do
	"$CTRACE" pull "oci:$work/${what%%:*}" > "$work/out" 2>&1
	[ $? -eq 1 ] && grep -Eq "${what#*:}" "$work/out" && [ "$(store)" = "$empty" ]
	check "a layer that is ${what%%:*}" $?
done
"$CTRACE" pull "oci:$work/trailing" > "$work/out" 2>&1
check 'bytes behind the gzip stream belong to the blob' $?
"$CTRACE" rmi "oci:$work/trailing" > /dev/null
python3 - "$work" <<'PY'
import gzip, sys, tarfile
class Zeros:
    def read(self, n): return bytes(n)
with gzip.open(sys.argv[1] + "/bomb.tar.gz", "wb", 9) as f, tarfile.open(fileobj=f, mode="w|") as t:
    i = tarfile.TarInfo("zeros"); i.size = 700 << 20; t.addfile(i, Zeros())
PY
bomb 'a decompression bomb' 'decompression bomb' "$work/bomb.tar.gz"
rm -f "$work/bomb.tar.gz"

# A full file system.
mkdir "$work/small" && mount -t tmpfs -o size=2m none "$work/small"
head -c 8000000 /dev/zero > "$work/zeros"
tar -C "$work" -cf "$work/big.tar" zeros && gzip "$work/big.tar"
rm -rf "$work/layout"; python3 tests/lib/make_layout.py "$work/layout" "$work/big.tar.gz"
CTRACE_ROOT=$work/small "$CTRACE" pull "oci:$work/layout" > "$work/out" 2>&1
[ $? -eq 1 ] && grep -Eq 'no space left on device' "$work/out"
rc=$?
[ -z "$(find "$work/small/tmp" "$work/small/layers" -mindepth 1)" ] || rc=1
check 'no space left' $rc

# The differential: an image with everything, against umoci.
if command -v umoci > /dev/null; then
	t=$work/t1
	mkdir -p "$t/usr/bin" "$t/opaque/old" "$t/gone" "$t/empty" "$t/keep" "$t/$(printf 'n%.0s' $(seq 120))/$(printf 'm%.0s' $(seq 120))"
	cp /bin/busybox "$t/usr/bin/tool"; chmod 4755 "$t/usr/bin/tool"; ln "$t/usr/bin/tool" "$t/usr/bin/tool2"
	setcap cap_net_raw+ep "$t/usr/bin/tool2" 2> /dev/null
	ln -s usr/bin "$t/bin"; ln -s /nowhere "$t/dangling"; mkfifo "$t/fifo"; mknod "$t/null" c 1 3
	echo x > "$t/opaque/old/file"; echo y > "$t/gone/file"; echo z > "$t/keep/a"; echo é > "$t/keep/é"
	python3 -c "import os,sys;os.setxattr(sys.argv[1],'user.test',b'value')" "$t/keep/a"; chmod 1777 "$t/empty"; chmod 751 "$t/keep"
	chown 123:456 "$t/keep"
	touch -d '2001-02-03 04:05:06.789' "$t/keep/a" "$t/empty" "$t/keep"
	tar -C "$t" --xattrs --xattrs-include='*' --format=pax -cf "$work/d1.tar" .
	t=$work/t2
	mkdir -p "$t/opaque" "$t/keep" "$t/bin2"
	touch "$t/opaque/.wh..wh..opq" "$t/.wh.gone" "$t/keep/.wh.a"; echo new > "$t/opaque/new"; echo b > "$t/keep/b"
	# keep/ itself is not in the tar: its mode and owner come from below.
	tar -C "$t" --format=gnu -cf "$work/d2.tar" opaque/.wh..wh..opq opaque/new .wh.gone keep/.wh.a keep/b bin2
	t=$work/t3
	mkdir -p "$t/gone" "$t/empty"; echo again > "$t/gone/again"; touch "$t/.wh.gone"; touch "$t/.wh.dangling"
	tar -C "$t" -cf "$work/d3.tar" .wh.gone gone .wh.dangling
	gzip "$work/d2.tar"
	pull_tars "$work/d1.tar" "$work/d2.tar.gz" "$work/d3.tar"
	check 'an image with everything is pulled' $?
	mkdir "$work/merged"
	lower=$(python3 - "$CTRACE_ROOT" <<'PY'
import glob, json, sys
r = json.load(open(glob.glob(sys.argv[1] + "/images/*.json")[0]))
print(":".join(sys.argv[1] + "/layers/" + l + "/diff" for l in reversed(r["layers"])))
PY
	)
	mount -t overlay -o "ro,lowerdir=$lower" none "$work/merged" 2> "$work/out"
	check 'the layers mount as an overlay' $?
	umoci unpack --image "$work/layout:latest" "$work/umoci" > "$work/out" 2>&1
	list() { (cd "$1" && find . -printf '%P %y %m %U:%G %l %n\n' | sed '/ [d] /s/ [0-9]*$//' | sort
		find . ! -type d -printf '%P %T@\n' | sort
		find . -type f -exec sha256sum {} + | sort
	); xattrs "$1" | grep -v ' trusted' | sort; }
	list "$work/merged" > "$work/a"; list "$work/umoci/rootfs" > "$work/b"
	umount "$work/merged"
	diff "$work/a" "$work/b" > "$work/out"
	check 'and look as umoci unpacks them' $?
	grep -q ' 4755 ' "$work/a" && grep -q capability "$work/a" && ! grep -q '^gone/file' "$work/a" &&
		grep -q '^gone/again' "$work/a" && grep -q '^keep d 751 123:456' "$work/a"
	check 'setuid, capabilities, whiteouts and modes of implied directories are there' $?
else
	count=$((count + 1)); echo "ok $count - differential # SKIP umoci is not installed"
fi
echo "1..$count"
