#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pull, images and rmi against Debian's docker-registry, with OCI and docker manifests, archives, zstd.
set -u
work=$(mktemp -d /tmp/ctrace-image.XXXXXX)
count=0
registry=
trap '[ -n "$registry" ] && kill "$registry" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
check() { # WHAT STATUS
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then echo "ok $count - $1"; else
		echo "not ok $count - $1"; sed 's/^/# /' "$work/out" | head -8; fi
}
for tool in docker-registry skopeo; do
	command -v $tool > /dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
export CTRACE_ROOT=$work/root CTRACE_NO_FALLBACK=1 CTRACE_CONFIG=$work/config.json HOME=$work
echo '{}' > "$work/config.json"

mkdir -p "$work/tree/etc" "$work/tree/bin"
cp /bin/busybox "$work/tree/bin/busybox"
echo one > "$work/tree/etc/one"
tar -C "$work/tree" -cf "$work/a.tar" .
echo two > "$work/two"
tar -C "$work" -cf "$work/b.tar" two
gzip -k "$work/a.tar"
gzip -k "$work/b.tar"
python3 tests/lib/make_layout.py "$work/layout" "$work/a.tar.gz" "$work/b.tar.gz"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > "$work/registry.yml" <<YML
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: 127.0.0.1:$port}
YML
docker-registry serve "$work/registry.yml" > "$work/registry.log" 2>&1 &
registry=$!
for _ in $(seq 50); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.1; done
push() { # FORMAT NAME
	skopeo copy -q --insecure-policy --dest-tls-verify=false --format "$1" "oci:$work/layout:latest" \
		"docker://127.0.0.1:$port/$2" > "$work/out" 2>&1
}
push oci library/ubuntu:latest && push v2s2 my/app:v2
check 'the registry is filled' $?
export CTRACE_REGISTRY_MIRROR=http://127.0.0.1:$port

name=$("$CTRACE" pull ubuntu 2> "$work/out")
[ $? -eq 0 ] && [ "$name" = docker.io/library/ubuntu:latest ] &&
	grep -q '^Digest: sha256:' "$work/out" && grep -q 'Status: Downloaded newer image for ubuntu:latest' "$work/out"
check 'pull by way of the mirror' $?
"$CTRACE" pull ubuntu > "$work/out" 2>&1 && grep -q 'Image is up to date' "$work/out" &&
	[ "$(grep -c 'Already exists' "$work/out")" = 2 ]
check 'pulled again, it is up to date' $?
[ "$("$CTRACE" pull -q ubuntu 2>&1)" = docker.io/library/ubuntu:latest ]
check 'pull -q prints the name only' $?
"$CTRACE" pull "127.0.0.1:$port/my/app:v2" > "$work/out" 2>&1
check "pull from a loopback registry over http, docker's manifest" $?
"$CTRACE" images > "$work/out"
grep -Eq '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$' "$work/out" && grep -Eq '^ubuntu +latest +[0-9a-f]{12} +2 years ago +' "$work/out" &&
	grep -Eq "^127.0.0.1:$port/my/app +v2 " "$work/out"
check "images has docker's columns" $?
"$CTRACE" images --format json | python3 -c '
import json, sys
rows = [json.loads(l) for l in sys.stdin]
assert {r["Repository"] for r in rows} >= {"ubuntu"} and all(len(r["ID"]) == 12 for r in rows)' > "$work/out" 2>&1
check 'images --format json' $?
[ "$("$CTRACE" images -q --no-trunc ubuntu | grep -Ec '^sha256:[0-9a-f]{64}$')" = 1 ]
check 'images -q --no-trunc REPOSITORY' $?
[ "$("$CTRACE" images --format '{{.Repository}}:{{.Tag}} {{json .Tag}}' ubuntu)" = 'ubuntu:latest "latest"' ] &&
	[ "$("$CTRACE" images --format 'table {{.Tag}}\t{{.Repository}}' ubuntu | sed 's/  */ /g')" = $'TAG REPOSITORY\nlatest ubuntu' ] &&
	"$CTRACE" images --format '{{json .}}' ubuntu | grep -q '"Repository":"ubuntu","Tag":"latest"'
check 'images --format takes templates' $?
"$CTRACE" images --digests ubuntu | sed -n 2p | grep -Eq '^ubuntu +latest +sha256:[0-9a-f]{64} +[0-9a-f]{12} '
check 'images --digests' $?
[ "$("$CTRACE" images -q -f reference='ubu*' | wc -l)" = 1 ] && [ "$("$CTRACE" images -q -f reference='*:v2' | wc -l)" = 0 ] &&
	[ "$("$CTRACE" images -q -f 'reference=*/*/*:v2' | wc -l)" = 1 ] && [ -z "$("$CTRACE" images -aq -f dangling=true)" ] &&
	[ "$("$CTRACE" images -q -f dangling=false | wc -l)" = 2 ] && [ -z "$("$CTRACE" images -q -f label=nosuch)" ]
