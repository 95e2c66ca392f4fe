#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 200
# What run makes of -p, -v, --mount, --restart, --network container:ID and their relatives.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"
BRIDGED=(--rootfs "$ROOTFS")
serve='mkdir -p /www; echo "$GREETING" >/www/index.html; exec httpd -f -p 80 -h /www'

# get ADDRESS:PORT: what a web server there says.
get()
{
	/usr/bin/python3 -c 'import sys, urllib.request
print(urllib.request.urlopen("http://%s/" % sys.argv[1], timeout=3).read().decode().strip())' "$1" 2>&1 | tail -n 1
}

ask='printf "GET / HTTP/1.0\r\n\r\n" | nc -w 3'

# ---- labels from a file, a pull that says nothing ----
printf '# a comment\n\none=1\n  two="2"\nthree\n' >"$WORK/labels"
ct run --name labelled --label-file "$WORK/labels" -l one=last "${ON[@]}" true
is "$(ct inspect --format json labelled | jq -cS '.[0].Config.Labels')" '{"one":"last","three":"","two":"\"2\""}' "--label-file"
ct rm labelled >/dev/null
fails 125 "open $WORK/nosuch: [Nn]o such file" "--label-file of no file" ct run --label-file "$WORK/nosuch" "${ON[@]}" true
if busybox_image; then
	try ct run --rm -q --network none "oci:$BUSYBOX_OCI" echo pulled
	is "$out $err" "pulled " "-q: nothing is said of the pull"
	"$CTRACE" rmi "oci:$BUSYBOX_OCI" >/dev/null
	try ct run --rm --network none "oci:$BUSYBOX_OCI" echo pulled
	like "$err" 'Importing oci:' "without it there is"
	"$CTRACE" rmi "oci:$BUSYBOX_OCI" >/dev/null
else
	skip_point "-q" "no image"
fi

# ---- /dev/stdout of another user than root ----
ct run --rm --user 1000 "${ON[@]}" sh -c 'echo out >/dev/stdout; echo err >/dev/stderr; exit 3' >"$WORK/out" 2>"$WORK/err"
is "$? $(cat "$WORK/out" "$WORK/err")" "3 out
err" "it can be opened where our own is a file"
is "$(ct run --rm --user 1000 "${ON[@]}" sh -c 'echo out >/dev/stdout' 2>&1 | cat)" out "or a pipe"
ct run -d --name streams "${ON[@]}" sleep 100 >/dev/null 2>&1
ct exec --user 1000 streams sh -c 'sleep 50 & echo out >/dev/stdout; echo err >/dev/stderr; exit 3' >"$WORK/out" 2>"$WORK/err"
is "$? $(cat "$WORK/out" "$WORK/err")" "3 out
err" "so it can by exec, which does not wait for what stays"
is "$(ct exec --user 1000 streams head -c 3145728 /dev/zero 2>"$WORK/err" | wc -c)" 3145728 "much of it" || diag "$(cat "$WORK/err")"
ct rm -f streams >/dev/null

# ---- published ports ----
port=$(free_port)
if ct run -d --name web -e GREETING=hello -p "$port:80" -p 127.0.0.1::80 -p 53/udp --expose 99 "${BRIDGED[@]}" \
	sh -c "$serve" >/dev/null 2>"$WORK/err"; then
	wait_for 10 ct exec web sh -c "$ask 127.0.0.1 80"
	is "$(get "127.0.0.1:$port")" hello "-p HOST:CONTAINER from the host's loopback address"
	own=$(ip -4 -o addr show scope global | awk '!/ctrace0|docker/ { split($4, a, "/"); print a[1]; exit }')
	gateway=$(ip -4 -o addr show ctrace0 | awk '{ split($4, a, "/"); print a[1] }')
	is "$(get "$own:$port")" hello "and from another address of the host"
	other=$(ct port web 80 | sed -n 's/^127.0.0.1://p')
	is "$(get "127.0.0.1:$other")" hello "-p IP::CONTAINER takes a free port"
	is "$(get "$own:$other" | grep -c hello)" 0 "which is not open on other addresses"
	is "$(ct run --rm "${BRIDGED[@]}" sh -c "$ask $gateway $port" | tail -1)" hello "another container reaches it by the host's address"
	is "$(ct exec web sh -c "$ask $gateway $port" | tail -1)" hello "and it reaches itself"
	is "$(ct run --rm --network host "${BRIDGED[@]}" sh -c "$ask 127.0.0.1 $port" | tail -1)" hello "and so does --network host"
	like "$(ct ps)" "0.0.0.0:$port->80/tcp, 127.0.0.1:$other->80/tcp, 0.0.0.0:[0-9]+->53/udp, 99/tcp" "ps shows ports"
	like "$(ct port web)" "^80/tcp -> 0.0.0.0:$port" "port"
	fails 1 "No public port '81/tcp' published for web" "a port that is not published" ct port web 81
	fails 125 "Bind for 0.0.0.0:$port failed: port is already allocated" "a port that another container has" \
		ct run --rm -p "$port:80" "${BRIDGED[@]}" true
	is "$(of web 'json .NetworkSettings.Ports' | jq -r '."80/tcp"[0].HostPort')" "$port" "inspect shows it"
	# the guard: no container gets at what listens on the host's loopback address
	/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$ROOTFS" "$((port + 1))" >/dev/null 2>&1 &
	server=$!
	on_exit stop_process "$server"
	wait_for 5 get "127.0.0.1:$((port + 1))"
	ct run --rm --cap-add NET_ADMIN "${BRIDGED[@]}" sh -c "ip route add 127.0.0.2/32 via $gateway; $ask -s 0.0.0.0 127.0.0.1 $((port + 1))" >"$WORK/inside" 2>&1
	is "$(grep -c HTTP "$WORK/inside")" 0 "the host's loopback address stays out of reach"
	ct restart -t 0 web >/dev/null
	wait_for 10 ct exec web sh -c "$ask 127.0.0.1 80"
	is "$(get "127.0.0.1:$port")" hello "the port is there again after a restart"
	ct stop -t 0 web >/dev/null
	is "$(cat "$CTRACE_RUN/ports" 2>/dev/null)$(nft list table ip ctrace_ports 2>/dev/null | grep -c " $port ")" 0 "stop takes it away"
	is "$(ct ps -a --format '{{.Ports}}')" "" "ps shows none then"
	ct start web >/dev/null
	wait_for 10 ct exec web sh -c "$ask 127.0.0.1 80"
	is "$(get "127.0.0.1:$port")" hello "start brings it back"
	is "$(ct run --rm --network container:web "${BRIDGED[@]}" sh -c "$ask 127.0.0.1 80" | tail -1)" hello "--network container:NAME"
	ct rm -f web >/dev/null
	ct run -d --name all -P --expose 80-81 "${BRIDGED[@]}" sleep 60 >/dev/null
	is "$(ct port all | wc -l)" 2 "-P publishes what is exposed"
	ct rm -f all >/dev/null
