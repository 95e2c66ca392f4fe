#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# Containers that live while every view looks at them, and whose names, labels, arguments, command names, paths and
# annotations have control bytes, escape sequences, markup, bytes that are no UTF-8, and thousands of bytes: no view passes
# on what a terminal, a parser or a browser would obey. tests/replay/hostile.sh does this with recordings.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/engine.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
. tests/lib/tui.sh
need_tracing
need_ctrace serve
need runc jq python3
busybox_image && engine_root || skip_all "no busybox"
export CTRACE_ROOT=$WORK/store CTRACE_RUN=$WORK/run

# view MODE WHAT COMMAND...: succeeds, says something of one of them, and is clean.
view()
{
	local mode=$1 what=$2

	shift 2
	"$@" >"$WORK/out" 2>"$WORK/err" </dev/null
	is $? 0 "$what" || diag "$(head -c 500 "$WORK/err")"
	check "$what is clean" /usr/bin/python3 -B "$LIB/clean.py" "$WORK/out" "$mode"
	[ ! -s "$WORK/err" ] || check "$what: so is what it says beside" /usr/bin/python3 -B "$LIB/clean.py" "$WORK/err" people
	keep_on_failure "$WORK/out"
}

json_view()
{
	view programs "$@"
	check "$1: every line is JSON" jq -e . "$WORK/out"
}

# A collector that keeps what it gets, a file a request.
mkdir "$WORK/otlp"
cat >"$WORK/keep.py" <<'PYTHON'
import http.server, itertools, sys
count = itertools.count()
class Collector(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass
    def do_POST(self):
        kind = self.headers["Content-Type"].rpartition("/")[2]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("%s/%d.%s" % (sys.argv[2], next(count), kind), "wb") as f:
            f.write(body)
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Collector).serve_forever()
PYTHON
port=$(free_port)
/usr/bin/python3 "$WORK/keep.py" "$port" "$WORK/otlp" &
on_exit stop_process $!
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$port
OTEL_EXPORTER_OTLP_PROTOCOL=http/json serve_start --compat=cadvisor || { done_testing; exit; }
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf "$CTRACE" serve --listen none --no-stream >"$WORK/second" 2>&1 &
on_exit stop_process $!
wait_for 30 grep -q ready "$WORK/second" || diag "$(cat "$WORK/second")"

"$CTRACE" trace --format docker-events --json="$WORK/docker-events" --record "$WORK/recording" >/dev/null 2>"$WORK/err" &
on_exit stop_process $! INT
wait_for 20 test -s "$WORK/recording"
LC_ALL=C.UTF-8 "$CTRACE" trace --color=never >"$WORK/trace.txt" 2>"$WORK/trace.err" &
tracing=$!
on_exit stop_process "$tracing" INT
sleep 1

