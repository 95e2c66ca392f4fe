#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# What only a database knows, in every view: podman 5's SQLite (made here with its tables, for a bundle where podman has
# it), podman 4's and containerd's. The metrics, the dashboard, its JSON and the timelines agree, and escape what is hostile.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve
need runc jq promtool
busybox_image || skip_all "no busybox image"
/usr/bin/python3 -c 'import sqlite3' 2>/dev/null || skip_all "this python3 has no sqlite3"

storage=$WORK/storage
# stored ID: a bundle as podman lays it out
stored()
{
	bundle "$storage/overlay-containers/$1/userdata" sleep 60
}
five=$(printf '5%063d' $$) six=$(printf '6%063d' $$)
stored "$five"
stored "$six"
# podman binds its documents as blobs; it holds a lock while it writes.
cat >"$WORK/podman5.py" <<'PYTHON'
import json
import sqlite3
import sys
path, five, six = sys.argv[1:]
db = sqlite3.connect(path)
db.executescript("""
CREATE TABLE IDNamespace(ID TEXT PRIMARY KEY NOT NULL);
CREATE TABLE ContainerConfig(ID TEXT PRIMARY KEY NOT NULL, Name TEXT UNIQUE NOT NULL, PodID TEXT, JSON TEXT NOT NULL,
    FOREIGN KEY (ID) REFERENCES IDNamespace(ID) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (PodID) REFERENCES PodConfig(ID));
CREATE TABLE PodConfig(ID TEXT PRIMARY KEY NOT NULL, Name TEXT UNIQUE NOT NULL, JSON TEXT NOT NULL,
    FOREIGN KEY (ID) REFERENCES IDNamespace(ID) DEFERRABLE INITIALLY DEFERRED);
""")
def put(table, container, name, document, pod=None):
    db.execute("INSERT INTO IDNamespace VALUES (?)", (container,))
    values = (container, name) + ((pod,) if table == "ContainerConfig" else ()) + (json.dumps(document).encode(),)
    db.execute("INSERT INTO %s VALUES (%s)" % (table, ",".join("?" * len(values))), values)
hostile = "a\x1b[31m\n\"\\<b>\x07"
put("PodConfig", "pod1", "shop", {"id": "pod1", "name": "shop"})
put("ContainerConfig", five, "five", {"id": five, "name": "five", "pod": "pod1", "rootfsImageName": "example.org/five:1",
    "labels": {"team": "a", "odd": hostile, "": "empty", "none": 7}}, "pod1")
put("ContainerConfig", six, hostile, {"id": six, "name": hostile, "rootfsImageName": hostile,
    "labels": {str(i): "x" * 4096 for i in range(200)}})
db.commit()
PYTHON
/usr/bin/python3 "$WORK/podman5.py" "$storage/db.sql" "$five" "$six"

serve_start || { done_testing; exit; }
trace_start || skip_all "no trace"
wanted=("$five" five "$six" "$(printf 'a\033[31m\n"\\<b>\a')")
for id in "$five" "$six"; do
	(cd "$storage" && exec runc --root "$WORK/runc" run --detach --bundle "$storage/overlay-containers/$id/userdata" "$id") \
		</dev/null >"$WORK/runc.log" 2>&1 || diag "$(cat "$WORK/runc.log")"
	on_exit runc --root "$WORK/runc" delete --force "$id"
done
if podman_start; then
	pod pod create --name "pod-$$" --infra=false >/dev/null
	pod run --detach --network none --cidfile "$WORK/cid" --pod "pod-$$" --name "four-$$" localhost/busybox sleep 60 >/dev/null
	wanted+=("$(cat "$WORK/cid")" "four-$$")
else
	skip_point "podman 4" "$ENGINE_WHY"
fi
if containerd_start; then
	on_exit cctr container rm "ctr-$$"
	on_exit cctr task rm --force "ctr-$$"
	cctr run --detach --label team=c "$CONTAINERD_IMAGE" "ctr-$$" sleep 60
else
	skip_point "containerd" "$ENGINE_WHY"
fi

has_line()
{
	metrics | grep -F -- "$1" | grep -q '^ctrace_container_info{'
}
check "podman 5: name, image and pod in the metrics" wait_for 15 has_line 'name="five",image="example.org/five:1",engine="podman",runtime="runc",pod="shop"'
check "a hostile name in the metrics is escaped" wait_for 15 has_line 'name="a\\x1b[31m\\n\"\\\\<b>\\x07"'
[ ! -f "$WORK/cid" ] || check "podman 4: in the metrics" wait_for 15 has_line "name=\"four-$$\",image=\"localhost/busybox:latest\",engine=\"podman\",runtime=\"runc\",pod=\"pod-$$\""
[ -z "${CONTAINERD_IMAGE-}" ] || check "containerd: in the metrics" wait_for 15 has_line "image=\"$CONTAINERD_IMAGE\""
is "$(metrics | promtool check metrics 2>&1 | head -n 3)" "" "promtool has nothing to say"

"$CTRACE" top --batch -n 1 >"$WORK/batch" 2>&1
"$CTRACE" top --json -n 1 >"$WORK/top.json" 2>&1
is "$(grep -c -a -P '[\x00-\x08\x0b-\x1f]' "$WORK/batch")" 0 "the dashboard prints no control character"
check "podman 5: in the dashboard" grep -q '\bfive\b' "$WORK/batch"
is "$(jq -c --arg id "$five" '.containers[] | select(.id == $id) | [.name, .image]' "$WORK/top.json")" \
	'["five","example.org/five:1"]' "podman 5: in the dashboard's JSON"
[ -z "${CONTAINERD_IMAGE-}" ] || check "containerd: in the dashboard" grep -q "ctr-$$" "$WORK/batch"

# podman is not held back: it can lock its database while we read it, and we say what was before or nothing.
/usr/bin/python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=0)
for i in range(200):
    db.execute("BEGIN EXCLUSIVE")
    db.execute("UPDATE PodConfig SET Name = ?", ("shop%d" % i,))
    db.commit()
' "$storage/db.sql" >"$WORK/lock.err" 2>&1
is "$?$(cat "$WORK/lock.err")" 0 "podman's lock is always to be had"

for id in "$five" "$six"; do runc --root "$WORK/runc" delete --force "$id"; done
[ -z "${CONTAINERD_IMAGE-}" ] || cctr task rm --force "ctr-$$" >/dev/null 2>&1
[ ! -f "$WORK/cid" ] || pod rm --all --force --time 0 >/dev/null
[ ! -f "$WORK/cid" ] || pod pod rm --all --force >/dev/null
sleep 0.3
trace_stop
cat >"$WORK/names.py" <<'PYTHON'
for container, name in zip(args[0::2], args[1::2]):
    p.equal([c.data.get("name") for c in t.find(container)], [name], "%.12s is called %r" % (container, name))
one = t.find(args[0])[0].data
labels = {x["name"]: x["value"] for x in one["labels"]}
p.equal((one["pod"], one["image"], one["engine"]), ("shop", "example.org/five:1", "podman"), "podman 5: pod, image and engine")
p.equal(labels, {"team": "a", "odd": "a\x1b[31m\n\"\\<b>\x07"}, "podman 5: labels")
many = t.find(args[2])[0].data["labels"]
p.check(0 < len(many) <= 64 and max(len(x["value"]) for x in many) <= 1024, "podman 5: labels are bounded")
PYTHON
judge "$TRACE" "${wanted[@]}" <"$WORK/names.py"

done_testing