else
	skip_point "published ports" "$(cat "$WORK/err")"
fi

# ---- volumes ----
is "$(ct volume create --label x=1 data)" data "volume create"
is "$(ct volume create data)" data "again is no error"
is "$(ct run --rm -v data:/data "${ON[@]}" sh -c 'cat /data/file; stat -c %a /data/file; echo new >/data/new')" "from-the-image
640" "an empty volume is filled from the image"
is "$(ct run --rm -v data:/other:ro "${ON[@]}" sh -c 'cat /other/new; touch /other/x 2>/dev/null || echo read-only')" "new
read-only" "it keeps what was written, and :ro is read-only"
is "$(ct run --rm -v empty:/data:nocopy "${ON[@]}" ls /data)" "" "nocopy"
is "$(ct run --rm --mount type=volume,src=data,dst=/m,readonly "${ON[@]}" cat /m/new)" new "--mount type=volume"
mkdir "$WORK/bind"; echo b >"$WORK/bind/f"
is "$(ct run --rm --mount "type=bind,src=$WORK/bind,dst=/m" "${ON[@]}" cat /m/f)" b "--mount type=bind"
like "$(ct run --rm --mount type=tmpfs,dst=/t,tmpfs-size=1m "${ON[@]}" mount)" ' /t type tmpfs .*size=1024k' "--mount type=tmpfs"
is "$(ct volume ls -q | tr '\n' ' ')" "data empty " "volume ls"
is "$(ct volume ls -q --filter label=x=1)" data "volume ls --filter"
is "$(ct volume inspect data -f '{{.Name}} {{index .Labels "x"}}')" "data 1" "volume inspect"
ct run -d --name user -v data:/d -v /anon "${ON[@]}" sleep 60 >/dev/null
fails 1 'volume is in use - \[[0-9a-f]{64}\]' "volume rm of one in use" ct volume rm data
is "$(ct inspect --format json user | jq -r '.[0].Mounts[0] | .Type + " " + .Name + " " + .Destination')" "volume data /d" "inspect shows mounts"
is "$(for v in data /d rw; do ct ps -q --filter "volume=$v" | wc -l; done | tr '\n' ' ')" "1 1 0 " "ps --filter volume= is a name or a destination"
is "$(ct volume ls -q | wc -l)" 3 "a volume without a name was made"
ct rm -fv user >/dev/null
is "$(ct volume ls -q | wc -l)" 2 "rm -v removes it"
ct run --rm -v /anon "${ON[@]}" true
is "$(ct volume ls -q | wc -l)" 2 "and so does --rm"
is "$(ct volume rm data empty | tr '\n' ' ')" "data empty " "volume rm"
fails 1 'get data: no such volume' "volume rm again" ct volume rm data
is "$(ct volume rm -f data)" data "volume rm -f"

