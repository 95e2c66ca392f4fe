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
fails 1 "docker's command build is not supported" "a command that docker has and ctrace has not" ct build .
missing=$(sed -n 's/^- Commands: `\([a-z ]*\)`.*/\1/p' "$TOP/README.md")
is "$(for word in $missing; do ct "$word" 2>&1 | grep -o 'command [a-z]* is not supported'; done)" \
	"$(for word in $missing; do echo "command $word is not supported"; done)" "all that README.md names"
try ct build .
is "$(tail -n 1 <<<"$err")" "Run 'ctrace --help' for more information" "it says where to look"
fails 1 '^ctrace: unknown command: ctrace $' "a command without a name" ct ""
fails 1 '^ctrace: unknown command: ctrace a.nb$' "what it cannot print is escaped" ct $'a\nb'
fails 125 '^ctrace: unknown flag: --nosuch$' "an unknown option before any command" ct --nosuch ps
fails 125 'unknown flag: --nosuch' "an unknown option of run" ct run --nosuch busybox

# ---- version ----
version=$(ct --version)
version=${version#ctrace }
is "$(ct version --format '{{.Client.Version}} {{.Server.Version}}')" "$version $version" "version --format TEMPLATE"
is "$(ct version -f json | jq -r '[.Client.Os, .Server.KernelVersion, .Server.Components[0].Name] | join(" ")')" \
	"linux $(uname -r) Engine" "version -f json"
is "$(ct version --format '{{json .}}')" "$(ct version --format json)" "the same as a template"
is "$(ct version | sed -n 's/^ *Version: *//p' | sort -u)" "$version" "version"
like "$(ct version | sed -n 's,^ *OS/Arch: *,,p')" '^linux/(amd64|arm64)$' "Go's name of the platform"
is "$(ct -v)" "$(ct --version)" "-v"
fails 1 "can't evaluate field Nosuch" "version of a field that is not there" ct version --format '{{.Nosuch}}'
fails 1 'accepts no arguments' "version with an argument" ct version x
fails 125 'nosuch' "version with an unknown option" ct version --nosuch

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
