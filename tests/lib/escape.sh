# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests that attack a runtime. Needs env.sh, images.sh and engines.sh.
#
# Where Debian's runc or crun are known to be vulnerable the same attack is made on them, too: it must work there, or
# the test proves nothing. A fixed version of theirs makes that point a skip.

ATTACKER=$CTRACE_OUTPUT/tests/attacker

# escape_bundle SCRIPT [JQ]: bundle $B with a root of its own at $B/rootfs, /bin/sh -c SCRIPT, all capabilities that
# the caller holds, and a filter that may change config.json.
escape_bundle()
{
	B=$WORK/escape
	[ -z "$(ls -A "$B" 2>/dev/null)" ] || rm -rf --one-file-system "$B"
	mkdir -p "$B"
	cp -a "$BUSYBOX_ROOT" "$B/rootfs"
	cp "$ATTACKER" "$B/rootfs/bin/attacker"
	escape_config "$@"
}

escape_config()
{
	[ -f "$WORK/escape-spec.json" ] || {
		(cd "$WORK" && "$CTRACE" oci spec && mv config.json escape-spec.json)
	}
	jq --arg script "$1" '.process.terminal = false | .process.args = ["/bin/sh", "-c", $script]
		| .root = {path: "rootfs", readonly: false} | .process.noNewPrivileges = false
		| .linux.maskedPaths = []' "$WORK/escape-spec.json" | jq "${2:-.}" >"$B/config.json"
}

# attack RUNTIME COMMAND...: a verb of ctrace, runc or crun, each with its own state; at most 20 s.
attack()
{
	local runtime=$1

	shift
	case $runtime in
	ctrace) timeout -s KILL 20 "$CTRACE" oci --root "$WORK/state" "$@" ;;
	runc) timeout -s KILL 20 runc --root "$WORK/runc" "$@" ;;
	crun) (export -f cr is_v1 cgroup_mount; timeout -s KILL 20 bash -c "WORK=$WORK; "'cr "$@"' bash "$@") ;;
	esac </dev/null
}

# The peers that are here.
peers()
{
	local peer

	for peer in runc crun; do
		have "$peer" && echo "$peer"
	done
}

# proven PEER WHAT COMMAND...: the command tells whether the attack worked on the peer.
proven()
{
	local peer=$1 what=$2

	shift 2
	if "$@"; then
		ok "the attack bites: $what on $peer"
	else
		skip_point "the attack bites: $what on $peer" "this version withstands it"
	fi
}

nothing_left()
{
	[ -z "$(ls -A "$WORK/state" 2>/dev/null)" ] && ! grep -q " $WORK/" /proc/self/mountinfo
}