# ---- restart policies ----
# shellcheck disable=SC2002 # the file may not be there yet: 0
runs() { cat "$WORK/bind/runs" 2>/dev/null | wc -l; }
ct run -d --name fails --restart on-failure:2 -v "$WORK/bind:/b" "${ON[@]}" sh -c 'echo x >>/b/runs; exit 3' >/dev/null
wait_for 10 is_status fails exited
is "$(runs) $(of fails .RestartCount) $(of fails .State.ExitCode)" "3 2 3" "--restart on-failure:2"
ct run -d --name works --restart on-failure "${ON[@]}" true >/dev/null
wait_for 5 is_status works exited
is "$(of works .RestartCount)" 0 "on-failure leaves alone what worked"
rm "$WORK/bind/runs"
ct run -d --name always --restart always -v "$WORK/bind:/b" "${ON[@]}" sh -c 'echo x >>/b/runs; sleep 0.1' >/dev/null
wait_for 10 eval '[ "$(runs)" -ge 3 ]'
is $? 0 "--restart always starts it again and again"
is "$(ct stop always)" always "stop"
before=$(runs); sleep 0.7
is "$(runs) $(of always .State.Status)" "$before exited" "and after that it stays stopped"
ct rm fails works always >/dev/null

# ---- namespaces and the rest ----
is "$(ct run --rm --pid host "${ON[@]}" sh -c 'readlink /proc/self/ns/pid')" "$(readlink /proc/self/ns/pid)" "--pid host"
is "$(ct run --rm --uts host "${ON[@]}" hostname)" "$(hostname)" "--uts host"
is "$(ct run --rm --ipc host "${ON[@]}" readlink /proc/self/ns/ipc)" "$(readlink /proc/self/ns/ipc)" "--ipc host"
ct run -d --name one "${ON[@]}" sleep 60 >/dev/null
is "$(ct run --rm --pid container:one "${ON[@]}" sh -c 'ps | grep -c "[s]leep 60"')" 1 "--pid container:NAME sees its processes" ||
	ct run --rm --pid container:one "${ON[@]}" ps | sed 's/^/# /'
# Those who are in the pid namespace already see the runtime in it, by its binary: a sealed copy.
ct run -d --name two --pid container:one "${ON[@]}" sleep 60 >/dev/null
owner=$(pgrep -f -- '--name two --pid container:one' | head -n 1)
is "$(readlink "/proc/$owner/exe")" "/memfd:ctrace (deleted)" "--pid container:NAME runs from a sealed copy"
ct rm -f two >/dev/null
fails 125 'No such container: nosuch' "--pid container of nobody" ct run --pid container:nosuch "${ON[@]}" true
ct stop -t 0 one >/dev/null
fails 125 'cannot join pid of a non running container' "--pid container of one that has ended" ct run --pid container:one "${ON[@]}" true
is "$(ct run --rm --sysctl kernel.msgmax=4242 "${ON[@]}" cat /proc/sys/kernel/msgmax)" 4242 "--sysctl"
out=$(ct run --rm --dns 192.0.2.9 --dns-search example.org --dns-option ndots:3 --add-host box:192.0.2.7 "${ON[@]}" cat /etc/resolv.conf /etc/hosts)
like "$out" '^nameserver 192.0.2.9' "--dns"
like "$out" '^search example.org' "--dns-search"
like "$out" '^options ndots:3' "--dns-option"
like "$out" '^192.0.2.7.box$' "--add-host"
is "$(ct run --rm --group-add video --group-add 77 "${ON[@]}" id -G)" "0 44 77" "--group-add"
is "$(ct run --rm --domainname example.org "${ON[@]}" cat /proc/sys/kernel/domainname)" example.org "--domainname"
fails 125 '^ctrace run: --tmpfs or --mount: the mount point /etc/passwd ' "a tmpfs on a file" ct run --rm --tmpfs /etc/passwd "${ON[@]}" true
fails 125 '^ctrace run: --volume or --mount: .*mount point /etc is not a directory' "a file on a directory" \
	ct run --rm -v /etc/passwd:/etc "${ON[@]}" true
cp -a "$ROOTFS" "$WORK/bad-root" && rm -rf "$WORK/bad-root/proc" && touch "$WORK/bad-root/proc"
fails 125 '^ctrace run: the mount point /proc ' "no option stands behind /proc" ct run --rm --network none --rootfs "$WORK/bad-root" true
like "$(ct run --rm --shm-size 2m "${ON[@]}" mount)" ' /dev/shm type tmpfs .*size=2048k' "--shm-size"
like "$(ct run --rm --cgroup-parent "/ct-parent-$$" "${ON[@]}" cat /proc/self/cgroup)" . "--cgroup-parent"
remove_cgroup "/ct-parent-$$"
fails 125 "docker's option --gpus is not supported by ctrace run" "what docker has and ctrace has not" ct run --gpus all x
is "$(ct run --rm --name detached -t "${ON[@]}" sh -c 'tty; exit 4' | tr -d '\r'; echo "${PIPESTATUS[0]}")" "/dev/pts/0
4" "-t without a terminal of our own prints all the same"
ct rm one >/dev/null
wait_for 5 test -z "$(engine_things)"
is "$(engine_things)" "" "nothing is left at the end"
done_testing
