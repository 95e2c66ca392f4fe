#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# config.json that is right and that this kernel refuses at run time, field by field (tests/lib/config_refused.py): an error
# that names the field, the object and the reason; nothing runs and nothing is left.
. tests/lib/env.sh
. tests/lib/images.sh
need_root
have setpriv || skip_all "setpriv is not installed"
busybox_image || skip_all "busybox (static) is not installed"

mkdir -p "$WORK/bundle" "$WORK/marks"
cp -a "$BUSYBOX_ROOT" "$WORK/root"
ln -s loop "$WORK/root/loop"
/usr/bin/python3 "$LIB/bad_config.py" refused "$WORK/bundle" "$WORK/state" "$WORK/marks" "$WORK/root" \
	"$CTRACE" oci --root "$WORK/state"
