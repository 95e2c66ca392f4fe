#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make install: what lies where, how it is hardened, that it runs from there; make uninstall leaves nothing.
. tests/lib/env.sh
need make readelf
cd "$TOP" || exit 1

root=$WORK/root
prefix=/opt/ctrace
make_it()
{
	make --no-print-directory O="${CTRACE_OUTPUT#"$TOP/"}" DESTDIR="$root" PREFIX=$prefix "$@"
}

mkdir "$root"
check "make install with DESTDIR and PREFIX" make_it install
outside=$(cd "$root" && find . -mindepth 1 ! -path "./opt*")
is "$outside" "" "nothing is installed outside of the prefix"
writable=$(find "$root" ! -type l -perm /022)
is "$writable" "" "nothing there is writable by others"

installed=$root$prefix
release=$(awk -F '[()]' '{ print $2; exit }' debian/changelog)
like "$("$installed/bin/ctrace" --version)" "^ctrace ${release//./\\.}(\+g[0-9a-f]+(-dirty)?)?$" "its version is the changelog's"
for command in run oci trace pull serve top; do
	check "ctrace $command --help runs from there" "$installed/bin/ctrace" "$command" --help
done
check "ctrace-oci, too" "$installed/bin/ctrace-oci" --version
check "ctrace doctor, too, which finds its program beside it" "$installed/bin/ctrace" doctor
like "$(cat "$installed/lib/systemd/system/ctrace-serve.service")" "^ExecStart=$prefix/bin/ctrace serve" \
	"the unit starts what was installed"
is "$(find "$root" -name '*.wants')" "" "and is not enabled"

# The ELF file says what it was linked with. NAME FILE.
is_hardened()
{
	local headers dynamic

	headers=$(readelf --wide --file-header --program-headers "$1")
	dynamic=$(readelf --wide --dynamic "$1")
	grep -q 'Type: *DYN' <<< "$headers" || echo "it is not position independent"
	grep -q 'Flags:.* PIE' <<< "$dynamic" || echo "it is not marked as PIE"
	grep -q GNU_RELRO <<< "$headers" || echo "no RELRO"
	grep -q BIND_NOW <<< "$dynamic" || echo "RELRO is not full"
	grep -q 'GNU_STACK.* RW ' <<< "$headers" || echo "its stack is executable"
	! grep -q ' LOAD .* RWE ' <<< "$headers" || echo "a segment is writable and executable"
	! grep -Eq 'RPATH|RUNPATH' <<< "$dynamic" || echo "it looks for libraries in a path of its own"
	! grep -q TEXTREL <<< "$dynamic" || echo "relocations in its code"
	readelf --wide --symbols --dyn-syms "$1" | grep -q __stack_chk_fail || echo "no stack protector"
	readelf --wide --dyn-syms "$1" | grep -Eq '__[a-z]+_chk(@|$)' || echo "no _FORTIFY_SOURCE"
}

# Control flow protection is a property of the whole program: the C library's start files must have it, too.
protection()
{
	readelf --wide --notes "$1" 2>/dev/null | grep -Eo 'IBT|SHSTK|BTI|PAC' | sort | paste -sd ' '
}
cc=$(command -v gcc)
echo 'int main(void) { return 0; }' >"$WORK/empty.c"
case $(uname -m) in
x86_64) "$cc" -fcf-protection -o "$WORK/empty" "$WORK/empty.c" ;;
*) "$cc" -mbranch-protection=standard -o "$WORK/empty" "$WORK/empty.c" ;;
esac
possible=$(protection "$WORK/empty")

for program in bin/ctrace libexec/ctrace/ctrace-{trace,image,serve,top}; do
	if nm "$installed/$program" 2>/dev/null | grep -q __asan_init; then
		skip_point "$program is hardened" "it is built with sanitizers"
		continue
	fi
	is "$(is_hardened "$installed/$program")" "" "$program is hardened"
	is "$(protection "$installed/$program")" "$possible" "and has the control flow protection of this toolchain (${possible:-none})"
	is "$(grep -aFo -- "$TOP/" "$installed/$program" | head -n 1)" "" "and names no path of the machine that built it"
done
# The objects have it, whatever the C library's have.
if [ "$(uname -m)" = x86_64 ] && [ -z "${SAN-}" ] && [ -e "$CTRACE_OUTPUT/userspace/util/strbuf.o" ]; then
	is "$(protection "$CTRACE_OUTPUT/userspace/util/strbuf.o")" "IBT SHSTK" "our own objects have CET"
fi

if have groff; then
	for page in "$installed"/share/man/man*/*; do
		is "$(cd "$installed/share/man" && groff -man -Tutf8 -ww -z -s "${page}" 2>&1)" "" "$(basename "$page") renders without a warning"
	done
fi
have bash && check "the completion loads" bash -n "$installed/share/bash-completion/completions/ctrace"

# What others have put there stays.
echo other >"$installed/bin/other"
check "make uninstall" make_it uninstall
is "$(cd "$root" && find . -type f -o -type l)" ".$prefix/bin/other" "it removes all that was installed, and nothing else"
rm "$installed/bin/other"
check "make uninstall again" make_it uninstall
is "$(find "$root" -mindepth 1)" "" "nothing is left"
done_testing
