#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# alone
# timeout: 2400
# The kernel matrix as the last part of `make test` (KERNELS=0: without it): guests for which no time is left within
# the whole run are skipped, and those of other architectures unless FULL=1.
cd "$(dirname "$0")/../.." || exit 1
exec tests/vm/run --output "${CTRACE_OUTPUT:-.output}" --no-table ${TEST_UNTIL:+--until "$TEST_UNTIL"}
