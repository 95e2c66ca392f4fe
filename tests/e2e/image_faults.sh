#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Registries that misbehave: the error names the object, the exit code is 1, the store stays empty.
set -u
work=$(mktemp -d /tmp/ctrace-image-faults.XXXXXX)
count=0
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

check() { # WHAT STATUS
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then echo "ok $count - $1"; else
		echo "not ok $count - $1"; sed 's/^/# /' "$work/out" | head -5; fi
}

export CTRACE_ROOT=$work/root CTRACE_NO_FALLBACK=1 CTRACE_STALL_SECONDS=1 CTRACE_CONFIG=$work/config.json
export HOME=$work DOCKER_CONFIG=$work
echo '{}' > "$work/config.json"
mkdir -p "$work/tree/dir"
head -c 300000 /dev/urandom > "$work/tree/dir/random"
echo small > "$work/tree/small"
tar -C "$work/tree" -cf "$work/a.tar" .
gzip -k "$work/a.tar"
tar -C "$work/tree" -cf "$work/b.tar" small
python3 tests/lib/make_layout.py "$work/layout" "$work/a.tar.gz" "$work/b.tar"
python3 tests/lib/fault_registry.py "$work/layout" "$work/log" > "$work/ports" &
server=$!
for _ in $(seq 50); do [ -s "$work/ports" ] && break; sleep 0.1; done
read -r port other < "$work/ports"
export CTRACE_REGISTRY_MIRROR=http://127.0.0.1:$port

store() { find "$CTRACE_ROOT" -mindepth 1 ! -name references.json -printf '%P\n' | sort; }
"$CTRACE" images > /dev/null
empty=$(store)

good() { # NAME WHAT
	"$CTRACE" pull "$1" > "$work/out" 2>&1
	local rc=$?
	[ $rc -eq 0 ] && cmp -s "$CTRACE_ROOT"/layers/*/diff/dir/random "$work/tree/dir/random"
	check "$2" $?
	"$CTRACE" rmi "$1" > /dev/null 2>&1
}

bad() { # NAME PATTERN WHAT
	timeout 30 "$CTRACE" pull "$1" > "$work/out" 2>&1
	local rc=$?
	[ $rc -eq 1 ] && grep -Eq "$2" "$work/out" && [ "$(store)" = "$empty" ]
	check "$3" $?
}

good ok 'an honest registry'
good auth 'a token is fetched and sent'
good busy '429 and 503 with Retry-After are waited for'
good break 'a broken connection is resumed'
grep -q 'fault\|/break/.*Range=bytes=[1-9]' "$work/log"
check 'by a Range request' $?
good norange 'a server without Range starts over'
: > "$work/log"
good redirect 'a blob elsewhere is followed'
grep -q "^$other /elsewhere" "$work/log" && ! grep "^$other" "$work/log" | grep -q SECRET
check 'without the token' $?
: > "$work/log"
good urls 'CVE-2020-15157: a layer that says where else it is comes from the registry all the same'
bad foreign 'unsupported type application/vnd.docker.image.rootfs.foreign' 'one that is only elsewhere is refused'
grep -q '/v2/.*Authorization=Bearer SECRET' "$work/log" && ! grep -q "^$other " "$work/log"
check 'nobody else is asked, with or without the token' $?
good relative 'a redirect without a host stays on it'
good chunked 'chunks instead of a length'
good chunkcut 'chunks that end in the middle are resumed'
grep -q '/chunkcut/.*Range=bytes=[1-9]' "$work/log"
check 'by a Range request, too' $?
good close 'a blob that ends with its connection'
good expire 'a token that expires between two layers is fetched anew'
grep -q '/expire/.*Authorization=Bearer SHORT2' "$work/log"
check 'and sent' $?
good date '429 with a date in Retry-After'
good nested 'an index leads to another, and that to the manifest'
good charset 'a media type with a parameter'
good untyped 'a manifest served as application/json'
good platforms 'an index leads to the platform'
bad missing 'manifest unknown' 'an unknown image'
bad denied 'denies access' 'a denied image'
bad flip 'layer sha256:[0-9a-f]{64} has the wrong digest' 'a flipped byte'
bad truncate 'layer sha256:[0-9a-f]{64} is truncated' 'a truncated layer'
bad append 'layer sha256:[0-9a-f]{64} is too long' 'bytes behind the layer'
good lie 'a promise of more than the layer has: the layer is complete'
bad stall 'layer sha256:.* stalls' 'a registry that stalls'
bad loop 'redirects more than' 'a redirect without end'
bad file 'no http or https address|Unsupported|file' 'a redirect to a file'
bad both 'both manifests and layers' 'manifest and index at once'
bad type 'but was served as' 'a type that is not the one served'
bad huge 'more than is allowed' 'a huge manifest'
bad deep 'not valid JSON' 'a deep manifest'
bad notjson 'not valid JSON' 'a manifest that is no JSON'
bad layers 'at most 500' 'too many layers'
bad config 'image configuration sha256:.* wrong digest' 'a changed configuration'
digest=$(python3 -c "import json;print(json.load(open('$work/layout/index.json'))['manifests'][0]['digest'])")
good "ok@$digest" 'a pull by digest'
bad "wrongmanifest@$digest" 'manifest sha256:.* wrong digest' 'a manifest that is not what the digest says'
bad 'x/Y' 'must be lowercase' 'a malformed reference'
"$CTRACE" pull --platform linux/arm64 platforms > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'no image for linux/arm64; it has: linux/s390x, linux/amd64' "$work/out"
check 'a platform that the index lacks' $?
"$CTRACE" pull --platform linux/arm64 ok > "$work/out" 2>&1
[ $? -eq 1 ] && grep -q 'its platform is linux/amd64, not linux/arm64' "$work/out" && [ "$(store)" = "$empty" ]
check 'an only manifest of another platform' $?
CTRACE_REGISTRY_MIRROR=http://127.0.0.1:1 bad ubuntu 'cannot reach http://127.0.0.1:1.*CTRACE_REGISTRY_MIRROR' \
	'an unreachable registry'
CTRACE_REGISTRY_MIRROR=http://192.0.2.1 bad ubuntu 'plain http is for loopback' 'plain http to a stranger'
setsid "$CTRACE" pull stall > "$work/out" 2>&1 &
disown
for _ in $(seq 100); do [ -n "$(ls -A "$CTRACE_ROOT/tmp" 2> /dev/null)" ] && break; sleep 0.1; done
pkill -KILL -s $! # a session of its own
[ -n "$(find "$CTRACE_ROOT/tmp" -mindepth 1)" ]
check 'a killed pull leaves its staging directory' $?
"$CTRACE" pull missing > "$work/out" 2>&1
[ "$(store)" = "$empty" ]
check 'what a killed pull left is cleaned by the next' $?
echo "1..$count"
