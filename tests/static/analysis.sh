#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# The C code is clean for clang-tidy (with clang's warnings), cppcheck and, where it matters most, gcc -fanalyzer;
# .clang-tidy, cppcheck.txt and targets.mk say what is not asked for, and why. `make analyze` runs more.
# timeout: 900
. tests/lib/env.sh
need clang-tidy cppcheck gcc make
cd "$TOP" || exit 1

# The objects are there; only what changed is analysed again.
find_nothing()
{
	make --no-print-directory -k -j2 O="${CTRACE_OUTPUT#"$TOP/"}" check-static >"$WORK/said" 2>&1 && return
	grep -vE '^  [A-Z]+ ' "$WORK/said"
	return 1
}
check "clang-tidy, cppcheck and gcc -fanalyzer find nothing" find_nothing

# Neither tool is silent because it did not run.
cat >"$WORK/bad.c" <<'END'
#include <string.h>
#include <stdlib.h>

int bad(const char *s);
int bad(const char *s)
{
	char *p = malloc(3);
	int n[2] = { 1, 2 };

	free(p);
	free(p);
	return strlen(s) > sizeof(s) ? n[2] : 0;
}
END
finds()
{
	! "$@" >"$WORK/found" 2>&1 && grep -Eq 'bad.c:[0-9]+' "$WORK/found"
}
check "gcc -fanalyzer finds a double free" finds gcc -fanalyzer -Werror -S -o /dev/null "$WORK/bad.c"
check "cppcheck finds it, too" finds cppcheck --quiet --error-exitcode=1 "$WORK/bad.c"
cp .clang-tidy "$WORK"
check "clang-tidy finds an index too large" finds clang-tidy --quiet "$WORK/bad.c" -- -Warray-bounds
done_testing
