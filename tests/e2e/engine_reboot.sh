#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# After a reboot the storage is there and /run is not: containers are found again, as docker has it (255), those of --rm
# go. And --ipc, whose namespace and memory are joined anew at each start.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"

# ---- --ipc ----
# shm CONTAINER: what is mounted there on /dev/shm.
shm() { ct exec "$1" mount | grep ' /dev/shm '; }
ct run -d --name first --ipc shareable --shm-size 3m "${ON[@]}" sleep 300 >/dev/null
ct run -d --name second --ipc container:first "${ON[@]}" sleep 300 >/dev/null
ct run -d --name third --ipc container:second "${ON[@]}" sleep 300 >/dev/null
is "$(ct exec second readlink /proc/self/ns/ipc)" "$(ct exec first readlink /proc/self/ns/ipc)" "--ipc container:NAME joins"
check "but not the processes" test "$(ct exec second readlink /proc/self/ns/pid)" != "$(ct exec first readlink /proc/self/ns/pid)"
like "$(shm first)" '^shm on /dev/shm type tmpfs \(rw,nosuid,nodev,noexec,relatime,size=3072k\)$' "a /dev/shm that is shared, of --shm-size"
is "$(shm second)" "$(shm first)" "as those who join have it"
ct exec first sh -c 'echo one >/dev/shm/file; stat -c %a /dev/shm' >"$WORK/mode"
is "$(cat "$WORK/mode")" 1777 "which everyone may write to"
is "$(ct exec second cat /dev/shm/file)" one "what one writes, the other reads"
ct exec third sh -c 'echo three >/dev/shm/file'
is "$(ct exec first cat /dev/shm/file)" three "and one that joined through another, too"
is "$(of first .HostConfig.IpcMode)" shareable "inspect tells"
ct restart -t 0 first >/dev/null
is "$(ct exec first ls /dev/shm; ct exec second cat /dev/shm/file)" three "a restart makes it anew; who has the old one keeps it"
fails 1 'the /dev/shm of [0-9a-f]{64} is gone|cannot join ipc' "one whose memory ended cannot be joined" \
	sh -c "'$CTRACE' stop -t 0 first third && exec '$CTRACE' start third"
ct start first >/dev/null
ct restart -t 0 second >/dev/null
ct start third >/dev/null
is "$(ct exec second readlink /proc/self/ns/ipc)" "$(ct exec first readlink /proc/self/ns/ipc)" "after restarts of both, too"
ct exec first sh -c 'echo again >/dev/shm/file'
is "$(ct exec second cat /dev/shm/file) $(ct exec third cat /dev/shm/file)" "again again" "with its memory"
is "$(ct run --rm --ipc container:first --tmpfs /dev/shm "${ON[@]}" ls /dev/shm)" "" "what is mounted on /dev/shm by hand is there instead"
ct stop -t 0 third second first >/dev/null
is "$(grep -c "$WORK/.*/shm " /proc/self/mountinfo)" 0 "nothing stays mounted when they have stopped"
fails 1 'cannot join ipc of a non running container' "a start whose other container does not run" ct start second
fails 125 'nosuch' "--ipc container: of nobody" ct run --rm --ipc container:nosuch "${ON[@]}" true
ct rm -f third second first >/dev/null
ct run -d --name alone "${ON[@]}" sleep 300 >/dev/null
fails 125 "can't join IPC of container [0-9a-f]{64}: non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)" \
	"--ipc container: of one that is private" ct run --rm --ipc container:alone "${ON[@]}" true
ct rm -f alone >/dev/null
is "$(ct run --rm --ipc none "${ON[@]}" mount | grep -c /dev/shm)" 0 "--ipc none has no /dev/shm"
ct run -d --rm --name host --ipc host "${ON[@]}" sleep 300 >/dev/null
is "$(ct run --rm --ipc container:host "${ON[@]}" stat -c %d:%i /dev/shm)" "$(stat -c %d:%i /dev/shm)" "one that joins who has the host's has it, too"
ct rm -f host >/dev/null
fails 125 'it is private, shareable, none, host or container:ID' "another --ipc" ct run --rm --ipc bogus "${ON[@]}" true

# ---- a reboot ----
ct run --name ended "${ON[@]}" sh -c 'echo said; echo kept >/kept; exit 3' >/dev/null
ct run -d --name lived --label who=me --restart no "${ON[@]}" sh -c 'echo kept >/kept; sleep 300' >/dev/null
ct run -d --name passing --rm "${ON[@]}" sleep 300 >/dev/null
ct create --name never "${ON[@]}" sh -c 'exit 4' >/dev/null
ct create --name hardly --rm "${ON[@]}" true >/dev/null
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
is "$(ct ps -a --format '{{.Names}}' | sort | tr '\n' ' ')" "ended lived never " "containers are found again, but for those of --rm"
is "$(of never .State.Status) $(ct start -a never; echo $?)" "created 4" "one that was only created still is, and starts"
ct rm never >/dev/null
is "$(of ended .State.ExitCode) $(of lived .State.ExitCode) $(of lived .State.Status)" "3 255 exited" \
	"one that had ended keeps its code, one that ran has docker's 255"
like "$(ct ps -a --filter name=lived)" 'Exited \(255\) .* ago' "as ps tells"
is "$(of lived 'json .Config.Labels' | jq -r .who)" me "with their labels"
is "$(ct logs ended)" said "and logs"
ct start lived >/dev/null
is "$(ct exec lived cat /kept)" kept "one is started anew, with what it wrote"
fails 125 'already in use' "its name is taken again" ct run --name lived "${ON[@]}" true
ct rm -f ended lived >/dev/null
is "$(ls "$CTRACE_ROOT/containers")" "" "nothing is left"
is "$(engine_things)" "" "anywhere"
done_testing
