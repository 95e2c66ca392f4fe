# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # ON and out are read by tests
# shellcheck shell=bash
# A launcher with directories of its own and a small root to run on. Needs env.sh.

export CTRACE_ROOT=$WORK/store CTRACE_RUN=$WORK/run
ROOTFS=$WORK/rootfs
# Bridges are the host's: tests without a network of their own leave it alone.
ON=(--network none --rootfs "$ROOTFS")

# ct COMMAND...: ctrace; an untraced run.
ct()
{
	if [ "$1" = run ]; then
		shift
		set -- run --trace=none "$@"
	fi
	"$CTRACE" "$@" </dev/null
}

# out/err/code of a command.
try()
{
	out=$("$@" 2>"$WORK/err")
	code=$?
	err=$(cat "$WORK/err")
}

# fails CODE TEXT WHAT COMMAND...: that exit code, and TEXT in what it says.
fails()
{
	local wanted=$1 text=$2 what=$3

	shift 3
	try "$@"
	is "$code" "$wanted" "$what: exit code $wanted" || diag "$err"
	like "$err" "$text" "$what: $text"
}

engine_root()
{
	local applet

	mkdir -p "$ROOTFS"/{bin,etc,tmp,dev,proc,sys,data/sub}
	cp "$(command -v busybox)" "$ROOTFS/bin/busybox" || return 1
	for applet in sh cat id ls true false kill sleep echo hostname env grep ping ip ps stat mount touch head \
		wc readlink pwd sed seq nc httpd wget trap printf tty stty mkdir rm tr sort df date; do
		ln -sf busybox "$ROOTFS/bin/$applet"
	done
	printf 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n' >"$ROOTFS/etc/passwd"
	printf 'root:x:0:\napp:x:1001:\nvideo:x:44:app\n' >"$ROOTFS/etc/group"
	echo from-the-image >"$ROOTFS/data/file"
	chmod 640 "$ROOTFS/data/file"
	on_exit engine_clean
}

engine_clean()
{
	local name

	for name in $("$CTRACE" ps -aq --no-trunc); do
		"$CTRACE" rm -fv "$name"
	done
	"$CTRACE" prune --leftovers
	awk -v d="$WORK/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | tac | xargs -r -n1 umount -l
}

# What there is of containers anywhere, a line each; nothing when all is clean.
engine_things()
{
	local id

	(cd "$CTRACE_RUN" 2>/dev/null && ls -d containers/* names/* live/* oci/* 2>/dev/null)
	(cd "$CTRACE_ROOT" 2>/dev/null && ls -d containers/* holds/*/* 2>/dev/null)
	[ ! -s "$CTRACE_RUN/ports" ] || sed 's/^/port /' "$CTRACE_RUN/ports"
	grep -v ' last$' "$CTRACE_RUN/addresses" 2>/dev/null | sed 's/^/address /'
	grep -F "$WORK/" /proc/self/mountinfo | grep -v -- ' - tmpfs none ' # the test's own
	for id in $(cat "$WORK/ids" 2>/dev/null); do
		find /sys/fs/cgroup -type d -name "$id" 2>/dev/null
		[ ! -e "/sys/class/net/veth${id:0:10}" ] || echo "interface veth${id:0:10}"
	done
}

# The state of a container, by a path of docker inspect's.
of()
{
	"$CTRACE" inspect -f "{{$2}}" "$1"
}

is_status()
{
	[ "$(of "$1" .State.Status)" = "$2" ]
}
