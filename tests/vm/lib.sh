# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts of the kernel matrix share. Sourced, never run.

VM_CACHE=${VM_CACHE:-/var/cache/ctrace-test}

# vm_fail TEXT...: says what is wrong and leaves.
vm_fail() {
	printf 'tests/vm: %s\n' "$*" >&2
	exit 1
}

# vm_skip TEXT...: this machine cannot do it, through no fault of what is tested.
vm_skip() {
	printf 'tests/vm: %s\n' "$*" >&2
	exit 77
}

vm_say() {
	printf '# %s\n' "$*" >&2
}

# vm_need PROGRAM PACKAGE: installs what is missing where apt and root allow it.
vm_need() {
	command -v "$1" >/dev/null && return
	vm_say "installing $2 for $1"
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null ||
		vm_skip "$1 is missing and package $2 cannot be installed: run 'apt-get update' or install it by hand"
}

# vm_archives: "debian URI" and "security URI" of the Debian archives that this machine uses.
vm_archives() {
	# shellcheck disable=SC2016 # these are apt's variables
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
		awk -F'|' '
			$2 == "Debian" || $3 ~ /\/debian\/?$/ { if (!debian) debian = $3 }
			$2 == "Debian-Security" || $3 ~ /\/debian-security\/?$/ { if (!security) security = $3 }
			END { if (debian) print "debian", debian; if (security) print "security", security }'
}

# vm_apt COMMAND...: apt with directories of its own, so that the machine's lists, sources and
# pins stay as they are. Its sources name every release that has one of the kernels.
vm_apt() {
	local tool=$1

	shift
	timeout --foreground 240 "$tool" -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Dir::State="$VM_CACHE/apt/state" -o Dir::Cache="$VM_CACHE/apt/cache" \
		-o Dir::State::status="$VM_CACHE/apt/state/status" \
		-o Dir::Etc::sourcelist="$VM_CACHE/apt/sources.list" -o Dir::Etc::sourceparts="$VM_CACHE/apt/none" \
		-o Dir::Etc::preferencesparts="$VM_CACHE/apt/none" -o APT::Sandbox::User=root -o APT::Architecture=amd64 \
		-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false "$@"
}

# vm_apt_sources RELEASE...: (re)writes the private sources and fetches their lists.
vm_apt_sources() {
	local kind uri release keys=/usr/share/keyrings/debian-archive-keyring.gpg option=

	[ -r $keys ] && option="[signed-by=$keys] "
	mkdir -p "$VM_CACHE"/apt/state/lists/partial "$VM_CACHE"/apt/cache/archives/partial "$VM_CACHE/apt/none"
	: > "$VM_CACHE/apt/state/status"
	: > "$VM_CACHE/apt/sources.list"
	while read -r kind uri; do
		for release; do
			[ "$kind" = security ] && release=$release-security
			echo "deb $option$uri $release main"
		done
	done < <(vm_archives) > "$VM_CACHE/apt/sources.list"
	[ -s "$VM_CACHE/apt/sources.list" ] || vm_skip "apt knows no Debian archive to take kernels from"
	vm_apt apt-get update -qq >&2 || vm_skip "the Debian archive cannot be reached"
}
