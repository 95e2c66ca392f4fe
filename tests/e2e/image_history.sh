#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctrace history: docker's columns and formats, from what the image's configuration says.
. tests/lib/env.sh
need jq
export CTRACE_ROOT=$WORK/store TZ=UTC
/usr/bin/python3 - "$LIB" "$WORK/layout" <<'PYTHON'
import io, sys, tarfile
sys.path.insert(0, sys.argv[1])
import oci
def layer(name, size):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = size
        tar.addfile(entry, io.BytesIO(b"x" * size))
    return data.getvalue()
def history(document):
    document["created"] = "2024-05-01T12:00:00Z"
    document["history"] = [
        {"created": "2024-05-01T10:00:00.5Z", "created_by": "/bin/sh -c #(nop) ADD file:0123456789abcdef0123456789abcdef in / ", "comment": "base"},
        {"created": "2024-05-01T13:00:00+02:00", "created_by": "ENV\tA=\u00e4", "empty_layer": True},
        {"created_by": "COPY \u001b[31mred"},
        {"created": "2024-05-01T12:00:00Z", "created_by": "CMD [\"sh\"]", "empty_layer": True, "comment": "buildkit.dockerfile.v0"}]
oci.write_layout(sys.argv[2], [layer("a", 1500000), layer("b", 7)], change_config=history)
oci.write_layout(sys.argv[2] + "-none", [layer("a", 1500000), layer("c", 3)])
def many(document):
    document["history"] = [{"created_by": str(i)} for i in range(3)]
oci.write_layout(sys.argv[2] + "-many", [layer("a", 1500000)], change_config=many)
PYTHON
for name in layout layout-none layout-many; do
	"$CTRACE" pull "oci:$WORK/$name" >"$WORK/pull" 2>&1 || diag "$(cat "$WORK/pull")"
done
image=oci:$WORK/layout
id=$("$CTRACE" images --no-trunc --format '{{.ID}} {{.Reference}}' | awk -v i="$image" '$2 == i { print $1 }')
short=${id#sha256:}
short=${short:0:12}
history()
{
	"$CTRACE" history "$@"
}

is "$(history "$image" | sed 's/[0-9]* \(months\|years\) ago/AGO/; s/  */ /g')" "IMAGE CREATED CREATED BY SIZE COMMENT
$short AGO CMD [\"sh\"] 0B buildkit.dockerfile.v0
<missing> N/A COPY \\x1b[31mred 7B 
<missing> AGO ENV A=ä 0B 
<missing> AGO /bin/sh -c #(nop) ADD file:0123456789abcdef0… 1.5MB base" "the table, the last step first" || diag "$(history "$image")"
is "$(history -q "$image" | tr '\n' ' ')" "$short <missing> <missing> <missing> " "-q"
is "$(history -q --no-trunc "$image" | head -n 1)" "$id" "-q --no-trunc"
is "$(history --no-trunc --format '{{.CreatedBy}}' "$image" | tail -n 1)" \
	"/bin/sh -c #(nop) ADD file:0123456789abcdef0123456789abcdef in / " "--no-trunc has the whole command"
is "$(history -H=false "$image" | head -n 1 | tr -s ' ')" "IMAGE CREATED AT CREATED BY SIZE COMMENT" "-H=false has dates"
is "$(history --human=false --format '{{.CreatedAt}} {{.Size}}' "$image" | tr '\n' ' ')" \
	"2024-05-01T12:00:00Z 0 N/A 7 2024-05-01T11:00:00Z 0 2024-05-01T10:00:00Z 1500000 " "and bytes"
is "$(TZ=Asia/Kolkata history --format '{{.CreatedAt}}' "$image" | head -n 1)" "2024-05-01T17:30:00+05:30" "in the local time zone"
is "$(history --format json "$image" | head -n 1 | jq -c 'del(.CreatedSince)')" \
	"{\"Comment\":\"buildkit.dockerfile.v0\",\"CreatedAt\":\"2024-05-01T12:00:00Z\",\"CreatedBy\":\"CMD [\\\"sh\\\"]\",\"ID\":\"$short\",\"Size\":\"0B\"}" \
	"--format json, with docker's keys"
is "$(history "${id#sha256:}" | wc -l) $(history "$short" | wc -l)" "5 5" "an image by its id"
is "$(history --format 'table {{.ID}}\t{{.Size}}' "$image" | head -n 1 | tr -s ' ')" "IMAGE SIZE" "--format 'table ...'"
is "$(history "oci:$WORK/layout-none" | sed 1d | awk '{ print $1, $3 }' | tr '\n' ' ')" \
	"$("$CTRACE" images --format '{{.ID}} {{.Reference}}' | awk -v i="oci:$WORK/layout-none" '$2 == i { print $1 }') 3B <missing> 1.5MB " \
	"an image that does not say has a step per layer"
refused()
{
	local text=$1 wanted=$2

	shift 2
	history "$@" >"$WORK/out" 2>"$WORK/err"
	is "$? $(cat "$WORK/out")" "$wanted " "history $*: $wanted"
	like "$(cat "$WORK/err")" "$text" "history $*: $text"
}
refused 'has more layers than the image' 1 "oci:$WORK/layout-many"
refused '^ctrace history: no such image: nosuch$' 1 nosuch
refused 'requires 1 argument' 1
refused 'one image at a time' 1 a b
refused "can't evaluate field Nosuch" 1 --format '{{.Nosuch}}' "$image"
refused 'invalid argument' 125 --human=maybe "$image"
rm "$CTRACE_ROOT/images/"*.history
is "$(history "$image" | sed 1d | wc -l)" 2 "an image that an older ctrace has pulled: a step per layer"
"$CTRACE" pull "oci:$WORK/layout" >/dev/null 2>&1
"$CTRACE" rmi -f "$image" "oci:$WORK/layout-none" "oci:$WORK/layout-many" >/dev/null
is "$(ls "$CTRACE_ROOT/images")" "" "rmi removes the history, too"
done_testing
