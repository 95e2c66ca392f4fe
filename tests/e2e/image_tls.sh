#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Registries over TLS: a private CA by SSL_CERT_FILE and by certs.d, token auth, client certificates; and the ways in
# which a certificate can be wrong. In a network namespace of its own, where a second address is no loopback.
if [ -z "${CTRACE_TEST_NETNS-}" ] && [ "$(id -u)" = 0 ]; then
	CTRACE_TEST_NETNS=1 exec unshare --net bash "$0"
fi
. tests/lib/env.sh
. tests/lib/images.sh
need_root
need openssl docker-registry ip curl
busybox_image || skip_all "no busybox image"

ip link set lo up && ip address add 10.99.0.1/32 dev lo || skip_all "no second address on lo"
export CTRACE_ROOT=$WORK/root CTRACE_NO_FALLBACK=1 CTRACE_STALL_SECONDS=2 CTRACE_CONFIG=$WORK/etc/config.json
export HOME=$WORK DOCKER_CONFIG=$WORK
unset SSL_CERT_FILE SSL_CERT_DIR CTRACE_REGISTRY_MIRROR
mkdir -p "$WORK/etc"
echo '{}' >"$CTRACE_CONFIG"
tls=$WORK/tls
mkdir "$tls"

# ca NAME
ca()
{
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tls/$1.key" -out "$tls/$1.crt" -days 30 -subj "/CN=$1" \
		-addext basicConstraints=critical,CA:TRUE 2>/dev/null
}

# certificate NAME CA SAN [OPTION...]: NAME.crt and NAME.key, signed by the CA
certificate()
{
	local name=$1 signer=$2

	printf 'subjectAltName=%s\n' "$3" >"$tls/$name.ext"
	shift 3
	openssl req -newkey rsa:2048 -nodes -keyout "$tls/$name.key" -out "$tls/$name.csr" -subj "/CN=$name" 2>/dev/null &&
		openssl x509 -req -in "$tls/$name.csr" -CA "$tls/$signer.crt" -CAkey "$tls/$signer.key" -CAcreateserial \
			-extfile "$tls/$name.ext" -out "$tls/$name.crt" "${@:--days=30}" 2>/dev/null
}

# registry CERTIFICATE ADDRESS: docker-registry over TLS; PORT
registry()
{
	PORT=$(free_port)
	cat >"$WORK/registry-$PORT.yml" <<END
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: $WORK/registry } }
http: { addr: "$2:$PORT", secret: test, tls: { certificate: $tls/$1.crt, key: $tls/$1.key } }
END
	env -i PATH="$PATH" OTEL_TRACES_EXPORTER=none docker-registry serve "$WORK/registry-$PORT.yml" >"$WORK/log-$PORT" 2>&1 &
	on_exit stop_process $!
	wait_for 15 curl --silent --insecure --output /dev/null "https://$2:$PORT/v2/"
}

# good WHAT NAME; bad WHAT NAME PATTERN...: each pattern must be in what it says
good()
{
	"$CTRACE" pull "$2" >"$WORK/out" 2>&1
	is $? 0 "$1" || diag "$(cat "$WORK/out")"
	"$CTRACE" rmi "$2" >/dev/null 2>&1
}

bad()
{
	local what=$1 code pattern

	timeout 30 "$CTRACE" pull "$2" >"$WORK/out" 2>&1
	code=$?
	shift 2
	is "$code" 1 "$what: refused"
	for pattern; do
		like "$(cat "$WORK/out")" "$pattern" "$what: it says why ($pattern)"
	done
}

# trust HOST:PORT CA: as an administrator does it
trust()
{
	mkdir -p "$WORK/etc/certs.d/$1"
	cp "$tls/$2.crt" "$WORK/etc/certs.d/$1/ca.crt"
}

ca ca && ca other-ca && certificate good ca IP:127.0.0.1,IP:10.99.0.1 && certificate wrong-host ca DNS:registry.test ||
	skip_all "openssl makes no certificate"
certificate expired ca IP:10.99.0.1 -days -1
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tls/self.key" -out "$tls/self.crt" -days 30 -subj /CN=self \
	-addext subjectAltName=IP:10.99.0.1 2>/dev/null

# The images go in over plain http; the TLS registries share the directory.
registry_start || skip_all "no registry"
registry_push "$BUSYBOX_OCI" test/busybox:latest || skip_all "the registry takes no image"
plain=$REGISTRY

registry good 10.99.0.1
far=10.99.0.1:$PORT
bad "an unknown CA" "$far/test/busybox" "certificate of https://$far" "unable to get local issuer|self-signed|unable to verify" \
	"certs.d/$far/ca.crt"
