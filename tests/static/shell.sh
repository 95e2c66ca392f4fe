#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# Every shell script of the tree is clean for shellcheck; .shellcheckrc says what is not asked for, and why.
. tests/lib/env.sh
need shellcheck
cd "$TOP" || exit 1

# By their first line, since some have no suffix; what is sourced or completed has a suffix.
list_scripts()
{
	find tests scripts completions .ci -type f \( -name '*.sh' -o -name '*.bash' \) -print
	find tests scripts .ci -type f ! -name '*.*' -exec awk 'FNR == 1 { if (/^#!.*[\/ ](ba|da)?sh( |$)/) print FILENAME; nextfile }' {} +
}

mapfile -t scripts < <(list_scripts | sort -u)
check "all of the ${#scripts[@]} scripts are found" [ "${#scripts[@]}" -gt 50 ]
# Two at once, as many at a time as share what they source.
check "shellcheck finds nothing" xargs -P 2 -n 40 shellcheck -f gcc < <(printf '%s\n' "${scripts[@]}")
done_testing
