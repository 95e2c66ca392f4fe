#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# The whole tree compiles with clang, too, without a warning. clang-tidy (analysis.sh) asks clang's front end every time;
# this also generates code, which takes a minute and more: only with FULL=1.
# timeout: 1200
. tests/lib/env.sh
[ -n "${FULL-}" ] || skip_all "it builds the tree anew: run it with FULL=1"
need clang make
cd "$TOP" || exit 1
check "make CC=clang WERROR=1" make --no-print-directory -j2 O="$WORK/out" CC=clang WERROR=1 \
	BPFTOOL="$(scripts/find-bpftool.sh)" build
for program in ctrace ctrace-trace ctrace-image ctrace-serve ctrace-top; do
	check "$program runs" "$WORK/out/$program" --version
done
done_testing
