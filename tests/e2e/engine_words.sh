#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What ctrace answers before there is any container: unknown commands and options, --quiet beside --format. All as docker 28.2's
# client does.
. tests/lib/env.sh
. tests/lib/engine.sh
. tests/lib/images.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"

# ---- unknown commands and options ----
fails 1 '^ctrace: unknown command: ctrace frobnicate$' "an unknown command" ct frobnicate
is "$(tail -n 1 <<<"$err")" "Run 'ctrace --help' for more information" "it says where to look"
fails 1 '^ctrace: unknown command: ctrace $' "a command without a name" ct ""
fails 1 '^ctrace: unknown command: ctrace a.nb$' "what it cannot print is escaped" ct $'a\nb'
fails 125 '^ctrace: unknown flag: --nosuch$' "an unknown option before any command" ct --nosuch ps
fails 125 'unknown flag: --nosuch' "an unknown option of run" ct run --nosuch busybox

# ---- --quiet and --format ----
ct run --name one "${ON[@]}" true
try ct ps -aq --format '{{.Names}}'
is "$code:$out:$err" "0:$(ct ps -aq):WARNING: Ignoring custom format, because both --format and --quiet are set." \
	"ps -q --format: ids, and a warning"
busybox_image || skip_all "no image can be made"
"$CTRACE" pull "oci:$BUSYBOX_OCI" >/dev/null 2>&1
id=$(ct images -q)
like "$id" '^[0-9a-f]{12}$' "images -q"
try ct images -q --format '{{.ID}}-{{.Tag}}'
is "$code:$out:$err" "0:$id-<none>:" "images -q --format TEMPLATE: the template"
is "$(ct images -q --format table)" "$id" "images -q --format table: ids"
is "$(ct images -q --format json | jq -r .ID)" "$id" "images -q --format json: JSON"
ct volume create vol >/dev/null
is "$(ct volume ls -q --format '{{.Name}}+') $(ct volume ls -q --format table)" "vol+ vol" "volume ls -q --format"
done_testing
