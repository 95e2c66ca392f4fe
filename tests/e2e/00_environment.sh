#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# The environment that the other tests stand on: every engine and runtime starts here, runs a container, and is
# gone afterwards (the runner looks for what remains).
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
need_root

check "a busybox image is made without a network" busybox_image
is "$(chroot "$BUSYBOX_ROOT" /bin/sh -c 'echo alive')" alive "its tree works"
first=$(sha256sum "$BUSYBOX_OCI/index.json")
"$TOP/scripts/make-busybox-image.sh" "$WORK/again"
is "$(sha256sum <"$WORK/again/index.json")" "${first%% *}  -" "the same busybox gives the same digests"

if registry_start; then
	ok "a registry starts"
	check "it takes an image" registry_push "$BUSYBOX_OCI" library/busybox:latest
	code=$(/usr/bin/python3 -c 'import sys, urllib.request
r = urllib.request.Request("http://%s/v2/library/busybox/manifests/latest" % sys.argv[1], method="HEAD",
	headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
print(urllib.request.urlopen(r).status)' "$REGISTRY")
	is "$code" 200 "and has it"
else
	skip_point "a registry" "docker-registry is not installed"
fi

if ubuntu_image; then
	ok "an image that stands in for ubuntu is in the cache"
else
	skip_point "an image that stands in for ubuntu" "$UBUNTU_WHY"
fi

if docker_start; then
	dock run --rm --memory 64m busybox sh -c 'exit 3'
	is $? 3 "docker runs a container"
	docker_stop
else
	skip_point "docker" "$ENGINE_WHY"
fi

if containerd_start; then
	cctr run --rm --memory-limit 67108864 "$CONTAINERD_IMAGE" env-$$ sh -c 'exit 4'
	is $? 4 "containerd runs a container"
else
	skip_point "containerd" "$ENGINE_WHY"
fi

if podman_start; then
	pod run --rm --network none --memory 64m localhost/busybox sh -c 'exit 5'
	is $? 5 "podman runs a container"
else
	skip_point "podman" "$ENGINE_WHY"
fi

if have runc; then
	JQ='.linux.resources.memory = {limit: 67108864}' bundle "$WORK/b" sh -c 'exit 6'
	rc run --bundle "$WORK/b" env-runc-$$
	is $? 6 "runc runs a bundle"
else
	skip_point "runc" "runc is not installed"
fi

if have crun && have runc; then
	JQ='.linux.resources.memory = {limit: 67108864}' bundle "$WORK/b" sh -c 'exit 7'
	cr run --bundle "$WORK/b" env-crun-$$
	is $? 7 "crun runs a bundle"
else
	skip_point "crun" "crun is not installed"
fi

done_testing