evil=$(printf '\033]0;owned\007\033[2J\r\n\t"'\''`\\<script>alert(1)</script><img src=x onerror=alert(2)>\302\233m\342\200\256gnp')
bytes=$(printf '\377\376\303(\355\240\200')
long=$(head -c 4096 /dev/zero | tr '\0' '<')

# ---- of runc: all that its bundle can say, then what its program does ----

one=Evil.+-$$_
# shellcheck disable=SC2016 # jq's
name=$one text=$evil large=$long JQ='env.text as $e | env.large as $l | .annotations = {"ctrace.name": ("name" + $e), "ctrace.image": ("image" + $e), "io.kubernetes.cri.sandbox-name": $e,
	($e): $e, "long": $l, "io.kubernetes.cri.sandbox-namespace": $l}
	| .hostname = "h<b>\u001b[1m" | .linux.cgroupsPath = "/\(env.name)\u001b[31m<b>\""
	| .mounts += [{destination: "/tmp", type: "tmpfs", source: $l[0:200]}, {destination: ("/tmp/" + ($e | gsub("/"; "_"))), type: "tmpfs", source: $e}]' \
	bundle "$WORK/one" sh -c '
		printf "\033[31m<b>\"\377" >/proc/self/comm
		sh -c "printf \"\033[5m<i>\377\" >/proc/self/comm; sleep 0.2" sh "$1" "$2" "$3"
		while :; do sleep 1; done' "$evil" "$evil" "$bytes" "$long"
# Go's JSON would replace what is no UTF-8, so the program says it itself.
sed -i 's/\$3"/$(printf "\\\\377\\\\376")"/' "$WORK/one/config.json"
rc run --detach --bundle "$WORK/one" "$one" </dev/null >"$WORK/runc.out" 2>&1
is $? 0 "runc starts it" || diag "$(cat "$WORK/runc.out")"
on_exit rc delete --force "$one"
pid=$(rc state "$one" | jq .pid)
rc exec "$one" sh -c true "$evil" "$bytes" "$long" </dev/null >/dev/null 2>&1
rc exec "$one" "/no/such$evil" </dev/null >/dev/null 2>&1

# ---- of ctrace: what its options take ----

two=evil.two-$$
"$CTRACE" run -d --network none --name "$two" --label "a=$evil" --label "$evil=x" --label "long=$long" --env "E=$evil" \
	--rootfs "$ROOTFS" /bin/sh -c 'while :; do sleep 1; done' "$evil" "$bytes" "$long" </dev/null >"$WORK/id" 2>"$WORK/run.err"
is $? 0 "ctrace starts one" || diag "$(tail -n 5 "$WORK/run.err")"
check "its own timeline is clean" /usr/bin/python3 -B "$LIB/clean.py" "$WORK/run.err" people

# ---- of docker ----

if docker_start; then
	dock run --detach --name "evil_three.$$" --network none --label "a=$evil" --label "${evil//[[:space:]=]/_}=x" --label "long=$long" busybox \
		sh -c 'while :; do sleep 1; done' "$evil" "$long" >/dev/null 2>"$WORK/docker.err"
	is $? 0 "docker starts one" || diag "$(cat "$WORK/docker.err")"
	on_exit dock rm --force "evil_three.$$"
	has_docker=yes
else
	has_docker=
	skip_point "a container of docker" "$ENGINE_WHY"
fi
wait_for 20 eval "metrics | grep -q '^ctrace_container_info.*$two'"
sleep 1.5 # the tracers' windows, and what comes late of names

# ---- every view, while they live ----

view programs "/metrics" metrics
check "/metrics has the name of the one that escapes" grep -q '^ctrace_container_info.*name="name\\\\x1b' "$WORK/out"
if have promtool; then
	is "$(promtool check metrics <"$WORK/out" 2>&1)" "" "promtool has nothing to say"
else
	skip_point "promtool" "it is not installed"
fi
is "$(grep -v '^#' "$WORK/out" | sed 's/ [^ ]*$//' | sort | uniq -d | head -n 3)" "" "no series is there twice"
view programs "/metrics, as OpenMetrics" metrics 'application/openmetrics-text;version=1.0.0'
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
	check "the strict OpenMetrics parser takes it" /usr/bin/python3 -c 'import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
assert len(list(text_string_to_metric_families(open(sys.argv[1], encoding="utf-8", newline="").read()))) > 20' "$WORK/out"
else
	skip_point "the strict OpenMetrics parser" "python3-prometheus-client is not installed"
fi

for locale in C.UTF-8 C; do
	export LC_ALL=$locale
	mode=people
	[ $locale = C ] && mode=ascii
	view people "ps ($locale)" "$CTRACE" ps --no-trunc
	view people "ps --format with labels ($locale)" "$CTRACE" ps --no-trunc --format 'table {{.Names}}\t{{.Labels}}\t{{.Command}}'
	view $mode "inspect of runc's ($locale)" "$CTRACE" inspect "$pid"
	view $mode "inspect of ctrace's ($locale)" "$CTRACE" inspect "$two"
	for id in "$one" "$two" ${has_docker:+"evil_three.$$"}; do
		view $mode "show $id ($locale)" "$CTRACE" show "$id"
		view $mode "show --explain $id ($locale)" "$CTRACE" show --explain --trace=full "$id"
	done
	for page in containers timeline events limits host; do
		view $mode "top --batch --view=$page ($locale)" "$CTRACE" top --batch -n 1 --view=$page --id "$one"
	done
done
export LC_ALL=C.UTF-8
json_view "ps --format json" "$CTRACE" ps --no-trunc --format json
json_view "inspect --json" "$CTRACE" inspect --json "$pid" "$two"
json_view "inspect --format json" "$CTRACE" inspect --format json "$two"
json_view "top --json" "$CTRACE" top --json -n 1
for page in timeline events limits host; do
	json_view "top --json --view=$page" "$CTRACE" top --json -n 1 --view=$page --id "$one"
done
for id in "$one" "$two" ${has_docker:+"evil_three.$$"}; do
	json_view "show --json $id" "$CTRACE" show --json --events "$id"
	json_view "show --perfetto $id" "$CTRACE" show --perfetto "$id"
	json_view "show --otlp $id" "$CTRACE" show --otlp "$id"
	view people "show --mermaid $id" "$CTRACE" show --mermaid "$id"
	unlike "$(sed 1d "$WORK/out")" '<script|<img' "show --mermaid $id: markup is none"
	view programs "show --html $id" "$CTRACE" show --html "$id"
	cp "$WORK/out" "$WORK/$id.html"
	"$CTRACE" show --otlp=protobuf "$id" >"$WORK/out" 2>"$WORK/err"
	check "show --otlp=protobuf $id is clean" /usr/bin/python3 -B "$LIB/clean.py" "$WORK/out" protobuf
done

# ---- the dashboard on a terminal ----

if have tmux; then
	tui_start 120x40 "CTRACE_RUN=$CTRACE_RUN" -- --id "'$one'"
	check "top draws them" tui_wait 'name\\x1b' 30
	for key in 1 2 3 4 5; do
		tui_keys "$key"
		sleep 0.5
		tui_screen >"$WORK/screen"
		check "top, view $key, is clean" /usr/bin/python3 -B "$LIB/clean.py" "$WORK/screen" people
		is "$(mux display-message -p '#{pane_title}#{window_name}' | grep -c owned)" 0 "top, view $key, has not named the terminal"
	done
	tui_keys q
else
	skip_point "top on a terminal" "tmux is not installed"
fi

# ---- the page in a browser ----

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$browser" ]; then
	renders()
	{
		timeout 150 "$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run \
			--user-data-dir="$WORK/profile" --enable-logging=stderr --virtual-time-budget=5000 --dump-dom "file://$1" >"$WORK/dom" 2>"$WORK/log"
		! grep 'CONSOLE' "$WORK/log" && grep -q 'class="row phase p-mounts"' "$WORK/dom" && ! grep -qiE '<img[^&]*onerror' "$WORK/dom"
	}
	check "the page draws itself, and runs nothing of theirs" renders "$WORK/$one.html"
else
	skip_point "the page in a browser" "chromium is not installed"
fi

# ---- what was sent, and what was traced ----

"$CTRACE" kill "$two" >/dev/null
wait_for 10 eval "'$CTRACE' ps -a --format '{{.Status}}' | grep -q Exited"
view people "inspect of one that has ended" "$CTRACE" inspect "$two"
view people "ps of it" "$CTRACE" ps -a --no-trunc
"$CTRACE" rm "$two" >/dev/null
rc delete --force "$one"
wait_for 20 eval "cat '$WORK'/otlp/*.json | grep -q teardown"
wait_for 20 eval "cat '$WORK'/otlp/*.x-protobuf | grep -q teardown"
pushed_is_clean()
{
	local kind=$1 mode=$2 body

	for body in "$WORK"/otlp/*."$kind"; do
		[ "$kind" != json ] || jq -e . "$body" >/dev/null || return 1
		/usr/bin/python3 -B "$LIB/clean.py" "$body" "$mode" || { echo "$body"; return 1; }
	done
}
check "what was pushed as JSON is that, and clean" pushed_is_clean json programs
check "what was pushed as protobuf is that, and its texts are UTF-8" pushed_is_clean x-protobuf protobuf
stop_process "$tracing" INT
check "trace prints what is clean" /usr/bin/python3 -B "$LIB/clean.py" "$WORK/trace.txt" people
check "and of them" grep -q "$two" "$WORK/trace.txt"
view programs "docker's events" cat "$WORK/docker-events"
check "they are JSON" jq -e . "$WORK/docker-events"
done_testing