check 'images --filter' $?
[ "$(find "$CTRACE_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ]
check 'both images share their layers' $?
id=$("$CTRACE" images -q --no-trunc ubuntu)
mkdir -p "$CTRACE_ROOT/holds/${id#sha256:}"
: > "$CTRACE_ROOT/holds/${id#sha256:}/web"
"$CTRACE" rmi "127.0.0.1:$port/my/app:v2" > "$work/out" 2>&1 && grep -q '^Untagged: 127' "$work/out"
check 'rmi of one name' $?
"$CTRACE" rmi ubuntu > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'container web uses its image' "$work/out" && "$CTRACE" images -q | grep -q .
check 'rmi refuses while a container uses the image' $?
rm -r "$CTRACE_ROOT/holds/${id#sha256:}"
"$CTRACE" rmi ubuntu > "$work/out" 2>&1 && grep -q '^Deleted: sha256:' "$work/out" &&
	[ -z "$(find "$CTRACE_ROOT/layers" "$CTRACE_ROOT/images" "$CTRACE_ROOT/tmp" -mindepth 1)" ]
check 'rmi frees the layers' $?
"$CTRACE" rmi ubuntu > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'no such image: ubuntu' "$work/out"
check 'rmi of what is not there' $?

for i in 1 2 3 4; do "$CTRACE" pull -q ubuntu > "$work/out$i" 2>&1 & pulls[i]=$!; done
rc=0
for i in 1 2 3 4; do wait "${pulls[i]}" || rc=1; done
[ $rc -eq 0 ] && [ "$(find "$CTRACE_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" = 2 ] &&
	[ -z "$(find "$CTRACE_ROOT/tmp" -mindepth 1)" ] && [ "$("$CTRACE" images -q | wc -l)" = 1 ]
check 'four pulls at once' $?
"$CTRACE" rmi ubuntu > /dev/null

skopeo copy -q --insecure-policy "oci:$work/layout:latest" "docker-archive:$work/saved.tar:app:v1" > "$work/out" 2>&1
"$CTRACE" pull "docker-archive:$work/saved.tar" > "$work/out" 2>&1 &&
	cmp -s "$CTRACE_ROOT"/layers/*/diff/etc/one "$work/tree/etc/one"
check 'a docker archive' $?
"$CTRACE" rmi "docker-archive:$work/saved.tar" > "$work/out" 2>&1
"$CTRACE" pull "docker-archive:$work/saved.tar:app:v1" > "$work/out" 2>&1
check 'a docker archive, one image by name' $?
"$CTRACE" pull "docker-archive:$work/saved.tar:other:v1" > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'no image named "other:v1"' "$work/out"
check 'a name that the archive lacks' $?
"$CTRACE" pull "oci:$work/layout:latest" > "$work/out" 2>&1
check 'an OCI layout, one image by name' $?

# load and save
is() { # WHAT GOT WANTED
	[ "$2" = "$3" ]
	check "$1" $? || :
	[ "$2" = "$3" ] || printf '# %s\n' "got: $2" "wanted: $3"
}
ids() { "$CTRACE" images --no-trunc --format '{{.ID}}' "$1"; }
gzip -k "$work/saved.tar"
is 'load of what is compressed' "$("$CTRACE" load -i "$work/saved.tar.gz" 2>&1)" 'Loaded image: app:v1'
is 'load from stdin, once more' "$("$CTRACE" load < "$work/saved.tar" 2>&1)" 'Loaded image: app:v1'
"$CTRACE" tag app:v1 app:v2
"$CTRACE" save -o "$work/mine.tar" app > "$work/out" 2>&1 && "$CTRACE" image save app:v1 app:v2 2>> "$work/out" | cmp - "$work/mine.tar" >> "$work/out" &&
	[ -z "$(find "$work" -name '*.part')" ]
check 'save to a file and to stdout; a name without a tag is all tags' $?
is 'two names, one image in it' "$(tar xOf "$work/mine.tar" manifest.json | python3 -c '
import json, sys
m = json.load(sys.stdin)
print(len(m), *m[0]["RepoTags"], len(m[0]["Layers"]))')" '1 app:v1 app:v2 2'
for from in "docker-archive:$work/mine.tar:app:v2" "oci-archive:$work/mine.tar:v1"; do
	rm -rf "$work/copied"
	skopeo copy -q --insecure-policy "$from" "oci:$work/copied:x" > "$work/out" 2>&1 && "$CTRACE" pull "oci:$work/copied:x" >> "$work/out" 2>&1
	check "skopeo takes ${from%%:*}" $?
	"$CTRACE" rmi "oci:$work/copied:x" > /dev/null
done
old=$(ids app:v2)
is 'load of the same names again' "$("$CTRACE" image load -qi "$work/mine.tar" 2>&1)" \
	"$(for tag in v1 v2; do echo "The image app:$tag already exists, renaming the old one with ID $old to empty string
Loaded image: app:$tag"; done)"
[ "$(ids app:v1)" = "$(ids app:v2)" ] && [ "$(ids app:v1)" != "$old" ] && "$CTRACE" save app | cmp - "$work/mine.tar" > "$work/out" 2>&1
check 'what was loaded is saved as the same bytes' $?
"$CTRACE" save -o "$work/nameless.tar" "$old"
is 'an image without a name' "$("$CTRACE" load -i "$work/nameless.tar" 2>&1)" "Loaded image ID: $(ids app:v1)"
fails() { # TEXT COMMAND...
	local text=$1 out code
	shift
	out=$("$CTRACE" "$@" 2>&1 < "${stdin:-/dev/null}")
	code=$?
	is "$1 fails: $text" "$code $out" "1 ctrace $1: $text"
}
head -c 5000 "$work/mine.tar" > "$work/cut.tar"
mkdir "$work/unpacked" && tar xf "$work/mine.tar" -C "$work/unpacked" && rm "$work/unpacked/manifest.json" && tar cf "$work/oci.tar" -C "$work/unpacked" .
fails 'no such image: nosuch' save nosuch app
fails "invalid output path $work/no/where: No such file or directory" save -o "$work/no/where" app
fails "invalid output path $work: cannot write to a directory" save -o "$work" app
fails "cannot open $work/nosuch: No such file or directory" load -i "$work/nosuch"
fails "cannot read $work: Is a directory" load -i "$work"
fails 'stdin is no docker archive: Unrecognized archive format' load
fails "$work/cut.tar is damaged: Truncated tar archive" load -i "$work/cut.tar"
fails "$work/oci.tar is no docker archive: it has no manifest.json, but an OCI layout: unpack it, and ctrace pull oci:DIR" load -i "$work/oci.tar"
for name in 'Bad Name' "app@$old"; do
	printf '[{"Config":"c","RepoTags":["%s"],"Layers":[]}]' "$name" > "$work/manifest.json"
	tar cf "$work/named.tar" -C "$work" manifest.json
	"$CTRACE" load -i "$work/named.tar" > "$work/out" 2>&1
	[ $? -eq 1 ] && grep -q "named.tar: manifest.json has the name.*$name" "$work/out"
	check "load refuses the name ${name%@*}..." $?
done
if command -v script > /dev/null; then
	script -qec "$CTRACE save app; $CTRACE load" /dev/null > "$work/out" 2>&1
	grep -q 'save: cowardly refusing to save to a terminal' "$work/out" && grep -q 'load: requested load from stdin' "$work/out"
	check 'neither reads or writes a terminal' $?
fi
[ -z "$(find "$CTRACE_ROOT/tmp" -mindepth 1)" ]
check 'nothing is left behind' $?

"$CTRACE" pull "oci:$work/tree" > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'no OCI image layout' "$work/out"
check 'a directory that is no layout' $?
"$CTRACE" pull oci:/no/where > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'no such file or directory' "$work/out"
check 'a layout that does not exist' $?

if bsdtar --version 2> /dev/null | grep -q zstd || command -v zstd > /dev/null; then
	zstd -q "$work/a.tar" -o "$work/a.tar.zst" 2> /dev/null || bsdtar --zstd -cf "$work/a.tar.zst" "@$work/a.tar"
	python3 tests/lib/make_layout.py "$work/zstd" "$work/a.tar.zst" "$work/b.tar" > "$work/out" 2>&1 &&
		"$CTRACE" pull "oci:$work/zstd" > "$work/out" 2>&1 &&
		cmp -s "$(find "$CTRACE_ROOT/layers" -name one | head -1)" "$work/tree/etc/one"
	check 'a zstd layer and a plain one' $?
else
	count=$((count + 1)); echo "ok $count - a zstd layer # SKIP zstd is not installed"
fi

if command -v script > /dev/null; then
	"$CTRACE" images -q | sort -u | xargs "$CTRACE" rmi -f > /dev/null
	script -qec "stty cols 80; $CTRACE pull ubuntu" /dev/null > "$work/out" 2>&1
	grep -q $'\033\[K[0-9a-f]\{12\}: Pull complete' "$work/out" && grep -q $'\033\[2A' "$work/out"
	check 'progress on a terminal is drawn in place' $?
else
	count=$((count + 1)); echo "ok $count - progress on a terminal # SKIP script is not installed"
fi
# As docker's client: 1, but 125 for options.
for bad in '1 pull' '1 pull a b' '125 pull --nonsense a' '1 rmi' '1 images a b' '125 images --nonsense' '125 images -f x' \
	'1 images -f x=y' '1 images -f dangling=x' '1 images --format {{' '1 images --format {{.Nonsense}}'; do
	# shellcheck disable=SC2086
	"$CTRACE" ${bad#* } > "$work/out" 2>&1
	[ $? -eq "${bad%% *}" ]
	check "ctrace ${bad#* }: ${bad%% *}" $?
done
echo "1..$count"
