#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 1800
# Containers started eight at a time while ctrace processes are killed at random moments: prune finds what they left.
# SOAK=1 makes 500 of them, else 40.
# In a network namespace of its own: the bridge, addresses and rules are nobody else's.
if [ -z "${CTRACE_TEST_NETNS-}" ]; then
	CTRACE_TEST_NETNS=1 exec unshare --net bash "$0"
fi
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox jq ip
engine_root || skip_all "no busybox"
ip link set lo up
count=${SOAK:+500}
: "${count:=40}" "${SEED:=$RANDOM}"
diag "seed $SEED"

# Processes of ctrace's own, by their program and environment.
mine()
{
	local p

	for p in /proc/[0-9]*; do
		case $(readlink "$p/exe") in *ctrace*) ;; *) continue ;; esac
		grep -qz "^CTRACE_RUN=$CTRACE_RUN\$" "$p/environ" && echo "${p#/proc/} $(tr '\0' ' ' <"$p/cmdline")"
	done 2>/dev/null
}

network=default
ct run --rm --rootfs "$ROOTFS" true >/dev/null 2>&1 || network=none
diag "network: $network"
ct prune -f >/dev/null 2>&1
before=$(ls /sys/fs/cgroup/memory/ctrace /sys/fs/cgroup/ctrace 2>/dev/null)
/usr/bin/python3 "$LIB/soak.py" "$count" "$SEED" "$CTRACE" "$ROOTFS" "$network"
# what a person would do: end what runs, then prune
ct ps -aq | xargs -r -n 20 "$CTRACE" rm -f >"$WORK/rm" 2>&1
check "prune" ct prune -f
is "$(ct ps -aq | wc -l)" 0 "no container is left"
is "$(engine_things)" "" "no file, address, port or mount"
is "$(comm -13 <(sort <<<"$before") <(ls /sys/fs/cgroup/memory/ctrace /sys/fs/cgroup/ctrace 2>/dev/null | sort) |
	grep -E '^[0-9a-f]{64}$')" "" "no cgroup"
is "$(ip -o link show type veth 2>/dev/null)" "" "no interface"
is "$(nft list ruleset 2>/dev/null | grep -E 'dnat|element')" "" "no rule of a container's"
is "$(grep -l "$WORK/" /proc/[0-9]*/mountinfo 2>/dev/null | xargs -r -n1 dirname | sort -u | while read -r p; do
	tr '\0' ' ' <"$p/cmdline"; done)" "" "no process keeps a mount of them"
is "$(mine)" "" "no supervisor"
check "and a container starts as before" ct run --rm --network "$network" --rootfs "$ROOTFS" true
done_testing
