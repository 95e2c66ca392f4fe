#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 1000
# A real Prometheus scrapes ctrace serve while containers start and end; the dashboard's queries and the alert rules
# are held against what it has. The systemd unit's capabilities suffice. SOAK=1 scrapes for ten minutes.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve
need prometheus promtool runc jq
busybox_image || skip_all "no busybox image"
seconds=20
[ -z "${FULL-}" ] || seconds=60
[ -z "${SOAK-}" ] || seconds=600

rules=$TOP/exporters/prometheus
promtool check config "$rules/prometheus.yml" >"$WORK/check" 2>&1
is $? 0 "the scrape configuration is one"
promtool test rules "$rules/ctrace-alerts-test.yml" >"$WORK/check" 2>&1
is $? 0 "the alerts do what their tests say"
[ "$tap_failed" = 0 ] || diag "$(cat "$WORK/check")"

/usr/bin/python3 - "$TOP/exporters" >"$WORK/manifest" 2>&1 <<'PYTHON'
import json
import re
import sys
import yaml
objects = list(yaml.safe_load_all(open(sys.argv[1] + "/kubernetes/ctrace-serve.yaml")))
pod = next(o for o in objects if o["kind"] == "DaemonSet")["spec"]["template"]["spec"]
config = next(o for o in objects if o["kind"] == "ConfigMap")["data"]["config.json"]
unit = open(sys.argv[1] + "/systemd/ctrace-serve.service").read()
caps = re.search("^CapabilityBoundingSet=(.*)", unit, re.M).group(1).replace("CAP_", "").split()
assert sorted(pod["containers"][0]["securityContext"]["capabilities"]["add"]) == sorted(caps), "capabilities differ"
assert {m["name"] for m in pod["containers"][0]["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
open(sys.argv[2] if len(sys.argv) > 2 else "/dev/stdout", "w").write(json.dumps(json.loads(config)))
PYTHON
if grep -q "No module named 'yaml'" "$WORK/manifest"; then
	skip_point "the DaemonSet's manifest" "python3-yaml is not installed"
else
	like "$(cat "$WORK/manifest")" '^{"serve": ' "the DaemonSet's manifest holds together, with the unit's capabilities"
	export CTRACE_CONFIG=$WORK/manifest # serve takes its configuration; --listen wins
fi

# As the unit starts it: with its capabilities and no other.
capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$TOP/exporters/systemd/ctrace-serve.service" |
	tr 'A-Z ' 'a-z,' | sed 's/cap_//g; s/,/,+/g')
plain=$CTRACE
CTRACE=$WORK/ctrace-as-unit
cat >"$CTRACE" <<SCRIPT
#!/bin/sh
exec setpriv --bounding-set=-all,+$capabilities --no-new-privs "$plain" "\$@"
SCRIPT
chmod 755 "$CTRACE"
serve_start || { done_testing; exit; }
CTRACE=$plain
is "$(grep CapEff "/proc/$SERVE_PID/status" | awk '{print $2}')" "$(/usr/bin/python3 -c '
names = ["dac_read_search", "sys_ptrace", "perfmon", "bpf"]
bits = {"dac_read_search": 2, "sys_ptrace": 19, "perfmon": 38, "bpf": 39}
print("%016x" % sum(1 << bits[n] for n in names))')" "it runs with the capabilities of the systemd unit, of which it gave up what it needed to begin"

mkdir "$WORK/prometheus"
sed "s/15s/1s/; s/127.0.0.1:9469/$SERVE/; s#ctrace-alerts.yml#$rules/ctrace-alerts.yml#" "$rules/prometheus.yml" \
	>"$WORK/prometheus/prometheus.yml"
address=127.0.0.1:$(free_port)
prometheus --config.file="$WORK/prometheus/prometheus.yml" --storage.tsdb.path="$WORK/prometheus/data" \
	--web.listen-address="$address" --enable-feature=exemplar-storage >"$WORK/prometheus/log" 2>&1 &
prometheus_pid=$!
on_exit stop_process "$prometheus_pid"
wait_for 30 curl -sf "http://$address/-/ready" || wait_for 1 /usr/bin/python3 -c \
	"import urllib.request; urllib.request.urlopen('http://$address/-/ready')"

bundle "$WORK/true" /bin/true
bundle "$WORK/false" /bin/false
JQ='.linux.resources.memory = {limit: 8388608}' bundle "$WORK/oom" sh -c 'x=a; while :; do x=$x$x; done'
end=$(($(date +%s) + seconds))
i=0
while [ "$(date +%s)" -lt "$end" ]; do
	i=$((i + 1))
	for kind in true false oom; do
		rc run --bundle "$WORK/$kind" "p$i-$kind-$$" </dev/null >/dev/null 2>&1
	done
	sleep 0.5
done
metrics >"$WORK/text"
metrics 'application/openmetrics-text;version=1.0.0' >"$WORK/open"
is "$(promtool check metrics <"$WORK/text" 2>&1)" "" "promtool has nothing to say after the load ($i rounds)"
is "$(grep -v '^#' "$WORK/text" | sed 's/ [^ ]*$//' | sort | uniq -d | head -n 3)" "" "no series is there twice"
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
	is "$(/usr/bin/python3 -c 'import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(len(list(text_string_to_metric_families(open(sys.argv[1], encoding="utf-8").read()))) > 20)' "$WORK/open" 2>&1)" True \
		"the strict OpenMetrics parser takes it"
else
	skip_point "the strict OpenMetrics parser" "python3-prometheus-client is not installed"
fi
sleep 2
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$LIB /usr/bin/python3 "$LIB/prometheus.py" "http://$address" \
	"$TOP/exporters/grafana/ctrace.json" "$seconds" >"$WORK/points" 2>&1
code=$?
take_points <"$WORK/points"
is "$code" 0 "Prometheus can be asked"
is "$(grep -E 'level=(error|warn)' "$WORK/prometheus/log" | grep -iE 'duplicate|out.of.order' | head -n 3)" "" \
	"it complains of no duplicate and no disorder"
check "exits were told apart" test "$(metric 'ctrace_container_exits_total{runtime="runc",reason="error"}')" -ge "$i"
check "OOM kills were counted" test "$(metric 'ctrace_oom_kills_total{scope="container"}')" -ge "$((i / 2))"

done_testing
