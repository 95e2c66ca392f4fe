#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# What config.json can ask for and few do: tmpcopyup, idmapped mounts, clock offsets, scheduling, personality, propagation,
# where each hook runs and what it is told.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/oci.sh
need_root
need jq
oci_bundle
id=process$$
on_exit oci delete --force "$id"

# run SCRIPT [JQ]: OUT and CODE
run()
{
	jq --arg script "$1" '.process.terminal = false | .process.args = ["/bin/sh", "-c", $script]
		| .root.readonly = false' "$BASE" | jq --arg work "$WORK" "${2:-.}" >"$B/config.json"
	OUT=$(oci run --bundle "$B" "$id" 2>&1)
	CODE=$?
}

# what a program of another user prints by way of /dev/stdout
run 'cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr' '.process.user = {uid: 1000, gid: 1000}'
is "$CODE $OUT" "0 out
err" "the pipes are the user's"

# tmpcopyup
mkdir -p "$B/rootfs/copied/deep/er"
echo text >"$B/rootfs/copied/deep/file"
ln -s deep/file "$B/rootfs/copied/link"
mkfifo "$B/rootfs/copied/fifo"
truncate -s 1G "$B/rootfs/copied/sparse"
echo end >>"$B/rootfs/copied/sparse"
echo s >"$B/rootfs/copied/setuid"
chown -R 7:8 "$B/rootfs/copied"
chmod 4711 "$B/rootfs/copied/setuid"
chmod 2750 "$B/rootfs/copied/deep"
chmod 1777 "$B/rootfs/copied"
touch -h -d @1000000000 "$B/rootfs/copied/deep/file" "$B/rootfs/copied/setuid"
run 'cd /copied && cat link && stat -c "%n %a %u:%g %F" . deep link fifo setuid && stat -c %Y deep/file setuid && tail -c 4 sparse
	echo changed >deep/file && rm link' \
	'.process.user = {uid: 7, gid: 8}
	| .mounts += [{destination: "/copied", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=64m"]}]'
is "$OUT" "text
. 1777 7:8 directory
deep 2750 7:8 directory
link 777 7:8 symbolic link
fifo 644 7:8 fifo
setuid 4711 7:8 regular file
1000000000
1000000000
end" "tmpcopyup copies content, modes, owners, times, links, holes"
is "$(cat "$B/rootfs/copied/deep/file")$(readlink "$B/rootfs/copied/link")" textdeep/file "what it covers stays as it was"
if have setcap; then
	cp -L "$B/rootfs/bin/busybox" "$B/rootfs/copied/busybox"
	setcap cap_net_bind_service+ep "$B/rootfs/copied/busybox"
	run '/copied/busybox sed -n "s/^CapEff:\t//p" /proc/self/status' '.process.user = {uid: 7, gid: 8}
		| .process.noNewPrivileges = false | .mounts += [{destination: "/copied", type: "tmpfs", source: "tmpfs",
			options: ["tmpcopyup", "size=64m"]}]'
	is "$OUT" 0000000000000400 "and file capabilities"
fi
run true '.mounts += [{destination: "/copied", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=4k"]}]'
like "$CODE $OUT" '^1 .*tmpcopyup: cannot copy .*No space left' "one that does not fit says so"

# idmapped mounts
mkdir "$WORK/ids"
touch "$WORK/ids/file"
chown 100000:100000 "$WORK/ids/file" "$WORK/ids"
map='[{containerID: 100000, hostID: 500, size: 10}]'
run 'stat -c %u:%g /ids/file; touch /ids/new' \
	".mounts += [{destination: \"/ids\", type: \"bind\", source: (\$work + \"/ids\"), options: [\"rbind\"],
		uidMappings: $map, gidMappings: $map}]"
if grep -q 'cannot map the ids' <<<"$OUT"; then
	skip_point "idmapped mounts" "this file system does not have them"
