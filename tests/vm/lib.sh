# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts of the kernel matrix share. Sourced, never run.

VM_CACHE=${VM_CACHE:-/var/cache/ctrace-test}
VM_ARCH=${VM_ARCH:-amd64} # of the guest, as Debian names it
[ "$VM_ARCH" = amd64 ] && VM_SUFFIX='' || VM_SUFFIX=-$VM_ARCH
VM_APT=$VM_CACHE/apt$VM_SUFFIX

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

# vm_emulator: what boots a guest of VM_ARCH.
vm_emulator() {
	case $VM_ARCH in
	amd64) echo qemu-system-x86_64 qemu-system-x86 ;;
	arm64) echo qemu-system-aarch64 qemu-system-arm ;;
	*) vm_fail "no guest of architecture $VM_ARCH is known" ;;
	esac
}

# vm_need PROGRAM PACKAGE: installs what is missing where apt and root allow it.
vm_need() {
	command -v "$1" >/dev/null && return
	vm_say "installing $2 for $1"
	# Another guest, or the system, may be installing: it is waited for.
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$2" >/dev/null ||
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
	timeout --foreground 240 "$tool" -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Dir::State="$VM_APT/state" -o Dir::Cache="$VM_APT/cache" \
		-o Dir::State::status="$VM_APT/state/status" \
		-o Dir::Etc::sourcelist="$VM_APT/sources.list" -o Dir::Etc::sourceparts="$VM_APT/none" \
		-o Dir::Etc::preferencesparts="$VM_APT/none" -o APT::Sandbox::User=root -o APT::Architecture="$VM_ARCH" \
		-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false "$@"
}

# vm_apt_sources RELEASE...: (re)writes the private sources and fetches their lists.
vm_apt_sources() {
	local kind uri release keys=/usr/share/keyrings/debian-archive-keyring.gpg option=

	[ -r $keys ] && option="[signed-by=$keys] "
	mkdir -p "$VM_APT"/state/lists/partial "$VM_APT"/cache/archives/partial "$VM_APT/none"
	: > "$VM_APT/state/status"
	: > "$VM_APT/sources.list"
	while read -r kind uri; do
		for release; do
			[ "$kind" = security ] && release=$release-security
			echo "deb $option$uri $release main"
		done
	done < <(vm_archives) > "$VM_APT/sources.list"
	[ -s "$VM_APT/sources.list" ] || vm_skip "apt knows no Debian archive to take kernels from"
	vm_apt apt-get update -qq >&2 || vm_skip "the Debian archive cannot be reached"
}
