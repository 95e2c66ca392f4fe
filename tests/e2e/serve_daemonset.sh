#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# The Kubernetes manifest, taken at its word by podman: with that user, those capabilities, that root file system and those
# volumes (and the engine's other defaults, masked paths among them) ctrace serve traces the node's containers.
. tests/lib/env.sh
. tests/lib/images.sh
. tests/lib/engines.sh
. tests/lib/trace.sh
. tests/lib/serve.sh
need_tracing
need_ctrace serve
need runc jq curl
/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip_all "python3-yaml is not installed"
podman_start || skip_all "$ENGINE_WHY"

# The options of podman that stand for the pod's words, a line each; what it does not know stops it.
mkdir "$WORK/etc" "$WORK/run"
SERVE=127.0.0.1:$(free_port)
/usr/bin/python3 - "$TOP/exporters/kubernetes/ctrace-serve.yaml" "$SERVE" "$WORK" >"$WORK/options" <<'PYTHON'
import json
import sys
import yaml

path, listen, work = sys.argv[1:]
objects = list(yaml.safe_load_all(open(path, encoding="utf-8")))
pod = next(o for o in objects if o["kind"] == "DaemonSet")["spec"]["template"]["spec"]
config = json.loads(next(o for o in objects if o["kind"] == "ConfigMap")["data"]["config.json"])
config["serve"]["listen"] = listen
json.dump(config, open(work + "/etc/config.json", "w", encoding="utf-8"))
container, = pod["containers"]
security = dict(container["securityContext"])
hosts = {"config": work + "/etc", "run": work + "/run"}
for volume in pod["volumes"]:
    if "hostPath" in volume:
        hosts.setdefault(volume["name"], volume["hostPath"]["path"])
options = ["--pid", "host" if pod["hostPID"] else "private", "--network", "host" if pod["hostNetwork"] else "none",
           "--user", str(security.pop("runAsUser")), "--privileged=" + json.dumps(security.pop("privileged")),
           "--read-only=" + json.dumps(security.pop("readOnlyRootFilesystem")), "--read-only-tmpfs=false"]
if not security.pop("allowPrivilegeEscalation"):
    options += ["--security-opt", "no-new-privileges"]
capabilities = security.pop("capabilities")
options += ["--cap-drop=" + c for c in capabilities["drop"]] + ["--cap-add=" + c for c in capabilities["add"]]
profile = security.pop("seccompProfile")
options += ["--security-opt", "seccomp=unconfined"] if profile["type"] == "Unconfined" else []
for mount in container["volumeMounts"]:
    options += ["-v", "%s:%s:%s" % (hosts[mount["name"]], mount["mountPath"], "ro" if mount.get("readOnly") else "rw")]
options += ["--memory", container["resources"]["limits"]["memory"].replace("Mi", "m")]
if security or container["command"] != ["ctrace", "serve"]:
    sys.exit("the test does not know %s, %s" % (security, container["command"]))
print("\n".join(options))
PYTHON
is $? 0 "the manifest's words are known" || { done_testing; exit; }
mapfile -t options <"$WORK/options"

# What the node runs already: with a pid namespace of its own, with another container's, with none.
pod run -d --name own --network none localhost/busybox sleep 600 >/dev/null
pod run -d --name others --pid container:own --network none localhost/busybox sleep 600 >/dev/null
pod run -d --name none --pid host --network none localhost/busybox sleep 600 >/dev/null
pod exec -d others sleep 600 >/dev/null

# This build with this machine's libraries stands for the image.
pod run --name served "${options[@]}" -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro \
	-v /etc/ld.so.cache:/etc/ld.so.cache:ro -v "$(realpath "$CTRACE_OUTPUT"):/ctrace:ro" localhost/busybox \
	/ctrace/ctrace serve >"$WORK/serve.out" 2>&1 &
served=$!
on_exit stop_process "$served"
if ! wait_for 30 grep -q '^ctrace serve: ready' "$WORK/serve.out"; then
	not_ok "ctrace serve starts as the manifest says"
	diag "$(cat "$WORK/serve.out")"
	done_testing
	exit
fi
is "$(curl -s -o "$WORK/health" -w '%{http_code}' "http://$SERVE/healthz")" 200 "it is healthy" || diag "$(cat "$WORK/health")"

bundle "$WORK/b" sh -c 'exit 7'
rc run --bundle "$WORK/b" "node-$$"
is $? 7 "a container of the node"
like "$(metrics)" "^ctrace_container_info{id=\"node-$$\"" "is traced"
# names: which containers of this test are in the metrics
names()
{
	metrics | sed -n 's/^ctrace_container_info{id="[^"]*",name="\([^"]*\)",.*/\1/p' |
		grep -xE 'own|others|none|served' | sort | tr '\n' ' '
}
# killed: how many containers ended by a signal
killed()
{
	metric 'ctrace_container_exits_total{runtime="runc",reason="signal"}'
}
is "$(names)" "none others own served " "those that were there, itself among them, by their names on the node's disk"
before=$(killed)
pod kill none >/dev/null
wait_for 10 eval '[ "$(killed)" -gt $before ]'
is "$(killed)" $((before + 1)) "the end of one without a pid namespace of its own is counted"
pod kill others >/dev/null
wait_for 10 eval '[ "$(killed)" -gt $((before + 1)) ]'
is "$(killed)" $((before + 2)) "and of one in another's"

pod rm --force --time 0 others >/dev/null # it depends on another: rm --all would not take that first
pod stop --time 10 served >/dev/null
wait "$served"
is $? 0 "it ends well when the pod is stopped" || diag "$(cat "$WORK/serve.out")"
done_testing
