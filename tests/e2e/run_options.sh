#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# Options of ctrace run that need more than a look inside: platforms, pull policies, a terminal, --privileged.
. tests/lib/env.sh
. tests/lib/images.sh
need_root
need jq
busybox_image || skip_all "no busybox image"
registry_start || skip_all "no registry"
export CTRACE_ROOT=$WORK/ctrace CTRACE_RUN=$WORK/run CTRACE_NO_FALLBACK=1 CTRACE_REGISTRY_MIRROR=http://$REGISTRY
unset CTRACE_CONFIG
image=$REGISTRY/test

run()
{
	"$CTRACE" run --trace=none --network none "$@" </dev/null 2>"$WORK/err"
}

# push TAG TEXT [ARCHITECTURE...]: an image whose /what says TEXT and its architecture; with several, an index.
push()
{
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB /usr/bin/python3 - "$REGISTRY" "$(busybox_layer)" "$WORK/layout" "$@" <<'PYTHON'
import gzip, http.client, io, json, sys, tarfile, shutil
import oci
registry, layer, layout, tag, text = sys.argv[1:6]
shutil.rmtree(layout, ignore_errors=True)
with gzip.open(layer) as f:
    base = f.read()
def put(path, body, kind):
    c = http.client.HTTPConnection(registry)
    c.request("PUT", path, body, {"Content-Type": kind})
    status = c.getresponse().status
    assert status == 201, (path, status)
def blob(data):
    c = http.client.HTTPConnection(registry)
    c.request("POST", "/v2/test/blobs/uploads/", headers={"Content-Length": "0"})
    r = c.getresponse()
    r.read()
    where = r.getheader("Location")
    where = where[where.index("/v2/"):]
    put(where + ("&" if "?" in where else "?") + "digest=" + oci.digest_of(data), data, "application/octet-stream")
manifests = []
for arch in sys.argv[6:] or [oci.architecture()]:
    top = io.BytesIO()
    with tarfile.open(fileobj=top, mode="w") as tar:
        what = ("%s %s\n" % (text, arch)).encode()
        info = tarfile.TarInfo("what")
        info.size = len(what)
        tar.addfile(info, io.BytesIO(what))
    name, _, variant = arch.partition("/")
    digest = oci.write_layout(layout, [base, top.getvalue()], {"Cmd": ["cat", "/what"], "Env": ["PATH=/bin"]},
                              change_config=lambda d: d.update(architecture=name))
    data = oci.read_blob(layout, digest)
    m = json.loads(data)
    for d in [m["config"]] + m["layers"]:
        blob(oci.read_blob(layout, d["digest"]))
    put("/v2/test/manifests/" + digest, data, oci.MANIFEST)
    platform = {"os": "linux", "architecture": name}
    if variant:
        platform["variant"] = variant
    manifests.append({"mediaType": oci.MANIFEST, "digest": digest, "size": len(data), "platform": platform})
if len(sys.argv) > 6:
    data = json.dumps({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": manifests}).encode()
    put("/v2/test/manifests/" + tag, data, oci.INDEX)
else:
    put("/v2/test/manifests/" + tag, data, oci.MANIFEST)
PYTHON
}

# ---- --platform ----
own=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
push many image amd64 arm64/v8 arm/v7 || skip_all "the registry takes no image"
is "$(run "$image:many")" "image $own" "an index: this machine's image"
"$CTRACE" rmi "$image:many" >/dev/null 2>&1
for platform in amd64:amd64 arm64:arm64/v8 arm64/v8:arm64/v8 arm/v7:arm/v7; do
	is "$(run --pull always --platform "linux/${platform%%:*}" "$image:many" cat /what)" "image ${platform#*:}" \
		"--platform linux/${platform%%:*}"
	"$CTRACE" rmi "$image:many" >/dev/null 2>&1
done
run --platform linux/s390x "$image:many"
is $? 125 "a platform that the index lacks: exit code"
like "$(cat "$WORK/err")" "linux/s390x" "it names the platform"
like "$(cat "$WORK/err")" "linux/amd64.*linux/arm64|linux/arm64.*linux/amd64" "and those that there are"
run --platform no-such-thing "$image:many"
is $? 125 "a platform that is none"

# ---- --pull, and a tag that changes ----
push moving one
is "$(run "$image:moving")" "one $own" "an image that is missing is pulled"
push moving two
is "$(run "$image:moving")" "one $own" "and then used as it is"
is "$(run --pull missing "$image:moving")" "one $own" "--pull missing, too"
is "$(run --pull never "$image:moving")" "one $own" "--pull never, too"
is "$(run --pull always "$image:moving")" "two $own" "--pull always gets what the tag means now"
is "$(run "$image:moving")" "two $own" "which stays"
run --pull never "$image:unknown"
is $? 125 "--pull never of an image that is not there: exit code"
like "$(cat "$WORK/err")" "test:unknown" "it names the image"
run --pull sometimes "$image:moving"
is $? 125 "an unknown policy"
registry_stop
is "$(run "$image:moving")" "two $own" "no registry is needed for what is there"
run --pull always "$image:moving" >/dev/null
is $? 125 "--pull always without the registry: exit code"
like "$(cat "$WORK/err")" "$REGISTRY" "it names the registry"
is "$(run --pull missing "$image:moving")" "two $own" "and what was there is still there"

# ---- --privileged ----
inside=$(run --privileged "$image:moving" sh -c '
	grep "^CapEff\|^CapBnd\|^Seccomp:" /proc/self/status | tr "\t" " "
	[ -c /dev/loop-control ] && echo node loop-control
	mkdir /tmp/m /tmp 2>/dev/null; mount -t tmpfs none /mnt 2>/dev/null || { mkdir -p /mnt; mount -t tmpfs none /mnt; } && echo mounted
	mkdir /sys/fs/cgroup/memory/below 2>/dev/null && rmdir /sys/fs/cgroup/memory/below && echo cgroup writable
	awk "\$2 ~ /^\/proc\/(sys|bus|keys|timer_list)/ { print \"covered\", \$2 }" /proc/mounts
	awk "\$2 == \"/sys\" { print \"sys\", substr(\$4, 1, 2) }" /proc/mounts')
own_caps=$(awk '/^CapEff/ { print $2 }' /proc/self/status)
like "$inside" "CapEff: $own_caps" "--privileged: all that the caller holds"
like "$inside" "CapBnd: $own_caps" "--privileged: in the bounding set, too"
like "$inside" "Seccomp: 0" "--privileged: no seccomp"
like "$inside" "^mounted" "--privileged: it can mount"
[ ! -c /dev/loop-control ] || like "$inside" "node loop-control" "--privileged: the host's devices"
like "$inside" "^sys rw" "--privileged: /sys is writable"
! is_v1 || like "$inside" "cgroup writable" "--privileged: cgroups are"
unlike "$inside" "^covered" "--privileged: nothing is masked"
if [ $((0x$own_caps >> 24 & 1)) = 0 ]; then
	like "$(cat "$WORK/err")" "lacks.*CAP_SYS_RESOURCE" "--privileged: what ctrace itself lacks is said"
else
	skip_point "what ctrace lacks" "it lacks nothing here"
fi

# ---- -it ----
cat >"$WORK/session.py" <<'PYTHON'
import os, subprocess, sys, time
import tl
from terminal import Terminal
p = tl.Points()
ctrace, image = sys.argv[1:3]
run = [ctrace, "run", "--trace=none", "--network", "none", "-it"]

t = Terminal(run + [image, "sh"])
t.send("stty size; tty; echo TERM=$TERM\n")
p.check(t.wait_for(r"40 100\r"), "-it: the size of the terminal is known inside", t.text)
p.check(t.wait_for(r"/dev/(pts/0|console)\r"), "-it: a terminal of its own", t.text)
p.check(t.wait_for(r"TERM=xterm\r"), "-it: TERM is set", t.text)
t.send("exit 7\n")
p.equal(t.exit_code(), 7, "-it: exit code")
p.check(t.is_as_before(), "-it: the terminal is as it was")

t = Terminal(run + [image, "sh", "-c", """trap 'echo size $(stty size)' WINCH; trap 'echo interrupted; exit 8' INT
    echo ready; while :; do sleep 0.1; done"""])
t.wait_for("ready")
t.resize(33, 77)
p.check(t.wait_for("size 33 77"), "-it: a change of size arrives, with its signal", t.text)
t.send("\x03")
p.check(t.wait_for("interrupted"), "-it: ctrl-c reaches the program", t.text)
p.equal(t.exit_code(), 8, "-it: and no other")

t = Terminal(run + [image, "sh"])
t.send("stty raw -echo; echo rea''dy; dd bs=1 count=2 2>/dev/null | od -An -tx1; stty sane\n")
t.wait_for("ready")
t.send("\x10a")
p.check(t.wait_for("10 61"), "detach keys: ctrl-p and another key go through", t.text)
marker = "71%06d" % (os.getpid() % 1000000)
t.send("exec sleep %s\n" % marker)
def sleeper():
    out = subprocess.run(["pgrep", "-f", "^sleep " + marker], capture_output=True, text=True).stdout.split()
    return int(out[0]) if out else None
deadline = time.monotonic() + 10
while not sleeper() and time.monotonic() < deadline:
    t.read(0.1)
t.send("\x10\x11")
p.equal(t.exit_code(), 0, "detach keys: ctrl-p ctrl-q gives the prompt back")
p.check(t.is_as_before(), "detach keys: the terminal is as it was")
time.sleep(0.3)
p.check(sleeper(), "detach keys: the container goes on")
if sleeper():
    os.kill(sleeper(), 9)
deadline = time.monotonic() + 10
containers = os.path.join(os.environ["CTRACE_RUN"], "containers")
while time.monotonic() < deadline and sleeper():
    time.sleep(0.1)
p.equal(sleeper(), None, "detach keys: until it is killed")

t = Terminal(run + ["--rm", image, "sh", "-c", "kill -TERM $$; exit 9"])
p.equal(t.exit_code(), 9, "-it: pid 1 does not die of its own signal")
PYTHON
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB timeout 120 /usr/bin/python3 "$WORK/session.py" "$CTRACE" "$image:moving" >"$WORK/session.out" 2>&1
code=$?
while IFS= read -r line; do
	case $line in
	'ok - '*) ok "${line#ok - }" ;;
	'not ok - '*) not_ok "${line#not ok - }" ;;
	*) diag "$line" ;;
	esac
done <"$WORK/session.out"
is "$code" 0 "the terminal's test ran to its end"
"$CTRACE" run --trace=none --network none --rootfs "$BUSYBOX_ROOT" true </dev/null >/dev/null 2>&1 # cleans up after others

done_testing
