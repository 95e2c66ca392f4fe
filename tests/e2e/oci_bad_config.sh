#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# config.json wrong in one field, for every field and in every way that tests/lib/config_table.py knows: an error that
# names the field by its path; nothing runs and nothing is left. What is unusual and right is taken.
. tests/lib/env.sh
. tests/lib/images.sh
need_root
busybox_image || skip_all "busybox (static) is not installed"

mkdir -p "$WORK/bundle" "$WORK/marks"
/usr/bin/python3 "$LIB/bad_config.py" create "$WORK/bundle" "$WORK/state" "$WORK/marks" "$BUSYBOX_ROOT" \
	"$CTRACE" oci --root "$WORK/state"
