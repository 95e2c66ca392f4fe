#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `make run` runs once ctrace is built: run.sh OUTPUT_DIRECTORY. The environment variable IMAGE names
# another image than ubuntu.
set -u

output=$1
here=$(dirname "$0")
ctrace=$output/ctrace
image=${IMAGE:-ubuntu}

if [ "$(id -u)" != 0 ]; then
	echo "make run makes a container and traces the kernel: run it as root (sudo make run)" >&2
	exit 1
fi

if "$ctrace" pull "$image"; then
	source=$image
else
	# ctrace has said why. The registry is not ours to repair, so show the same on what we have.
	name=ctrace/busybox-local
	source=oci:$output/images/busybox-local
	"$here/make-busybox-image.sh" "${source#oci:}" "$name:latest" || exit 1
	echo "The image \"$image\" could not be pulled (see above), so this runs $name instead:"
	echo "the busybox of this machine's distribution, packed as an image. It is not $image."
fi

echo
echo "# ctrace run --memory 256m $source"
"$ctrace" run --memory 256m "$source"
code=$?

echo
echo "The container's command is a shell, and without -it it ends at once, as with docker. A shell to work in:"
echo "  sudo $ctrace run -it --memory 256m $source"
exit $code
