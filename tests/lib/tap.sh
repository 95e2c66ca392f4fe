# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Test points for scripts, in TAP. done_testing must be the last call.

tap_count=0
tap_failed=0

ok()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $*"
}

not_ok()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $*"
}

# skip_point WHAT WHY
skip_point()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# The whole script cannot run here.
skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# check WHAT COMMAND...: the command must succeed. Its output is shown when it does not.
check()
{
	local what=$1

	shift
	# Not in a subshell: the command may set variables and start what a trap must stop.
	if "$@" >"$WORK/.check" 2>&1; then
		ok "$what"
	else
		not_ok "$what"
		diag "$* said: $(tail -n 20 "$WORK/.check")"
		return 1
	fi
}

# is GOT WANTED WHAT
is()
{
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3"
		diag "got:    $1"
		diag "wanted: $2"
		return 1
	fi
}

# like TEXT EXTENDED-REGEX WHAT
like()
{
	if grep -Eq -- "$2" <<< "$1"; then
		ok "$3"
	else
		not_ok "$3"
		diag "got:    $1"
		diag "wanted a match of: $2"
		return 1
	fi
}

# unlike TEXT EXTENDED-REGEX WHAT
unlike()
{
	if grep -Eq -- "$2" <<< "$1"; then
		not_ok "$3"
		diag "got:    $1"
		diag "wanted no match of: $2"
		return 1
	else
		ok "$3"
	fi
}

done_testing()
{
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
}

# take_points: those that a program printed (tl.py's Points) become the script's own.
take_points()
{
	local line

	while IFS= read -r line; do
		case $line in
		'ok - '*) ok "${line#ok - }" ;;
		'not ok - '*) not_ok "${line#not ok - }" ;;
		*) diag "$line" ;;
		esac
	done
}
