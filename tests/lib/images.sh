# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # UBUNTU_WHY is read by tests
# shellcheck shell=bash
# Images without the internet, and a registry for them. Needs env.sh.

# Makes the busybox image once per script: BUSYBOX_OCI (an OCI layout whose reference is
# ctrace/busybox-local:latest), BUSYBOX_ROOT (the unpacked tree).
busybox_image()
{
	[ -z "${BUSYBOX_OCI-}" ] || return 0
	BUSYBOX_OCI=$WORK/busybox
	BUSYBOX_ROOT=$WORK/busybox-root
	"$TOP/scripts/make-busybox-image.sh" "$BUSYBOX_OCI" || return 1
	mkdir -p "$BUSYBOX_ROOT"
	tar -C "$BUSYBOX_ROOT" -xzf "$(busybox_layer)"
}

busybox_layer()
{
	local blob

	for blob in "$BUSYBOX_OCI"/blobs/sha256/*; do
		if gzip -t "$blob" 2>/dev/null; then echo "$blob"; fi
	done
}

# registry_start: docker-registry on a free port of 127.0.0.1: REGISTRY (host:port), REGISTRY_DIR.
registry_start()
{
	local port

	have docker-registry || return 1
	port=$(free_port)
	REGISTRY=127.0.0.1:$port
	REGISTRY_DIR=$WORK/registry
	mkdir -p "$REGISTRY_DIR"
	cat >"$WORK/registry.yml" <<EOF
version: 0.1
log: { level: warn }
storage: { filesystem: { rootdirectory: $REGISTRY_DIR }, delete: { enabled: true } }
http: { addr: "$REGISTRY", secret: test }
EOF
	env -i PATH="$PATH" OTEL_TRACES_EXPORTER=none docker-registry serve "$WORK/registry.yml" >"$WORK/registry.log" 2>&1 &
	registry_pid=$!
	on_exit stop_process "$registry_pid"
	wait_for 15 registry_ready && return
	diag "the registry did not start: $(tail -n 3 "$WORK/registry.log")"
	return 1
}

registry_ready()
{
	/usr/bin/python3 -c 'import sys, urllib.request
urllib.request.urlopen("http://%s/v2/" % sys.argv[1], timeout=2)' "$REGISTRY"
}

registry_stop()
{
	stop_process "$registry_pid"
}

# registry_push LAYOUT REPOSITORY:TAG: the only image of an OCI layout into the registry.
registry_push()
{
	/usr/bin/python3 "$LIB/push_image.py" "$REGISTRY" "$1" "$2"
}

# ubuntu_image: UBUNTU_OCI, a layout with an image that stands in for library/ubuntu: Debian's minbase
# (layer 1) and a layer on top that has its os-release, a whiteout and an opaque directory. Its os-release says what
# it is. Made once, kept in CACHE. Fails with UBUNTU_WHY where it cannot be made.
ubuntu_image()
{
	local suite=bookworm tar work

	UBUNTU_OCI=$CACHE/ubuntu-like
	[ ! -f "$UBUNTU_OCI/index.json" ] || return 0
	if ! have mmdebstrap; then
		UBUNTU_WHY="mmdebstrap is not installed"
		return 1
	fi
	mkdir -p "$CACHE"
	tar=$CACHE/minbase.tar
	if [ ! -f "$tar" ]; then
		diag "making a root filesystem with mmdebstrap (once; kept in $CACHE)"
		if ! mmdebstrap --quiet --variant=minbase \
			--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
			--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
			--format=tar "$suite" "$tar.part" </dev/null >"$WORK/mmdebstrap.log" 2>&1; then
			UBUNTU_WHY="mmdebstrap failed: $(tail -n 1 "$WORK/mmdebstrap.log")"
			rm -rf "$tar.part"
			return 1
		fi
		mv "$tar.part" "$tar"
	fi
	work=$(mktemp -d "$CACHE/layout.XXXXXX")
	if ! /usr/bin/python3 "$LIB/make_ubuntu.py" "$tar" "$work/layout"; then
		UBUNTU_WHY="the layout could not be made"
		rm -rf "$work"
		return 1
	fi
	rm -rf "$UBUNTU_OCI"
	mv "$work/layout" "$UBUNTU_OCI"
	rmdir "$work"
	rm -f "$tar"
}
