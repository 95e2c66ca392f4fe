#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# run -it, its detach keys, attach, start -ai: on a terminal that python holds.
. tests/lib/env.sh
. tests/lib/engine.sh
need_root
need busybox jq
engine_root || skip_all "no busybox"

# term SCRIPT COMMAND...: runs the command on a terminal of 100x30. SCRIPT: words between ~: "expect:TEXT", "send:TEXT" (with
# python's escapes), "size:ROWS,COLUMNS", "close" (the terminal goes away). Prints what was shown, then "code N".
cat >"$WORK/term.py" <<'PY'
import fcntl, os, pty, select, struct, sys, termios, time

script, command = sys.argv[1].split("~"), sys.argv[2:]

def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.05)
    os.execvp(command[0], command)
size(fd, 30, 100)
shown = b""

def read(until, seconds=10):
    global shown
    end = time.time() + seconds
    start = len(shown)
    while time.time() < end:
        if until is not None and until in shown[mark:]:
            return True
        if not select.select([fd], [], [], 0.05)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            return until is None
        if not data:
            return until is None
        shown += data
    return False

mark = 0
for word in script:
    kind, _, text = word.partition(":")
    raw = text.encode().decode("unicode_escape").encode("latin1")
    if kind == "expect":
        if not read(raw):
            shown += b"\n[did not see %s]" % raw
            os.kill(pid, 9)
            break
        mark = len(shown)
    elif kind == "send":
        os.write(fd, raw)
    elif kind == "size":
        size(fd, *map(int, text.split(",")))
    elif kind == "close":
        os.close(fd)
        sys.exit(0)
read(None, 5)
_, status = os.waitpid(pid, 0)
sys.stdout.write(shown.decode("utf-8", "replace").replace("\r", ""))
print("\ncode %d" % os.waitstatus_to_exitcode(status))
PY
term()
{
	timeout 40 /usr/bin/python3 "$WORK/term.py" "$@"
}
run=("$CTRACE" run --trace=none)

out=$(term 'expect:/ #~send:stty size; tty\n~expect:/dev/pts/0~send:exit 7\n' "${run[@]}" --rm -it "${ON[@]}" sh)
like "$out" '^30 100$' "-it: the container has the terminal's size"
like "$out" '^code 7$' "and its exit code comes through"
out=$(term 'expect:/ #~size:40,120~send:sleep 0.3; stty size\n~expect:40 120~send:exit\n' "${run[@]}" --rm -it "${ON[@]}" sh)
like "$out" '^40 120$' "a change of the size reaches it"
out=$(term 'expect:/ #~send:trap "echo got-int" INT; echo ready\n~expect:ready\r\n~send:\x03~expect:got-int~send:exit 0\n' "${run[@]}" --rm -it "${ON[@]}" sh)
like "$out" 'got-int' "ctrl-c goes to the container"

out=$(term 'expect:/ #~send:echo before\n~expect:before\r\n~send:\x10\x11' "${run[@]}" --name it -it "${ON[@]}" sh)
like "$out" '^code 0$' "ctrl-p ctrl-q leaves"
is "$(of it .State.Status)" running "and it runs on"
like "$(ct logs it)" 'before' "its log has what was shown"
out=$(term 'send:echo again$((1+1))\n~expect:again2~send:\x10\x11' "$CTRACE" attach it)
like "$out" 'again2' "attach"
like "$out" 'read escape sequence' "and leave again"
out=$(term 'send:\n~expect:/ #~send:exit 5\n' "$CTRACE" attach it)
like "$out" '^code 5$' "the exit code comes through attach"
is "$(of it .State.ExitCode)" 5 "and is recorded"
fails 1 'cannot attach to a stopped container' "attach to one that has ended" ct attach it
out=$(term 'expect:/ #~send:exit 6\n' "$CTRACE" start -ai it)
like "$out" '^code 6$' "start -ai"

out=$(term 'expect:/ #~send:echo one\x10\x11$((1+1))\n~expect:one~send:a\x18\x18b' "$CTRACE" start -ai --detach-keys ctrl-x,b it)
like "$out" 'read escape sequence' "start -ai --detach-keys"
like "$out" '^code 0$' "leaves by these"
is "$(of it .State.Status)" running "and it runs on"
out=$(term 'send:\n~expect:/ #~send:echo again$((1+1))\n~expect:again2~send:Q' "$CTRACE" attach --detach-keys Q it)
like "$out" 'read escape sequence' "attach --detach-keys of one key"
out=$(term 'send:\n~expect:/ #~send:\x10\x11\n~expect:/ #~send:exit 6\n' "$CTRACE" attach --detach-keys ctrl-a it)
like "$out" '^code 6$' "ctrl-p ctrl-q are the container's then"
fails 125 "invalid detach keys \(ctrl-1\) provided" "attach --detach-keys of no key" ct attach --detach-keys ctrl-1 it
fails 125 "invalid detach keys" "start --detach-keys of no key" ct start --detach-keys ctrl-1 it
out=$(term 'expect:/ #~send:\x01d' "${run[@]}" --name keys --detach-keys ctrl-a,d -it "${ON[@]}" sh)
like "$out" '^code 0$' "run --detach-keys"
is "$(of keys .State.Status)" running "and it runs on"
ct rm -f keys >/dev/null

ct start it >/dev/null
term 'send:\n~expect:/ #~close' "$CTRACE" attach it
sleep 0.3
is "$(of it .State.Status)" running "a terminal that goes away takes only the client with it"
ct rm -f it >/dev/null

out=$(term 'expect:/ #~send:echo $TERM $((40+2)); tty\n~expect:/dev/pts/~send:exit 3\n' "$CTRACE" run --rm -it "${ON[@]}" sh)
like "$out" 'xterm 42' "-it with a trace: the session"
like "$out" 'init' "and the waterfall"
like "$out" '^code 3$' "and the exit code"

ct run -d --name plain "${ON[@]}" sh -c 'while :; do echo tick; sleep 0.1; done' >/dev/null
timeout -k 2 -s INT 1 "$CTRACE" attach --sig-proxy=false plain </dev/null >"$WORK/ticks" 2>&1
is "$(sort -u "$WORK/ticks" | head -1) $(of plain .State.Status)" "tick running" "attach --sig-proxy=false"
out=$(term 'expect:hi~send:\x10\x11' "$CTRACE" exec -it plain sh -c 'echo hi; exec sleep 33')
like "$out" '^code 0$' "ctrl-p ctrl-q leaves exec"
is "$(ct exec plain sh -c 'ps | grep -c "[s]leep 33"')" 1 "and the program runs on"
out=$(term 'expect:hi~send:\x10\x11zz' "$CTRACE" exec -it --detach-keys z,z plain sh -c 'echo hi; exec sleep 34')
like "$out" '^code 0$' "exec --detach-keys"
is "$(ct exec plain sh -c 'ps | grep -c "[s]leep 34"')" 1 "and that program runs on"
fails 1 'invalid detach keys' "exec --detach-keys of no key" ct exec --detach-keys zz plain true
ct run -d -i --name cat "${ON[@]}" cat >/dev/null
(echo typed; sleep 0.5) | timeout -k 2 -s INT 1 "$CTRACE" attach --sig-proxy=false cat >"$WORK/typed" 2>&1
is "$(cat "$WORK/typed")" typed "-d -i: attach gives it stdin"
ct rm -f plain cat >/dev/null
wait_for 5 test -z "$(engine_things)"
is "$(engine_things)" "" "nothing is left at the end"
done_testing
