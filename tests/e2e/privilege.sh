#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# What each command keeps of root's powers is what docs/privilege.md says, and is enough for it; readers need none; files
# and sockets are for their owners.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve top record replay show
need runc jq setpriv
busybox_image || skip_all "no busybox image"
bundle "$WORK/b" sh -c 'exit 91'
chmod 755 "$WORK"

# The names in a set of /proc/PID/status: "BPF PERFMON".
set_of()
{
	/usr/bin/python3 - "$1" "$2" <<'PYTHON'
import sys
names = {0: "CHOWN", 1: "DAC_OVERRIDE", 2: "DAC_READ_SEARCH", 5: "KILL", 11: "NET_BROADCAST", 19: "SYS_PTRACE", 21: "SYS_ADMIN", 38: "PERFMON", 39: "BPF"}
with open("/proc/%s/status" % sys.argv[1], encoding="ascii") as f:
    bits = next(int(line.split()[1], 16) for line in f if line.startswith(sys.argv[2] + ":"))
print(" ".join(sorted(names.get(i, str(i)) for i in range(64) if bits >> i & 1)) or "-")
PYTHON
}

# documented TEXT COLUMN: what the row of docs/privilege.md that begins with that text has there.
documented()
{
	awk -F ' *[|] *' -v row="$1" -v column="$2" 'index($2, row) == 1 { print $(column + 2); exit }' "$TOP/docs/privilege.md"
}

# has_kept PID ROW: all its sets are that row's.
has_kept()
{
	local pid=$1 now spare both

	now=$(documented "$2" 2) spare=$(documented "$2" 3)
	both=$(echo "$now $spare" | tr ' ' '\n' | grep -v '^-$' | sort | xargs)
	wait_for 10 sh -c "grep -q 'NoNewPrivs:.1' /proc/$pid/status"
	is "$(set_of "$pid" CapEff)" "$now" "$2: in force is $now"
	is "$(set_of "$pid" CapPrm)" "${both:--}" "$2: permitted is that and the spare"
	is "$(set_of "$pid" CapBnd)" "${both:--}" "$2: bounding set"
	is "$(set_of "$pid" CapAmb) $(set_of "$pid" CapInh)" "- -" "$2: nothing is ambient or inheritable"
	like "$(cat "/proc/$pid/status")" 'NoNewPrivs:.1' "$2: no_new_privs"
}

# Tracing goes on after it: the detail tier is armed anew for each start.
trace_start --no-serve || skip_all "no trace"
has_kept "$TRACE_PID" '`ctrace trace`'
thread=$(find "/proc/$TRACE_PID/task" -mindepth 1 -maxdepth 1 ! -name "$TRACE_PID" | head -n 1)
is "$(set_of "$TRACE_PID/task/${thread##*/}" CapPrm)" "DAC_READ_SEARCH SYS_PTRACE" "its thread that reads names"
for i in 1 2; do
	rc run --bundle "$WORK/b" "t$i-$$"
	sleep 2 # it is disarmed in between
done
trace_stop
judge "$TRACE" "t1-$$" "t2-$$" <<'PYTHON'
for i in args:
    p.start(t.one(i), i, code=91)
    p.check(len(t.one(i).steps("mount")) > 5, "%s: in detail" % i)
PYTHON

# The command keeps what its caller has.
mkfifo "$WORK/go"
"$CTRACE" trace --no-serve --json "$WORK/cmd.json" -- sh -c 'grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status; read -r go <"$0"' \
	"$WORK/go" >"$WORK/cmd.out" 2>"$WORK/cmd.err" &
traced=$!
on_exit stop_process "$traced" INT
if wait_for 20 grep -q NoNewPrivs "$WORK/cmd.out"; then
	has_kept "$traced" '`ctrace trace -- CMD`'
fi
timeout 20 sh -c 'echo >"$0"' "$WORK/go"
wait "$traced"
is "$(cat "$WORK/cmd.out")" "$(grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status)" "a traced command has its caller's powers"
"$CTRACE" record --no-serve "$WORK/r.ctrace" -- sh -c 'grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status; '"
	runc --root $WORK/runc run --bundle $WORK/b rec-$$" >"$WORK/cmd.out" 2>"$WORK/cmd.err"
is $? 91 "record passes the exit code on"
is "$(cat "$WORK/cmd.out")" "$(grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status)" "a recorded command has its caller's powers"
is "$(stat -c %a "$WORK/r.ctrace")" 600 "its recording is 0600"
out=$("$CTRACE" run --trace=none --privileged --network none --rootfs "$BUSYBOX_ROOT" grep -E 'CapBnd|NoNewPrivs' /proc/self/status 2>/dev/null)
is "$out" "$(grep -E 'CapBnd|NoNewPrivs' /proc/self/status)" "so has a container of ctrace run --privileged" ||
	diag "$out"

"$CTRACE" top --batch >"$WORK/top.out" 2>&1 &
top=$!
on_exit stop_process "$top"
check "top --batch comes up" wait_for 20 test -s "$WORK/top.out"
has_kept "$top" '`ctrace top --readonly`'
stop_process "$top"

serve_start || { done_testing; exit; }
has_kept "$SERVE_PID" '`ctrace serve`'
is "$(grep -c . "$WORK/serve.err")" 1 "serve says nothing else than that it is ready"
trace_start || skip_all "no trace"
has_kept "$TRACE_PID" '`ctrace trace` of a serving'
rc run --bundle "$WORK/b" "s-$$"
sleep 1
trace_stop
judge "$TRACE" "s-$$" <<'PYTHON'
p.start(t.one(args[0]), "through a server without powers", code=91)
PYTHON
"$CTRACE" top --batch >"$WORK/top.out" 2>&1 &
top=$!
on_exit stop_process "$top"
wait_for 20 test -s "$WORK/top.out"
has_kept "$top" '`ctrace top --batch` of a serving'
stop_process "$top"

# The unit and the manifest give what serve needs to begin, and no more.
wanted=$(documented '`ctrace serve`' 1)
is "$(sed -n 's/^CapabilityBoundingSet=//p' "$TOP/exporters/systemd/ctrace-serve.service" | sed 's/CAP_//g' | tr ' ' '\n' |
	sort | xargs)" "$wanted" "the systemd unit has the documented set"
