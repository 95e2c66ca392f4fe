# SPDX-License-Identifier: Apache-2.0
"""Asks a Prometheus that scraped ctrace serve. Usage: prometheus.py URL DASHBOARD SECONDS. Prints test points."""

import json
import re
import sys
import urllib.parse
import urllib.request

import tl

url, dashboard, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3])
p = tl.Points()
INTERVAL = 1  # seconds between two scrapes, as serve_prometheus.sh configures it
# No such thing happened in the test, or not on every host.
MAY_BE_EMPTY = ()


def api(path, **parameters):
    with urllib.request.urlopen(url + path + "?" + urllib.parse.urlencode(parameters), timeout=10) as answer:
        return json.load(answer)


def query(expression):
    answer = api("/api/v1/query", query=expression)
    return answer["data"]["result"]


def value(expression):
    result = query(expression)
    return float(result[0]["value"][1]) if result else None


scrapes = value("count_over_time(up[%ds])" % seconds)
p.check(scrapes >= seconds * 0.8, "it was scraped every second", scrapes)
p.equal(value("min_over_time(up[%ds])" % seconds), 1.0, "and never in vain")
# Not only how many: where one is missing the time between its neighbours is twice as long.
stamps = [float(t) for t, _ in query("up[%ds]" % seconds)[0]["values"]]
gaps = sorted(b - a for a, b in zip(stamps, stamps[1:]))
p.check(gaps[-1] < 2 * INTERVAL, "no gap: %d scrapes, at most %.3f s between two" % (len(stamps), gaps[-1]), gaps[-3:])
own = urllib.request.urlopen(url + "/metrics", timeout=10).read().decode()
for bad in ("sample_duplicate_timestamp", "sample_out_of_order", "sample_out_of_bounds", "exceeded_sample_limit"):
    got = re.search(r"^prometheus_target_scrapes_%s_total (\S+)$" % bad, own, re.M)
    p.equal(got and float(got.group(1)), 0.0, "Prometheus counts no %s" % bad)
p.check(value("max_over_time(scrape_duration_seconds[%ds])" % seconds) < 5, "no scrape took long",
        value("max_over_time(scrape_duration_seconds[%ds])" % seconds))
p.equal(query("scrape_samples_scraped != scrape_samples_post_metric_relabeling"), [], "no sample was left out")
names = [n for n in api("/api/v1/label/__name__/values")["data"]
         if n.startswith("ctrace_") and n.endswith(("_total", "_bucket", "_count", "_sum")) or n == "process_cpu_seconds_total"]
p.check(len(names) > 10, "there are counters", names)
falling = [r for n in names for r in query("resets(%s[%ds]) > 0" % (n, seconds))]
p.equal([r["metric"] for r in falling][:5], [], "counters only rise")
p.check(value('sum(ctrace_container_starts_total{result="started"})') > 0, "starts were counted")
p.check(value("sum(ctrace_container_start_duration_seconds_count)") > 0, "and timed")

now = float(api("/api/v1/query", query="time()")["data"]["result"][1])
exemplars = api("/api/v1/query_exemplars", query="ctrace_container_start_duration_seconds_bucket",
                start=now - seconds - 60, end=now)["data"]
p.check(exemplars and all(len(e["labels"]["trace_id"]) == 32 for s in exemplars for e in s["exemplars"]),
        "exemplars are stored, with trace ids", exemplars[:1])

with open(dashboard, encoding="utf-8") as f:
    board = json.load(f)
variables = {"$__rate_interval": "30s", "$__range": "60s"}
for variable in (v for v in board["templating"]["list"] if v["type"] == "query"):
    # Grafana's own function: the label's values among the series of a metric. A choice becomes a regular expression.
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
    values = api("/api/v1/label/%s/values" % label, **{"match[]": metric})["data"]
    p.check(values, "the dashboard's variable %s has values to choose from: %s" % (variable["name"], values))
    variables["$" + variable["name"]] = "|".join(re.escape(v).replace("\\", "\\\\") for v in values) or variable["allValue"]
empty, wrong, count = [], [], 0
for panel in board["panels"]:
    for target in panel["targets"]:
        expression = target["expr"]
        for name, text in variables.items():
            expression = expression.replace(name, text)
        count += 1
        try:
            if not query(expression):
                empty.append("%s: %s" % (panel["title"], expression))
        except urllib.error.HTTPError as error:
            wrong.append("%s: %s: %s" % (panel["title"], expression, error.read()[:200]))
p.equal(wrong, [], "every query of the dashboard is one (%d)" % count)
p.equal(empty, [], "and has an answer")
ids = [panel["id"] for panel in board["panels"]]
p.equal(len(set(ids)), len(ids), "panels have ids of their own")

targets = api("/api/v1/targets")["data"]["activeTargets"]
p.equal([t["lastError"] for t in targets if t["lastError"]], [], "no scrape error")
