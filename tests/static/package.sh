#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package builds, contains what it should, and lintian is content; two builds give the same bytes. Both build
# the whole tree anew, so only with FULL=1.
# timeout: 2400
. tests/lib/env.sh
[ -n "${FULL-}" ] || skip_all "it builds the tree three times: run it with FULL=1"
need dpkg-buildpackage dh
cd "$TOP" || exit 1

bpftool=$(scripts/find-bpftool.sh)
copy_tree()
{
	mkdir -p "$1"
	tar --exclude=.git --exclude=.output --exclude=__pycache__ -cf - . | tar -C "$1" -xf -
}

# In directories whose names differ in length, one after the other, at other times of day and in another zone.
copy_tree "$WORK/one"
copy_tree "$WORK/another/directory"
build_in()
{
	(cd "$1" && make -j2 BPFTOOL="$bpftool" build)
}
check "the tree builds without a repository" build_in "$WORK/one"
check "and elsewhere" env TZ=Asia/Tokyo LC_ALL=C bash -c "cd '$WORK/another/directory' && make -j1 BPFTOOL='$bpftool' build"
for program in ctrace ctrace-trace ctrace-image ctrace-serve ctrace-top bpf/ctrace.o bpf/ctrace_direct.o; do
	check "$program is the same in both" cmp "$WORK/one/.output/$program" "$WORK/another/directory/.output/$program"
done
rm -rf "$WORK/another"

check "make deb" make -C "$WORK/one" -j2 deb
package=$(echo "$WORK"/one/.output/deb/ctrace_*.deb)
release=$(awk -F '[()]' '{ print $2; exit }' debian/changelog)
is "$(dpkg-deb --field "$package" Version)" "$release" "the package has the changelog's version"
depends=$(dpkg-deb --field "$package" Depends)
for library in libbpf1 libseccomp2 libarchive13 libjson-c5 libmnl0; do
	like "$depends" "$library" "it depends on $library"
done
mkdir "$WORK/control"
dpkg-deb --control "$package" "$WORK/control"
is "$(ls "$WORK/control/conffiles" 2>&1 >/dev/null | wc -l)" 1 "it has no configuration files"
# An enabling postinst asks nothing first; this one only repeats what the administrator chose.
like "$(cat "$WORK/control/postinst")" "debian-installed 'ctrace-serve.service'" "it enables no service"
unlike "$(cat "$WORK/control/postinst")" "systemctl.*start|deb-systemd-invoke" "and starts none"
check "it unpacks" dpkg-deb --extract "$package" "$WORK/root"
for path in usr/bin/ctrace usr/bin/ctrace-oci usr/libexec/ctrace/ctrace-trace lib/systemd/system/ctrace-serve.service \
	usr/share/man/man1/ctrace.1.gz usr/share/bash-completion/completions/ctrace usr/share/doc/ctrace/README.md.gz \
	usr/share/zsh/vendor-completions/_ctrace usr/share/fish/vendor_completions.d/ctrace.fish \
	usr/share/doc/ctrace/copyright; do
	check "it has /$path" test -e "$WORK/root/$path"
done
is "$("$WORK/root/usr/bin/ctrace" --version)" "ctrace $release" "its ctrace runs and knows its version"
check "its doctor runs" "$WORK/root/usr/bin/ctrace" doctor
if have lintian; then
	check "lintian finds nothing" lintian --allow-root --fail-on error,warning "$package"
fi
done_testing