else
	is "$(head -n 1 <<<"$OUT")" 500:500 "an idmapped mount shows the ids that the mapping gives"
	run 'touch /ids/new && stat -c %u:%g /ids/new' \
		".process.user = {uid: 500, gid: 500} | .mounts += [{destination: \"/ids\", type: \"bind\",
			source: (\$work + \"/ids\"), options: [\"rbind\", \"idmap\"], uidMappings: $map, gidMappings: $map}]"
	is "$OUT $(stat -c %u:%g "$WORK/ids/new")" "500:500 100000:100000" "what is made through it has the host's ids on the disk"
fi

# Clocks
if [ -e /proc/self/ns/time ]; then
	run 'cut -d. -f1 /proc/uptime' '.linux.namespaces += [{type: "time"}]
		| .linux.timeOffsets = {boottime: {secs: 1000000, nanosecs: 5}, monotonic: {secs: 1000}}'
	now=$(cut -d. -f1 /proc/uptime)
	check "the boot clock is set forward ($OUT)" test "$((OUT - now))" -ge 999990 -a "$((OUT - now))" -le 1000001
	run 'cut -d. -f1 /proc/uptime' '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: -1000000000}}'
	like "$CODE $OUT" '^1 .*linux.timeOffsets' "an offset to before the beginning is refused by its name"
else
	skip_point "timeOffsets" "this kernel has no time namespaces"
fi

# Scheduling
run 'cut -d" " -f19,40,41 /proc/self/stat' '.process.scheduler = {policy: "SCHED_BATCH", nice: 7}'
is "$OUT" "7 0 3" "scheduler: policy and nice value"
run 'cut -d" " -f41 /proc/self/stat' '.process.scheduler = {policy: "SCHED_IDLE"}'
is "$OUT" 5 "scheduler: SCHED_IDLE"
run 'cut -d" " -f40,41 /proc/self/stat' '.process.scheduler = {policy: "SCHED_FIFO", priority: 3}'
if [ "$CODE" = 0 ]; then
	is "$OUT" "3 1" "scheduler: SCHED_FIFO with a priority"
else
	like "$OUT" 'process.scheduler' "a policy that the kernel refuses is named"
fi
run 'ionice -p $$' '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
is "$OUT" "best-effort: prio 6" "ioPriority"
run 'ionice -p $$' '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE"}'
like "$OUT" '^idle' "ioPriority: idle"

# Personality
if [ "$(uname -m)" = x86_64 ]; then
	run 'uname -m' '.linux.personality = {domain: "LINUX32"}'
	is "$OUT" i686 "personality LINUX32"
	run 'uname -m' '.linux.personality = {domain: "LINUX"}'
	is "$OUT" x86_64 "personality LINUX"
fi

# Propagation
for mode in shared slave private unbindable; do
	run 'sed -n "s/^[0-9]* [0-9]* [0-9:]* [^ ]* \/ [^ ]* \(.*\)- .*/\1/p" /proc/self/mountinfo' \
		".linux.rootfsPropagation = \"$mode\""
	case $mode in
	shared) like "$OUT" 'shared:' "rootfsPropagation shared" ;;
	private) unlike "$OUT" 'shared:|master:|unbindable' "rootfsPropagation private" ;;
	unbindable) like "$OUT" 'unbindable' "rootfsPropagation unbindable" ;;
	slave) unlike "$OUT" 'shared:' "rootfsPropagation slave" ;;
	esac
done
# a mount that the host makes later under a shared source arrives in a slave and not in a private one
mkdir "$WORK/tree"
mount -t tmpfs -o mode=755 none "$WORK/tree"
on_exit umount -l "$WORK/tree"
mount --make-rshared "$WORK/tree"
mkdir "$WORK/tree/later" "$WORK/tree/sync"
for mode in rslave rprivate; do
	rm -f "$WORK/tree/sync/"*
	(wait_for 10 test -e "$WORK/tree/sync/up" && mount -t tmpfs none "$WORK/tree/later" && touch "$WORK/tree/later/seen"
		touch "$WORK/tree/sync/made") &
	run 'touch /t/sync/up; until [ -e /t/sync/made ]; do sleep 0.05; done; ls /t/later' \
		".mounts += [{destination: \"/t\", type: \"bind\", source: (\$work + \"/tree\"), options: [\"rbind\", \"$mode\"]}]"
	wait $!
	umount "$WORK/tree/later"
	is "$OUT" "$([ $mode = rslave ] && echo seen)" "a later mount of the host's and a bind mount that is $mode"