is "$(sed -n 's/^ *add: \[\(.*\)\]/\1/p' "$TOP/exporters/kubernetes/ctrace-serve.yaml" | tr -d ',' | tr ' ' '\n' | sort | xargs)" \
	"$wanted" "the Kubernetes manifest has it, too"

# Nothing listens beyond the loopback, and no state can be written by others.
listening()
{
	ss -Hltnup 2>/dev/null | grep "pid=$1," | awk '{ print $5 }' | sed 's/:[0-9]*$//' | sort -u | xargs
}
if have ss; then
	is "$(listening "$SERVE_PID")" 127.0.0.1 "serve listens at the loopback only"
else
	skip_point "serve listens at the loopback only" "ss is not installed"
fi
is "$(stat -c '%a %U' "$CTRACE_RUN/trace.sock")" "660 root" "the socket is for root and its group"
is "$(find "$CTRACE_RUN" "$CTRACE_ROOT" -perm /o+w ! -type l ! -path '*/root/*' 2>/dev/null | head -n 5)" "" \
	"no state can be written by everyone"

# nobody COMMAND...: as a user without anything, with a copy of the programs that he can reach.
mkdir "$WORK/bin"
cp "$CTRACE" "$CTRACE_OUTPUT/ctrace-trace" "$CTRACE_OUTPUT/ctrace-top" "$WORK/bin/"
chmod 755 "$WORK/bin" "$CTRACE_RUN"
nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
}
nobody timeout 20 "$WORK/bin/ctrace" trace --json - >/dev/null 2>"$WORK/err"
check "a stranger gets nothing from the server" test $? = 125
cp "$WORK/r.ctrace" "$WORK/shared.ctrace"
chmod 644 "$WORK/shared.ctrace"
for command in "replay --json" "show" "explain" "top --batch" "top --json"; do
	# shellcheck disable=SC2086 # words of a command
	out=$(nobody timeout 30 "$WORK/bin/ctrace" $command "$WORK/shared.ctrace" 2>&1)
	is $? 0 "nobody can do ctrace $command with a recording" || diag "$out"
	like "$out" "rec-$$" "and sees the container"
done
like "$(nobody /usr/bin/python3 - "http://$SERVE/metrics" <<'PYTHON'
import sys
import urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())
PYTHON
)" '^ctrace_build_info' "nobody can read the metrics"
serve_stop

# A member of the group ctrace reads the server's events and needs no power for it.
(cat /etc/group; echo "ctrace:x:61999:") >"$WORK/group"
plain=$CTRACE
CTRACE=$WORK/ctrace-with-group
printf '#!/bin/sh\nexec unshare --mount sh -c "mount --bind %s /etc/group && exec %s \\"\\$@\\"" sh "$@"\n' "$WORK/group" "$plain" >"$CTRACE"
chmod 755 "$CTRACE"
serve_start || { done_testing; exit; }
CTRACE=$plain
is "$(stat -c '%a %g' "$CTRACE_RUN/trace.sock")" "660 61999" "the socket is the group's"
out=$(setpriv --reuid 65534 --regid 61999 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
	timeout 20 "$WORK/bin/ctrace" top --batch -n 1 2>&1)
is $? 0 "one of the group ctrace reads its events" || diag "$out"
serve_stop
done_testing
