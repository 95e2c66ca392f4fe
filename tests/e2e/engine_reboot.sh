#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# After a reboot the storage is there and /run is not: containers are found again, as docker has it (255), those of --rm
# go. And --ipc container:, whose namespace is joined anew at each start.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"

# ---- --ipc container:ID ----
ct run -d --name first --ipc shareable "${ON[@]}" sleep 300 >/dev/null 2>"$WORK/err" ||
	ct run -d --name first "${ON[@]}" sleep 300 >/dev/null
ct run -d --name second --ipc container:first "${ON[@]}" sleep 300 >/dev/null
is "$(ct exec second readlink /proc/self/ns/ipc)" "$(ct exec first readlink /proc/self/ns/ipc)" "--ipc container:NAME joins"
check "but not the processes" test "$(ct exec second readlink /proc/self/ns/pid)" != "$(ct exec first readlink /proc/self/ns/pid)"
ct restart -t 0 first >/dev/null
ct restart -t 0 second >/dev/null
is "$(ct exec second readlink /proc/self/ns/ipc)" "$(ct exec first readlink /proc/self/ns/ipc)" "after restarts of both, too"
ct stop -t 0 second first >/dev/null
fails 1 'cannot join ipc of a non running container' "a start whose other container does not run" ct start second
fails 125 'nosuch' "--ipc container: of nobody" ct run --rm --ipc container:nosuch "${ON[@]}" true
ct rm -f second first >/dev/null

# ---- a reboot ----
ct run --name ended "${ON[@]}" sh -c 'echo said; echo kept >/kept; exit 3' >/dev/null
ct run -d --name lived --label who=me --restart no "${ON[@]}" sh -c 'echo kept >/kept; sleep 300' >/dev/null
ct run -d --name passing --rm "${ON[@]}" sleep 300 >/dev/null
wait_for 5 ct exec lived test -e /kept
ids=$(ct ps -aq --no-trunc | sort)
mark=11111111-2222-3333-4444-555555555555
# the machine goes down: processes, mounts and /run are gone, the storage says of which boot it was
for p in /proc/[0-9]*; do
	case $(readlink "$p/exe") in *ctrace*) grep -qz "^CTRACE_RUN=$CTRACE_RUN\$" "$p/environ" && kill -KILL "${p#/proc/}" ;; esac
done 2>/dev/null
for id in $ids; do
	mapfile -t pids < <(find /sys/fs/cgroup -path "*$id*" -name cgroup.procs -exec cat {} +)
	kill -KILL "${pids[@]}"
done 2>/dev/null
sleep 0.5
for id in $ids; do
	find /sys/fs/cgroup -depth -type d -path "*$id*" -exec rmdir {} + 2>/dev/null
	ln -sfn $mark "$CTRACE_ROOT/containers/$id/boot"
done
awk -v d="$WORK/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | tac | xargs -r -n1 umount -l
rm -rf "$CTRACE_RUN"
is "$(ct ps -q)" "" "nothing runs after a reboot"
is "$(ct ps -a --format '{{.Names}}' | sort | tr '\n' ' ')" "ended lived " "containers are found again, but for those of --rm"
is "$(of ended .State.ExitCode) $(of lived .State.ExitCode) $(of lived .State.Status)" "3 255 exited" \
	"one that had ended keeps its code, one that ran has docker's 255"
like "$(ct ps -a --filter name=lived)" 'Exited \(255\) .* ago' "as ps tells"
is "$(of lived '.Config.Labels' | jq -r .who)" me "with their labels"
is "$(ct logs ended)" said "and logs"
ct start lived >/dev/null
is "$(ct exec lived cat /kept)" kept "one is started anew, with what it wrote"
fails 125 'already in use' "its name is taken again" ct run --name lived "${ON[@]}" true
ct rm -f ended lived >/dev/null
is "$(ls "$CTRACE_ROOT/containers")" "" "nothing is left"
is "$(engine_things)" "" "anywhere"
done_testing
