#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing to build and run ctrace (run), to test it (test), to measure it (bench).
# Only what is missing: a tool or a library that is there already, from whatever source, is left alone,
# and nothing that is installed is removed. Debian and Ubuntu; elsewhere it says what is needed.
set -u

PATH=$PATH:/usr/sbin:/sbin
here=$(dirname "$0")

# CHECK PACKAGE [optional]. A check is cmd:NAME (a command), pc:NAME (a library for pkg-config),
# py:NAME (a module of the distribution's python3), file:PATH, static:PATH (a static program) or run:SCRIPT. PACKAGE may name
# alternatives, a|b: the first one that the distribution has. Without an optional package tests are
# skipped, with it missing nothing fails here.
needed_to_run='
cmd:gcc gcc
file:/usr/include/stdio.h libc6-dev
file:/usr/include/linux/bpf.h linux-libc-dev
cmd:make make
cmd:clang clang
cmd:pkg-config pkgconf|pkg-config
run:find-bpftool.sh bpftool|linux-tools-generic
pc:libbpf libbpf-dev
pc:libelf libelf-dev
pc:zlib zlib1g-dev
pc:libdeflate libdeflate-dev
pc:json-c libjson-c-dev
pc:libseccomp libseccomp-dev
pc:libcap libcap-dev
pc:libmnl libmnl-dev
pc:ncursesw libncurses-dev
pc:vterm libvterm-dev
pc:libcurl libcurl4-openssl-dev
pc:libarchive libarchive-dev
pc:libmicrohttpd libmicrohttpd-dev
pc:sqlite3 libsqlite3-dev
pc:libcrypto libssl-dev
file:/etc/ssl/certs/ca-certificates.crt ca-certificates
static:/bin/busybox busybox-static
'
needed_to_test='
file:/usr/bin/python3 python3
pc:cmocka libcmocka-dev
py:jsonschema python3-jsonschema
cmd:xz xz-utils
cmd:jq jq
cmd:promtool prometheus optional
py:yaml python3-yaml optional
py:prometheus_client python3-prometheus-client optional
cmd:strace strace
cmd:shellcheck shellcheck optional
cmd:zsh zsh optional
cmd:fish fish optional
cmd:clang-tidy clang-tidy optional
cmd:cppcheck cppcheck optional
cmd:readelf binutils
cmd:groff groff-base optional
cmd:dh debhelper optional
cmd:lintian lintian optional
cmd:ip iproute2
cmd:nft nftables
cmd:iptables iptables
cmd:ps procps
cmd:runc runc optional
cmd:crun crun optional
cmd:conmon conmon optional
cmd:podman podman optional
cmd:containerd containerd optional
cmd:dockerd docker.io optional
cmd:docker docker-cli|docker.io optional
cmd:docker-registry docker-registry optional
cmd:umoci umoci optional
cmd:skopeo skopeo optional
cmd:mmdebstrap mmdebstrap optional
cmd:script bsdutils optional
cmd:chromium chromium optional
cmd:node nodejs optional
cmd:npm npm optional
cmd:tmux tmux optional
'
needed_to_bench='
cmd:redis-benchmark redis-tools optional
cmd:redis-server redis-server optional
cmd:bpftrace bpftrace optional
file:/usr/bin/time time optional
'

is_there()
{
	case $1 in
	cmd:*) command -v "${1#cmd:}" >/dev/null ;;
	pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
	py:*) /usr/bin/python3 -c "import ${1#py:}" 2>/dev/null ;;
	file:*) [ -e "${1#file:}" ] ;;
	static:*) [ -x "${1#static:}" ] && ! ldd "${1#static:}" >/dev/null 2>&1 ;;
	run:*) "$here/${1#run:}" >/dev/null 2>&1 ;;
	esac
}

# The first alternative that apt can install.
choose_package()
{
	local package

	for package in ${1//|/ }; do
		if apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then
			echo "$package"
			return
		fi
	done
	return 1
}

# Lines "CHECK PACKAGE [optional]" of what is not there.
list_missing()
{
	local check package rest

	while read -r check package rest; do
		[ -z "$check" ] || is_there "$check" || echo "$check $package $rest"
	done <<< "$1"
}

install_missing()
{
	local check package rest name required=() optional=()

	# A repository that does not answer is no reason to stop: what is needed may be in another.
	echo "deps: reading the package lists"
	apt-get update -qq >/dev/null 2>&1 || echo "deps: apt-get update had errors; going on with the lists it has"
	while read -r check package rest; do
		if name=$(choose_package "$package"); then
			if [ "$rest" = optional ]; then optional+=("$name"); else required+=("$name"); fi
		elif [ "$rest" = optional ]; then
			echo "deps: this distribution has no package $package; tests that need it will be skipped"
		else
			echo "deps: this distribution has no package $package (for ${check#*:})" >&2
			return 1
		fi
	done <<< "$missing"

	forbid_daemons
	if [ ${#required[@]} -gt 0 ]; then
		echo "deps: installing ${required[*]}"
		apt_install "${required[@]}" || return 1
	fi
	# One by one: one that cannot be installed does not take the others with it.
	for name in $(printf '%s\n' "${optional[@]}" | awk '!seen[$0]++'); do
		echo "deps: installing $name"
		apt_install "$name" || echo "deps: $name cannot be installed; tests that need it will be skipped"
	done
}

apt_install()
{
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1 && return
	tail -n 20 "$log" >&2
	return 1
}

# No package of an engine may start its daemon on this host: we only want the programs.
forbid_daemons()
{
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	policy_is_ours=1
}

clean_up()
{
	[ -z "$policy_is_ours" ] || rm -f /usr/sbin/policy-rc.d
	rm -f "$log"
}

case ${1-} in
run) needed=$needed_to_run ;;
test) needed=$needed_to_run$needed_to_test ;;
bench) needed=$needed_to_run$needed_to_test$needed_to_bench ;;
*)
	echo "usage: $0 run|test|bench" >&2
	exit 2
	;;
esac

missing=$(list_missing "$needed")
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	needs=$(grep -v ' optional$' <<< "$missing" | awk '{ sub(/^[a-z]*:/, "", $1); print "  " $1 " (Debian: " $2 ")" }')
	if [ -z "$needs" ]; then
		echo "deps: some test tools are missing; tests that need them will be skipped"
		exit 0
	fi
	{
		echo "deps: this is neither Debian nor Ubuntu. Please install these and run make again:"
		echo "$needs"
	} >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	{
		echo "deps: these packages are missing: $(awk '{ print $2 }' <<< "$missing" | sort -u | paste -sd ' ')"
		echo "deps: run it with sudo, or install them"
	} >&2
	exit 1
fi

log=$(mktemp)
policy_is_ours=
trap clean_up EXIT
trap 'exit 130' INT TERM
install_missing || exit 1
still=$(list_missing "$needed" | grep -v ' optional$')
if [ -n "$still" ]; then
	{
		echo "deps: still missing after the installation:"
		echo "$still"
	} >&2
	exit 1
fi
