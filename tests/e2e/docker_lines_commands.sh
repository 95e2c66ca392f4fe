#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 1200
# How command lines are written, and the commands on containers that there are, to docker and to ctrace alike.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/docker_lines.sh
need_root
lines_start

# ---- the terminal, and how options are written ----
refused TTY "${run[@]}" -it busybox true
both "${run[@]}" -t "${box[@]}" 'echo $TERM'
echo hello >input
both "${run[@]}" -i busybox cat
both "${run[@]}" busybox cat
: >input
both "${run[@]}" -e=A=1 "${box[@]}" 'echo $A'
both "${run[@]}" -ie A=1 "${box[@]}" 'echo $A'
both "${run[@]}" -- busybox echo hello
both "${run[@]}" busybox echo -- --rm -it
both "${run[@]}" -i=false -t=false busybox echo hello
refused nosuchvalue "${run[@]}" --init=nosuchvalue busybox true
refused --nosuch "${run[@]}" --nosuch busybox true
refused "'Z'" "${run[@]}" -Z busybox true
refused --name "${run[@]}" --name
refused "requires at least 1 argument" run
refused "invalid reference format" run ''
refused lowercase run BUSYBOX
refused "invalid reference format" run 'a b'
refused nosuchtag run --pull never busybox:nosuchtag
refused sometimes run --pull sometimes busybox
both run -dit --name several --network none busybox sh
both inspect -f '{{.Config.Tty}} {{.Config.OpenStdin}} {{.State.Running}} {{.HostConfig.AutoRemove}}' several
both rm -f several

# ---- ports ----
first=$(free_port)
ports()
{
	both create --name ports "$@" busybox true
	both inspect -f '{{range $port, $to := .HostConfig.PortBindings}}{{$port}}{{range $to}} [{{.HostIp}}]:{{.HostPort}}{{end}} {{end}}' ports
	both rm ports
}
ports -p 80
ports -p 127.0.0.1::80
ports -p "$first:80/udp"
ports -p "$first-$((first + 2)):80-82"
ports -p "127.0.0.1:$first:80" -p "$first:53/udp"
ports --expose 80 --expose 90-92/udp
both create --name published -p "$first:80" --expose 99 busybox sleep 1000
both ps -aq --filter expose=99
both start published
for filter in "publish=$first" "publish=$((first - 1))-$first/tcp" "publish=$first/udp" publish=80 expose=80 expose=99/tcp expose=90-100 expose=98 \
	health=none health=healthy is-task=true is-task=false; do
	both ps --filter "$filter" --format '{{.Names}}'
done
refused foo ps --filter health=foo
refused publish ps --filter publish=x
refused expose ps --filter expose=90-80
refused is-task ps --filter is-task=x
is "$(one ctrace exec published cat /sys/class/net/eth0/address)" \
	"$(one ctrace inspect -f '{{.NetworkSettings.MacAddress}}' published)" "inspect has the hardware address that eth0 has"
both rm -f published
while read -r object port; do
	refused "$object" create -p "$port" busybox true
done <<'PORTS'
x x
70000 70000
x 80:x
ranges 1-2:1-3
256.0.0.1 256.0.0.1:1:1
port 80:
nosuch 80/nosuch
1:2 1:2:3:4
PORTS
refused port create -p '' busybox true
refused x create --expose x busybox true

# ---- containers that there are ----
both run --name ended --network none "${box[@]}" 'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three; exit 3'
both run -d --name up --network none busybox sleep 1000
both create --name made --network none busybox echo made
both run -d --name frozen --network none busybox sleep 1000
both pause frozen
refused "already paused" pause frozen
both ps --format '{{.Names}} {{.State}} {{.Image}} {{.Command}}'
both ps -a --format 'table {{.Names}}\t{{.State}}\t{{.Networks}}'
both ps -a --filter status=exited --format '{{.Names}} {{.Status}}'
both ps -a --filter exited=3 --format '{{.Names}}'
both ps -aq --filter 'name=^up$'
both ps -aq --filter 'name=^/up$'
both ps -a --filter 'name=^(made|ended)$' --format '{{.Names}}'
both ps -aq --filter 'name=['
both ps -a --filter name=e --filter status=created --format '{{.Names}}'
both ps -n 1 --format '{{.Names}}'
both ps -n -1 --format '{{.Names}}'
both ps -l --format '{{.Names}}'
both ps -a --filter ancestor=busybox --filter before=up --format '{{.Names}}'
both ps -a --filter since=up --format '{{.Names}}'
both ps -a --no-trunc --format '{{.Command}}'
refused nosuch ps --filter nosuch=1
refused nosuch ps --filter status=nosuch
refused nosuch ps --filter nosuch
refused nosuch ps --filter before=nosuch
refused Nosuch ps -a --format '{{.Nosuch}}'
refused nosuch ps --format '{{nosuch}}'
refused arguments ps nosuch

