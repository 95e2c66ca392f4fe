#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# timeout: 300
# Exports of the recordings for other programs, held against the JSON timelines: nothing is missing, lanes nest, names
# with hostile bytes get nowhere unescaped.
. tests/lib/env.sh
need python3 jq
[ -x "$CTRACE" ] || skip_all "$CTRACE is not built"

# holds NAME RECORDING FORMAT...
holds()
{
	local name=$1 recording=$2 format

	shift 2
	"$CTRACE" show --json "$recording" >"$WORK/json" || return 1
	for format in "$@"; do
		"$CTRACE" show "--$format" "$recording" -o "$WORK/out" && [ -s "$WORK/out" ] &&
			/usr/bin/python3 -B "$LIB/export_check.py" "$format" "$WORK/out" "$WORK/json" || return 1
		# what goes to a file is what goes to stdout
		"$CTRACE" show "--$format" "$recording" | cmp - "$WORK/out" || return 1
	done
}

formats="perfetto mermaid"
for recording in "$TOP"/tests/replay/*.ctrace; do
	name=$(basename "$recording" .ctrace)
	# shellcheck disable=SC2086
	check "$name: $formats" holds "$name" "$recording" $formats
done
for name in docker-run runc-start podman-run; do
	id=$("$CTRACE" show --json "$TOP/tests/replay/$name.ctrace" | jq -r 'select(.type == "timeline").id')
	/usr/bin/python3 -B "$LIB/hostile.py" "$TOP/tests/replay/$name.ctrace" "$WORK/$name.ctrace" "$id"
	# shellcheck disable=SC2086
	check "$name with hostile names: $formats" holds "$name" "$WORK/$name.ctrace" $formats
	# No byte that a terminal obeys, in none of them: not even inside JSON.
	for format in $formats html otlp; do
		"$CTRACE" show "--$format" "$WORK/$name.ctrace" >"$WORK/out"
		check "$name: no control byte and only UTF-8 in $format" /usr/bin/python3 -c '
import re, sys
text = open(sys.argv[1], "rb").read().decode("utf-8", "strict")
found = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
assert not found, repr(text[max(0, found.start() - 40):found.start() + 40])' "$WORK/out"
	done
done

# The classes that OpenTelemetry generated from its definitions; from the registry that npm is set up with.
otlp_classes()
{
	command -v node >/dev/null && command -v npm >/dev/null || return 1
	(cd "$WORK" && echo '{"private":true}' >package.json && timeout 90 npm install --no-audit --no-fund --no-save \
		--ignore-scripts --cache "$WORK/npm" @opentelemetry/otlp-proto-exporter-base@0.51.1) >"$WORK/npm.log" 2>&1
	generated=$WORK/node_modules/@opentelemetry/otlp-proto-exporter-base/build/src/generated/root.js
	[ -f "$generated" ]
}

otlp_holds()
{
	"$CTRACE" show --json "$1" >"$WORK/json" && "$CTRACE" show --otlp "$1" >"$WORK/otlp.json" &&
		"$CTRACE" show --otlp=protobuf "$1" >"$WORK/otlp.pb" &&
		node "$LIB/otlp_check.mjs" "$generated" "$WORK/otlp.pb" "$WORK/otlp.json" "$WORK/json"
}

if otlp_classes; then
	for recording in "$TOP"/tests/replay/*.ctrace "$WORK"/*.ctrace; do
		check "$(basename "$recording" .ctrace): OTLP in both encodings, as OpenTelemetry's own classes read it" \
			otlp_holds "$recording"
	done
else
	skip_point "OTLP against OpenTelemetry's own classes" "node and npm with a registry are needed"
fi

recording=$TOP/tests/replay/docker-run.ctrace
"$CTRACE" show --perfetto "$recording" -o /nonexistent/file 2>"$WORK/err"
is "$?:$(cat "$WORK/err")" "1:ctrace show: cannot write /nonexistent/file: No such file or directory" \
	"a file that cannot be written is an error that names it"
"$CTRACE" show --perfetto "$recording" >/dev/full 2>"$WORK/err"
is "$?:$(cat "$WORK/err")" "1:ctrace show: cannot write the output: No space left on device" "and so is a full disk"
"$CTRACE" show --mermaid "$recording" no-such-container >"$WORK/out" 2>"$WORK/err"
is "$?" 1 "a container that is not there is an error"
done_testing
