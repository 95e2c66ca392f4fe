#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# A document for update --resources wrong in one field, for every field of tests/lib/config_table.py: an error that names the field;
# nothing runs, and no limit changes.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/oci.sh
need_root
oci_bundle

oci_try_documents update