both inspect -f '{{.Name}} {{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.ExitCode}} {{.Path}} {{.Args}} {{.RestartCount}}' ended up made frozen
both inspect -f '{{.Config.Cmd}} {{json .Config.Entrypoint}} {{.Config.Image}} {{.Config.User}}.{{.Config.WorkingDir}}.{{.Config.Tty}}' ended
both inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NetworkMode}} {{.HostConfig.Privileged}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.ShmSize}}' up
both inspect -f '{{json .HostConfig.PortBindings}} {{json .HostConfig.Binds}} {{json .HostConfig.CapAdd}} {{.HostConfig.ReadonlyRootfs}}' up
both inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}}{{end}}{{json .Mounts}}' up
both inspect -f '{{.Name | upper}} {{len .Id}} {{slice .Id 0 0}} {{if eq .State.Status "running"}}yes{{else}}no{{end}}' up ended
both inspect -f '{{with .State}}{{.Status}}{{end}} {{join .Config.Cmd "+"}} {{index .Config.Cmd 0}} {{printf "%s-%d" .Name .State.ExitCode}}' ended
both inspect --type container -f '{{.Name}}' up
both container inspect -f '{{.Name}}' up
both image inspect -f '{{json .RepoTags}} {{.Os}} {{.Config.Cmd}}' busybox
both image inspect -f '{{json .RootFS}}' busybox
both inspect -f '{{.Os}}' busybox
both inspect -f '{{.Name}}' ended nosuch made
# without a word on the kind or the format it is ctrace's own picture that is asked for, of any runtime's container
sides inspect nosuch
is "$docker_code $ctrace_code $(cat ctrace.out)" "1 1 " "inspect nosuch" || explain
refused nosuch inspect --type container nosuch
refused nosuch inspect --type image nosuch
refused nosuch inspect --type volume nosuch
refused nosuch inspect --type nosuch up
refused Health inspect -f '{{.State.Health.Status}}' up
refused Nosuch inspect -f '{{.Nosuch.Field}}' up
refused unclosed inspect -f '{{.Name' up
refused nosuch inspect -f '{{nosuch .Name}}' up

both logs ended
both logs --tail 1 ended
both logs -n 2 ended
both logs --tail all ended
both logs --tail 0 ended
both logs --tail -1 ended
both logs --since 2000-01-01 ended
both logs --since 1h ended
both logs --until 2000-01-01 ended
both logs made
both logs --tail x ended
refused nosuch logs --since nosuch ended
refused nosuch logs nosuch

both exec up echo hello
both exec -e A=1 -w /tmp -u 1000:50 up sh -c 'echo $A; pwd; id -u; id -g'
both exec up sh -c 'exit 7'
refused "is not running" exec ended true
refused frozen exec frozen true
refused nosuch exec nosuch true
refused "argument" exec up
refused TTY exec -it up true
both exec -d up true

both cp ended:/etc/passwd copied
both cp ended:/etc/passwd "$WORK/nosuchdir/file"
both cp copied ended:/tmp
refused nosuch cp nosuch:/x .
refused /nosuch cp ended:/nosuch .
refused /nosuch/ cp copied ended:/nosuch/dir/file
refused nosuchfile cp nosuchfile ended:/tmp
refused "" cp a b
refused "" cp ended:/a up:/b
both cp -L ended:/bin/sh shell

both rename made renamed
refused up rename renamed up
refused nosuch rename nosuch x
refused '/' rename renamed a/b
both wait ended ended
refused nosuch wait nosuch ended
both kill -s NOSUCH up
refused NOSUCH kill -s NOSUCH up
refused ended kill ended
refused nosuch kill nosuch
both kill -s 0x up
both kill -s WINCH up
both stop ended
both stop -t 0 up
both start up
both stop -t 0 -s KILL up
both start nosuch up
refused x stop -t x up
refused nosuch stop nosuch
refused "argument" stop
both start ended
both restart -t 0 up
both port up
refused 80 port up 80
refused nosuch port nosuch
refused "cannot remove a running container" rm up
refused "cannot remove a paused container" rm frozen
refused nosuch rm nosuch
both rm -f nosuch
both rm ended nosuch renamed
both unpause frozen
refused "is not paused" unpause frozen
both kill up frozen
both wait up frozen
both rm up frozen

both volume create made
both volume create made
refused 'a b' volume create 'a b'
both volume ls -q --filter name=made
both volume inspect -f '{{.Name}} {{.Driver}} {{.Scope}}' made
refused nosuch volume inspect nosuch
refused nosuch volume rm nosuch
both volume rm made named
both container ls -aq
both ps -a --format '{{.Names}}'
refused nosuchcommand nosuchcommand
refused nosuchcommand container nosuchcommand
done_testing
