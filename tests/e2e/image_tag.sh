#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctrace tag: docker's rules for one more name.
. tests/lib/env.sh
need jq
export CTRACE_ROOT=$WORK/store
/usr/bin/python3 - "$LIB" "$WORK" <<'PYTHON'
import io, json, sys, tarfile
sys.path.insert(0, sys.argv[1])
import oci
def layer(name):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    return data.getvalue()
for name in "one", "two":
    oci.write_layout(sys.argv[2] + "/" + name, [layer(name)])
manifests = []
for machine in "amd64", "arm64":
    layout = sys.argv[2] + "/both"
    oci.write_layout(layout, [layer(machine)], change_config=lambda document: document.update(architecture=machine))
    with open(layout + "/index.json") as f:
        manifests.append(dict(json.load(f)["manifests"][0], platform={"os": "linux", "architecture": machine}))
with open(layout + "/index.json", "w") as f:
    json.dump({"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": manifests}, f)
PYTHON
for name in one two; do
	"$CTRACE" pull "oci:$WORK/$name" >"$WORK/pull" 2>&1 || diag "$(cat "$WORK/pull")"
done
for machine in amd64 arm64; do
	"$CTRACE" pull --platform "linux/$machine" "oci:$WORK/both" >"$WORK/pull" 2>&1 || diag "$(cat "$WORK/pull")"
done

# of NAME: the images that it stands for, by the layouts they came from
of()
{
	jq -r --arg name "$1" --arg work "oci:$WORK/" '.references | (map(select(.reference | startswith($work))) |
		map({ key: .id, value: (.reference | ltrimstr($work)) }) | from_entries) as $layouts |
		.[] | select(.reference == $name) | "\($layouts[.id]) \(.platform)"' "$CTRACE_ROOT/references.json" | sort | xargs
}
tag()
{
	"$CTRACE" tag "$@" >"$WORK/out" 2>&1
	echo "$? $(cat "$WORK/out")"
}
names()
{
	"$CTRACE" images --format '{{.Reference}}' | grep -v '^oci:' | sort | xargs
}
here=$(jq -r '.references[0].platform' "$CTRACE_ROOT/references.json")

is "$(tag "oci:$WORK/one" base)" "0 " "an archive's image gets a name, and nothing is printed"
is "$(of docker.io/library/base:latest)" "one $here" "it is that image's"
is "$(tag base localhost:5000/team/app:1.0) $(names)" "0  docker.io/library/base:latest localhost:5000/team/app:1.0" "a name of a name"
id=$("$CTRACE" images --no-trunc --format '{{.ID}} {{.Reference}}' | awk -v i="oci:$WORK/two" '$2 == i { print $1 }')
is "$(tag "${id:7:12}" base) $(of docker.io/library/base:latest)" "0  two $here" "by an id: what had the name loses it"
is "$(of localhost:5000/team/app:1.0)" "one $here" "but keeps its others"
is "$("$CTRACE" image tag base base; echo $?) $(of docker.io/library/base:latest)" "0 two $here" "its own name: nothing changes"
is "$("$CTRACE" history -q base)" "${id:7:12}" "other commands know it"

"$CTRACE" rmi "oci:$WORK/one" >"$WORK/out"
is "$(tag base localhost:5000/team/app:1.0) $("$CTRACE" images --format '{{.Reference}}' | grep -c '^<none>\|^$')" "0  1" \
	"an image that had only this name stays without one"
is "$("$CTRACE" rmi base) $(names | sed 's/<none> *//')" "Untagged: base:latest localhost:5000/team/app:1.0" "rmi takes a name, and leaves the others"
is "$(tag "oci:$WORK/both" many) $(of docker.io/library/many:latest)" "0  both linux/amd64 both linux/arm64" "all platforms go along"
is "$(tag "oci:$WORK/two" many) $(of docker.io/library/many:latest)" "0  two $here" "and go again"

# The digest by which a registry gave it is of that repository's names only.
jq '.references |= map(if .reference == "docker.io/library/many:latest" then .digest = "sha256:feed" else . end)' \
	"$CTRACE_ROOT/references.json" >"$WORK/json"
cp "$WORK/json" "$CTRACE_ROOT/references.json"
is "$(tag many many:2; tag many more) $(jq -r '.references[] | select(.reference | contains("/library/m")) | "\(.reference) \(.digest)"' \
	"$CTRACE_ROOT/references.json" | sort | xargs)" \
	"0 
0  docker.io/library/many:2 sha256:feed docker.io/library/many:latest sha256:feed docker.io/library/more:latest" \
	"a digest goes along within a repository"

before=$(cat "$CTRACE_ROOT/references.json")
is "$(tag nosuch other)" "1 ctrace tag: no such image: nosuch" "an image that is not there"
like "$(tag many 'Bad Name')" '^1 ctrace tag: .*Bad Name' "a name that is none"
like "$(tag many "other@$id")" "^1 ctrace tag: .*cannot have a digest" "a digest is not given"
like "$(tag many '')" '^1 ctrace tag: ' "an empty name"
for arguments in "" "many" "many a b"; do
	# shellcheck disable=SC2086
	like "$(tag $arguments)" '^1 .*requires exactly 2 arguments' "tag $arguments"
done
is "$(cat "$CTRACE_ROOT/references.json")" "$before" "of all that nothing changed"
done_testing
