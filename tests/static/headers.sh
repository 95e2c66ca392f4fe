#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# Every file says its licence; every header may be included twice.
. tests/lib/env.sh
cd "$TOP" || exit 1

mapfile -t sources < <(find bpf userspace exporters tui tests scripts completions man .ci debian Makefile* -type f \
	\( -name '*.[ch15]' -o -name '*.sh' -o -name '*.bash' -o -name '*.fish' -o -name _ctrace -o -name '*.py' -o -name '*.mk' -o -name '*.mjs' -o -name '*.js' \
	-o -name '*.css' -o -name '*.service' -o -name '*.def' -o -name 'Makefile*' -o -name run -o -name rules \) 2>/dev/null)
check "all of the ${#sources[@]} files are found" [ "${#sources[@]}" -gt 400 ]

# In the first lines, where people look.
unlicensed=$(awk 'FNR <= 5 && /SPDX-License-Identifier: / { licensed[FILENAME]; nextfile } FNR == 5 { nextfile }
	END { for (i = 1; i < ARGC; i++) if (!(ARGV[i] in licensed)) print ARGV[i] }' "${sources[@]}")
is "$unlicensed" "" "each has an SPDX line"
other=$(grep -L 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause' bpf/*)
is "$other" "" "what the kernel loads is also under the GPL"

mapfile -t headers < <(printf '%s\n' "${sources[@]}" | grep '\.h$')
unguarded=$(awk 'FNR == 1 { name = "" } $1 == "#ifndef" && name == "" { name = $2 }
	name != "" && $0 == "#define " name { guarded[FILENAME]; nextfile }
	END { for (i = 1; i < ARGC; i++) if (!(ARGV[i] in guarded)) print ARGV[i] }' "${headers[@]}")
is "$unguarded" "" "each header has a guard"
doubled=$(awk '$1 == "#ifndef" { print $2; nextfile }' "${headers[@]}" | sort | uniq -d)
is "$doubled" "" "no two have the same"
done_testing