done

# Hooks: namespaces, state and order
cat >"$WORK/hook" <<'H'
#!/bin/sh
state=$(cat)
echo "$1 $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/uts) $(echo "$state" | sed 's/.*"pid":\([0-9]*\).*"status":"\([a-z]*\)".*/\2/') $HOOKED $(pwd)" >>"$2"
H
chmod 755 "$WORK/hook"
cp "$WORK/hook" "$B/rootfs/hook"
mkdir "$WORK/told"
ln -s "$WORK/told" "$B/rootfs/unused"
hooks='.mounts += [{destination: "/told", type: "bind", source: ($work + "/told"), options: ["bind"]}]
	| def h(k; p; f): {path: p, args: ["hook", k, f], env: ["PATH=/bin:/usr/bin", ("HOOKED=" + k)]};
	.hooks = (["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
		| map({key: ., value: [h(.; $work + "/hook"; $work + "/told/order")]}) | from_entries)
	| .hooks.startContainer = [h("startContainer"; "/hook"; "/told/order")]'
run 'echo "program $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/uts)" >>/told/order; sleep 0.3' "$hooks"
is "$CODE $OUT" "0 " "a container with all six kinds of hooks"
order=$WORK/told/order
is "$(cut -d' ' -f1 "$order" | grep -v program | tr '\n' ' ')" \
	"prestart createRuntime createContainer startContainer poststart poststop " "they run in the order of the specification"
field()
{
	sed -n "s/^$1 //p" "$order" | cut -d' ' -f"$2"
}
host=$(readlink /proc/self/ns/mnt) inside=$(field program 1)
is "$(for k in prestart createRuntime poststart poststop; do field $k 1; done | sort -u)" "$host" \
	"prestart, createRuntime, poststart and poststop in the runtime's mount namespace"
is "$(for k in createContainer startContainer; do field $k 1; done | sort -u)" "$inside" \
	"createContainer and startContainer in the container's"
check "which is another" test "$host" != "$inside"
is "$(for k in prestart createRuntime createContainer startContainer poststart poststop; do field $k 3; done | tr '\n' ' ')" \
	"creating creating creating created running stopped " "each is told the state of its stage"
is "$(for k in prestart poststop; do field $k 4; done | tr '\n' ' ')" "prestart poststop " "and has its own environment"
is "$(field startContainer 5)" / "startContainer hooks start in the container's root"
# at each stage a failing hook undoes the start, but after the end it is too late for that
for kind in prestart createRuntime createContainer startContainer poststart poststop; do
	rm -f "$WORK/told/ran" "$WORK/told/stopped"
	run 'echo >/told/ran; sleep 0.2' '.mounts += [{destination: "/told", type: "bind", source: ($work + "/told"), options: ["bind"]}]
		| .hooks = {'$kind': [{path: "/bin/sh", args: ["sh", "-c", "echo why; exit 3"]}]}
		| .hooks.poststop += [{path: "/bin/sh", args: ["sh", "-c", "exit 4"]},
			{path: "/bin/sh", args: ["sh", "-c", "echo >>" + $work + "/told/stopped"]}]'
	is "$(wc -l <"$WORK/told/stopped")" 1 "$kind fails: all poststop hooks run, once"
	like "$OUT" 'poststop hook /bin/sh failed with status 4' "the one that fails is told"
	if [ $kind = poststop ]; then
		like "$CODE $OUT" '^0 .*warning: .*failed with status 3: why; ' "a poststop hook that fails does not change the outcome"
	else
		like "$CODE $OUT" "^1 .*error running hook: $kind hook /bin/sh failed with status 3: why" \
			"a $kind hook that fails is told, with what it printed"
	fi
	case $kind in
	poststart | poststop) ;;
	*) check "and the program does not run" test ! -e "$WORK/told/ran" ;;
	esac
	check "nothing is left of it" test -z "$(ls -A "$WORK/state")"
done
done_testing
