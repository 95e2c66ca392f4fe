#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# What ctrace serve calls is what the unit's SystemCallFilter lets it call: strace tells the one, systemd-analyze the other.
# That systemd starts it so is tested in guests (tests/vm/guest/systemd.sh).
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve
need strace systemd-analyze runc jq
busybox_image || skip_all "no busybox image"

unit=$TOP/exporters/systemd/ctrace-serve.service
JQ='.linux.resources.cpu = {quota: 20000, period: 100000} | .annotations = {"nerdctl/name": "named"}' \
	bundle "$WORK/b" sleep 2
export CTRACE_CONFIG=$WORK/config.json
echo '{}' >"$CTRACE_CONFIG"
# strace goes behind the program, so that SERVE_PID is the program itself.
cat >"$WORK/traced" <<SCRIPT
#!/bin/sh
exec strace --daemonize --follow-forks --quiet=all --output="$WORK/calls" "$CTRACE" "\$@"
SCRIPT
chmod 755 "$WORK/traced"
CTRACE_UNTRACED=$CTRACE
CTRACE=$WORK/traced
serve_start --compat=cadvisor || { done_testing; exit; }
CTRACE=$CTRACE_UNTRACED

rc run --bundle "$WORK/b" "u-$$"
check "it sees a container with a CPU limit" wait_for 20 eval "metrics | grep -q 'id=\"u-$$\"'"
check "its stream can be read" "$CTRACE" top --batch -n 1
kill -HUP "$SERVE_PID"
wait_for 10 grep -q 'configuration read' "$WORK/serve.err"
serve_stop
wait_for 10 grep -q 'exited with' "$WORK/calls"

/usr/bin/python3 - "$unit" "$WORK/calls" >"$WORK/refused" <<'PYTHON'
import re, subprocess, sys
groups, name = {}, None
for line in subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True,
                           env={"SYSTEMD_COLORS": "0", "PATH": "/usr/bin:/bin"}).stdout.splitlines():
    if re.match("[@]", line):
        name = line.strip()
        groups[name] = set()
    elif name and line.strip() and not line.strip().startswith("#"):
        groups[name].add(line.strip())

def expand(word):
    return set().union(*map(expand, groups[word])) if word.startswith("@") else {word}

with open(sys.argv[1], encoding="utf-8") as f:
    allowed = set().union(*(expand(word) for line in f if line.startswith("SystemCallFilter=")
                            for word in line.strip().split("=")[1].split())) | expand("@default")
with open(sys.argv[2], encoding="utf-8", errors="replace") as f:
    called = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", f.read(), re.M))
print(len(called), "calls, refused:", *sorted(called - allowed - {"execve"}))
PYTHON
like "$(cat "$WORK/refused")" '^[3-9][0-9] calls, refused:$' "the unit's filter lets it call what it calls"
like "$(cat "$WORK/calls")" 'open_by_handle_at\(' "to read how a cgroup is throttled, too"
done_testing
