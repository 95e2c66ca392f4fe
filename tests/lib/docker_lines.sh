# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # run, box and codes are read by tests
# The same words to docker (a real one) and to ctrace: the exit code, what comes on stdout, and for what is refused that both
# messages name the same object. Needs env.sh, images.sh and engines.sh.

lines_start()
{
	docker_start || skip_all "$ENGINE_WHY"
	registry_start || skip_all "no registry"
	export CTRACE_ROOT=$WORK/ctrace CTRACE_RUN=$WORK/run CTRACE_NO_FALLBACK=1 CTRACE_REGISTRY_MIRROR=http://$REGISTRY
	unset CTRACE_CONFIG
	registry_push "$BUSYBOX_OCI" library/busybox:latest >/dev/null && "$CTRACE" pull busybox >/dev/null 2>&1 || skip_all "the image cannot be pulled"
	cd "$WORK" || exit 1
	on_exit lines_clean
}

lines_clean()
{
	local name

	for name in $("$CTRACE" ps -aq --no-trunc); do
		"$CTRACE" rm -fv "$name"
	done
	"$CTRACE" prune --leftovers
	dock ps -aq | xargs -r docker -H "unix://$DOCKER_SOCKET" rm -fv
}

# one docker|ctrace WORD...
one()
{
	local side=$1

	shift
	[ "$1" = docker ] && shift
	if [ "$side" = docker ]; then
		dock "$@"
	elif [ "$1" = run ]; then
		shift
		"$CTRACE" run --trace=none "$@"
	else
		"$CTRACE" "$@"
	fi
}

# Ids, addresses, and times are each engine's own.
alike()
{
	sed -E 's/\b[0-9a-f]{64}\b/ID/g; s/\b[0-9a-f]{12}\b/ID/g; s/\b172\.[0-9]+\.[0-9]+\.[0-9]+\b/ADDRESS/g
		s/(About an?|[0-9]+|Less than a) (second|minute|hour)s?( ago)?/TIME/g; s/\r$//'
}

# sides WORD...: docker.out, docker.err, docker_code and ctrace's; stdin comes from the file "input".
sides()
{
	: >>input
	one docker "$@" <input >docker.out 2>docker.err &
	one ctrace "$@" <input >ctrace.out 2>ctrace.err
	ctrace_code=$?
	wait $!
	docker_code=$?
	for side in docker ctrace; do
		alike <$side.out >$side.alike
	done
	[ -z "${SHOW-}" ] || diag "$*" "docker $docker_code: $(tail -n 3 docker.alike) $(cat docker.err)" "ctrace $ctrace_code: $(tail -n 3 ctrace.alike) $(cat ctrace.err)"
}

explain()
{
	diag "docker said: $(cat docker.err)"
	diag "ctrace said: $(cat ctrace.err)"
}

# Of the lines of a file that sets LINES_EACH to N only every Nth is due, to save time; FULL=1: all.
line_is_due()
{
	lines_seen=$((lines_seen + 1))
	[ -n "${FULL-}" ] || [ $((lines_seen % LINES_EACH)) = 0 ] || { lines_left=$((lines_left + 1)); false; }
}

lines_done()
{
	[ "$lines_left" = 0 ] || skip_point "$lines_left of $lines_seen lines" "they take two minutes more: FULL=1 runs them"
	done_testing
}

# both WORD...: the exit codes and the outputs are the same.
both()
{
	line_is_due || return 0
	sides "$@"
	is "$ctrace_code $(cat ctrace.alike)" "$docker_code $(cat docker.alike)" "$*" || explain
}

# refused OBJECT WORD...: and both say OBJECT.
refused()
{
	local object=$1

	line_is_due || return 0
	shift
	sides "$@"
	if [ "$docker_code" = 0 ] || ! grep -qiF -- "$object" docker.err; then
		not_ok "$*: docker refuses it and names $object"
		explain
	elif ! grep -qiF -- "$object" ctrace.err; then
		not_ok "$*: ctrace names $object"
		explain
	else
		is "$ctrace_code $(cat ctrace.alike)" "$docker_code $(cat docker.alike)" "refused: $*" || explain
	fi
}

# meant DOCKER-CODE CTRACE-CODE WORD...: another exit code on purpose. Why stands beside it.
meant()
{
	local codes="$1 $2"

	line_is_due || return 0
	shift 2
	sides "$@"
	is "$docker_code $ctrace_code" "$codes" "on purpose: $*" || explain
}

LINES_EACH=1 lines_seen=0 lines_left=0
run=(run --rm --network none)
box=(busybox sh -c)