SSL_CERT_FILE=$tls/ca.crt good "SSL_CERT_FILE names the CA" "$far/test/busybox"
mkdir "$tls/dir" && cp "$tls/ca.crt" "$tls/dir/$(openssl x509 -hash -noout -in "$tls/ca.crt").0"
SSL_CERT_DIR=$tls/dir good "SSL_CERT_DIR does" "$far/test/busybox"
SSL_CERT_FILE=$tls/other-ca.crt bad "another CA" "$far/test/busybox" "certificate of https://$far"
SSL_CERT_FILE=$tls/none.crt bad "a CA file that is not there" "$far/test/busybox" "$far" "none.crt"
trust "$far" ca
good "certs.d/HOST:PORT/ca.crt names the CA" "$far/test/busybox"
trust "$far" other-ca
bad "certs.d with another CA" "$far/test/busybox" "certificate of https://$far"
rm -r "$WORK/etc/certs.d/$far"
echo "{\"insecure_registries\": [\"$far\"]}" >"$CTRACE_CONFIG"
good "a registry that is listed as insecure may have any certificate" "$far/test/busybox"
echo '{}' >"$CTRACE_CONFIG"

# As a mirror of docker.io.
trust "$far" ca
export CTRACE_REGISTRY_MIRROR=https://$far
good "a mirror over TLS" test/busybox
unset CTRACE_REGISTRY_MIRROR

registry wrong-host 10.99.0.1
trust "10.99.0.1:$PORT" ca
bad "a certificate of another host" "10.99.0.1:$PORT/test/busybox" "certificate of https://10.99.0.1:$PORT" \
	"no alternative certificate subject name matches|does not match|IP address mismatch"
registry expired 10.99.0.1
trust "10.99.0.1:$PORT" ca
bad "an expired certificate" "10.99.0.1:$PORT/test/busybox" "certificate of https://10.99.0.1:$PORT" expired
registry self 10.99.0.1
bad "a self-signed certificate" "10.99.0.1:$PORT/test/busybox" "certificate of https://10.99.0.1:$PORT" "self.signed"
trust "10.99.0.1:$PORT" self
good "which is trusted once it is in certs.d" "10.99.0.1:$PORT/test/busybox"

# Loopback: any certificate, as docker has it, until one is kept for it.
registry good 127.0.0.1
near=127.0.0.1:$PORT
good "loopback needs no CA" "$near/test/busybox"
trust "$near" other-ca
bad "unless one is kept for it" "$near/test/busybox" "certificate of https://$near"
trust "$near" ca
good "loopback with its CA" "$near/test/busybox"

# Plain http and TLS mistaken for each other.
rm -r "$WORK/etc/certs.d/$near"
CTRACE_REGISTRY_MIRROR=http://$near bad "plain http to a TLS port" test/busybox "http://$near" "HTTP request to an HTTPS server"
CTRACE_REGISTRY_MIRROR=https://$plain bad "TLS to a plain http port" test/busybox "https://$plain"
trust "$plain" ca
bad "a registry with a CA does not fall back to plain http" "$plain/test/busybox" "https://$plain" "plain http"
rm -r "$WORK/etc/certs.d/$plain"

# Token auth, redirects and client certificates, from a server that misbehaves on purpose.
fault_start()
{
	rm -f "$WORK/ports"
	/usr/bin/python3 "$LIB/fault_registry.py" "$BUSYBOX_OCI" "$WORK/fault.log" "$@" >"$WORK/ports" 2>"$WORK/fault.err" &
	on_exit stop_process $!
	wait_for 10 test -s "$WORK/ports"
	read -r PORT OTHER <"$WORK/ports"
}

fault_start "$tls/good.crt" "$tls/good.key"
trust "127.0.0.1:$PORT" ca
good "a token is fetched over TLS" "127.0.0.1:$PORT/x/auth"
like "$(cat "$WORK/fault.log")" "$PORT /v2/x/auth/manifests/latest Authorization=Bearer SECRET" "and sent"
: >"$WORK/fault.log"
bad "a redirect from TLS to plain http" "127.0.0.1:$PORT/x/redirect" "redirects to plain http" "https://127.0.0.1:$PORT" \
	"http://127.0.0.1:$OTHER"
unlike "$(cat "$WORK/fault.log")" "^$OTHER " "which is not even asked"
fault_start "$tls/good.crt" "$tls/good.key" "$tls/ca.crt"
trust "127.0.0.1:$PORT" ca
bad "a client without the certificate that a registry wants" "127.0.0.1:$PORT/x/ok" "127.0.0.1:$PORT"
certificate client ca DNS:client
cp "$tls/client.crt" "$WORK/etc/certs.d/127.0.0.1:$PORT/client.cert"
cp "$tls/client.key" "$WORK/etc/certs.d/127.0.0.1:$PORT/client.key"
good "client.cert and client.key in certs.d" "127.0.0.1:$PORT/x/ok"

is "$(find "$CTRACE_ROOT" -type f ! -name references.json ! -name lock | head -n 3)" "" "nothing is left in the store"
done_testing
