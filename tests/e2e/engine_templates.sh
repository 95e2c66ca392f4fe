#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --format: what of Go's templates is there, and what an error says of the rest.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
have busybox || skip_all "busybox (static) is not installed"
engine_root

ct create --name box -e B=2 -e A=1 -l z=1 -l y=2 -v vol:/v "${ON[@]}" sh -c 'a b' >/dev/null

# of TEMPLATE
of()
{
	"$CTRACE" inspect -f "$1" box 2>&1
}

is "$(of '{{range .Config.Env}}{{println .}}{{end}}' | sort | grep '^[AB]=')" "A=1
B=2" "range and println"
is "$(of '{{.Config.Cmd}} {{.Name}}')" "[sh -c a b] /box" "a list as Go prints it"
is "$(of '{{range .Config.Cmd}}<{{.}}>{{end}}')" "<sh><-c><a b>" "range over strings"
is "$(of '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}')" "y=2 z=1 " "a range with key and value, in the keys' order"
is "$(of '{{range $k,$v := .NetworkSettings.Networks}}{{$k}}[{{$v.IPAddress}}]{{end}}')" "none[]" "members of the value"
is "$(of '{{range .NetworkSettings.Networks}}[{{.IPAddress}}]{{end}}')" "[]" "docker's way to the address"
is "$(of '{{range $m := .Mounts}}{{$m.Destination}}{{end}}{{range .Mounts}} {{.Name}}{{end}}')" "/v vol" "a range with a value alone"
is "$(of '{{range $i, $a := .Config.Cmd}}{{range $j, $b := $.Config.Cmd}}x{{end}}{{end}}')" xxxxxxxxx "\$ is the whole, wherever it is said"
is "$(of '{{$v}}')" 'ctrace inspect: template parsing error: undefined variable "$v"' "what is not there is told"
is "$(of '{{range .Config.Cmd}}{{if .}}{{range $k, $v := .}}{{end}}{{end}}{{end}}')" \
	"ctrace inspect: template: range can't iterate over sh" "a range over a string"
is "$(of '{{if .State.Running}}up{{else}}down{{end}}{{if .Config.Cmd}} has{{end}}{{if .State.ExitCode}} code{{end}}')" "down has" "if and else"
is "$(of '{{range .Config.NoSuch}}x{{end}}')" "ctrace inspect: template: can't evaluate field NoSuch in .Config.NoSuch" "a field that is not there"
is "$(of '{{range .HostConfig.PortBindings}}x{{else}}none{{end}}')" "none" "else of a range"
is "$(of '{{if .State.Running}}{{if .Id}}a{{else}}b{{end}}c{{else}}{{if .Id}}d{{else}}e{{end}}{{end}}f')" "df" "one in another"
for wrong in '{{range .Config.Env}}' '{{if .Id}}{{range .Config.Env}}{{end}}' '{{end' '{{end}}' '{{else}}' '{{range}}{{end}}' \
	'{{range $x .Config.Env}}{{end}}' '{{html .Id}}' '{{nosuch .Id}}' '{{$x}}' '{{template "x"}}'; do
	like "$(of "$wrong")" '^ctrace inspect: template parsing error: ' "refused: $wrong"
done
is "$("$CTRACE" ps -a --format '{{.Names}}{{if .Ports}} ports{{end}}')" box "ps"
is "$("$CTRACE" ps -a --format '{{.Label "z"}}{{.Label "no"}}{{if eq .State "created"}} {{.Names | upper}}{{end}}')" "1 BOX" "ps: a label, a function"
is "$("$CTRACE" ps -a --format 'table {{.Names}}\t{{.Label "com.example.a-b"}}\t{{upper .Image}}' | head -n 1 | xargs)" "NAMES a b IMAGE" "what a table is headed by"
is "$("$CTRACE" volume ls --format '{{.Name}}{{.Label "x"}}')" vol "volume ls"
ct rm box >/dev/null
ct volume rm vol >/dev/null
done_testing
