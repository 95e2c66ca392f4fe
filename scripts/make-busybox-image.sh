#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes an OCI image layout from the distribution's busybox-static, without a network and without other tools:
#   make-busybox-image.sh DIR [NAME]
# NAME (ctrace/busybox-local:latest) is the reference in index.json. The same busybox gives the same digests.
set -eu

dir=$1
name=${2:-ctrace/busybox-local:latest}
busybox=${BUSYBOX:-$(command -v busybox || echo /bin/busybox)}

if ! "$busybox" --list >/dev/null 2>&1; then
	echo "make-busybox-image: $busybox does not run; install busybox-static" >&2
	exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
blobs=$work/image/blobs/sha256
mkdir -p "$blobs"

# The tree. Applets are symbolic links with relative targets, so that they work in any root.
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc,dev,proc,sys,tmp,root,var/tmp,run,home}
cp "$busybox" "$root/bin/busybox"
chmod 755 "$root/bin/busybox"
"$busybox" --list-full | while read -r applet; do
	[ "$applet" = bin/busybox ] && continue
	case $applet in
	*/*/*) target=../../bin/busybox ;;
	bin/*) target=busybox ;;
	*/*) target=../bin/busybox ;;
	*) continue ;;
	esac
	[ -e "$root/$applet" ] || ln -s "$target" "$root/$applet"
done
# Debian builds it without --list-full of some; a shell must be there.
[ -e "$root/bin/sh" ] || ln -s busybox "$root/bin/sh"
chmod 1777 "$root/tmp" "$root/var/tmp"
chmod 700 "$root/root"
printf 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n' \
	>"$root/etc/passwd"
printf 'root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n' >"$root/etc/group"
printf 'ID=ctrace-busybox\nNAME="busybox, packed by ctrace"\nPRETTY_NAME="busybox-static of the host distribution, packed by ctrace"\n' \
	>"$root/etc/os-release"

# put FILE: moves it to its digest's place; prints digest and size.
put()
{
	local digest size

	digest=$(sha256sum "$1" | cut -d' ' -f1)
	size=$(stat -c %s "$1")
	mv "$1" "$blobs/$digest"
	echo "$digest $size"
}

tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu -cf "$work/layer.tar" .
diff_id=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
gzip -n -6 "$work/layer.tar"
read -r layer layer_size < <(put "$work/layer.tar.gz")

case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*) arch=$(uname -m) ;;
esac
printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"busybox-static"}]}' \
	"$arch" "$diff_id" >"$work/config"
read -r config config_size < <(put "$work/config")

printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%s}]}' \
	"$config" "$config_size" "$layer" "$layer_size" >"$work/manifest"
read -r manifest manifest_size < <(put "$work/manifest")

printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"platform":{"architecture":"%s","os":"linux"},"annotations":{"org.opencontainers.image.ref.name":"%s"}}]}' \
	"$manifest" "$manifest_size" "$arch" "$name" >"$work/image/index.json"
printf '{"imageLayoutVersion":"1.0.0"}' >"$work/image/oci-layout"

# Whole or not at all.
rm -rf "$dir"
mkdir -p "$(dirname "$dir")"
mv "$work/image" "$dir"
