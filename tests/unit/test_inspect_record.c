/* SPDX-License-Identifier: Apache-2.0 */
/* What inspect says of the options: from the command line through the state to docker's names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/inspect_host_config.h"
#include "cmd/inspect_record.h"
#include "cmd/run_options.h"
#include "cmd/template.h"
#include "engine/host_config.h"
#include "util/cleanup.h"

static char none[] = "";

static char *shown(json_object *o, const char *template)
{
	struct strbuf out = { 0 };
	struct error err = { 0 };

	strbuf_puts(&out, "");
	if (template_print(template, o, &out, &err) < 0)
		strbuf_puts(&out, err.text);
	return strbuf_steal(&out);
}

/* Of a container with these options; config: what the runtime was given, as JSON. */
static json_object *host_config(char **argv, const char *config)
{
	struct state s = { .network = none, .pid_mode = none, .ipc_mode = none, .uts_mode = none };
	json_object *parsed = json_tokener_parse(config), *o;
	struct run_settings settings;
	struct error err = { 0 };

	run_settings_init(&settings);
	assert_int_equal(run_options_parse("run", argv, &settings, &err), 0);
	s.host_config = host_config_text(&settings);
	o = inspect_host_config(&s, parsed);
	free(s.host_config);
	run_settings_free(&settings);
	json_object_put(parsed);
	return o;
}

static void check(char **argv, const char *config, const char *template, const char *expected)
{
	json_object *o = host_config(argv, config);
	_cleanup_free_ char *text = shown(o, template);

	assert_string_equal(text, expected);
	json_object_put(o);
}

#define RUN(...) ((char *[]){ "run", __VA_ARGS__, "busybox", NULL })

static void test_defaults(void **state)
{
	struct run_settings s;
	_cleanup_free_ char *text = NULL;

	(void)state;
	run_settings_init(&s);
	text = host_config_text(&s);
	assert_string_equal(text, ""); /* what nobody asked for takes no room */
	run_settings_free(&s);
	check(RUN("--rm"), "{}", "{{.Privileged}} {{.Memory}} {{.NanoCpus}} {{.PidsLimit}} {{json .CapAdd}} {{.ShmSize}} {{.IpcMode}} "
		"{{.LogConfig.Type}} {{.RestartPolicy.Name}} {{len .Dns}} {{range .Binds}}x{{end}}{{.Runtime}}",
		"false 0 0 <no value> null 67108864 private json-file no 0 ctrace");
}

static void test_options(void **state)
{
	(void)state;
	check(RUN("--privileged", "--init", "-P", "--oom-kill-disable"), "{}", "{{.Privileged}} {{.Init}} {{.PublishAllPorts}} {{.OomKillDisable}}",
		"true true true true");
	check(RUN("-v", "/a:/b:ro", "-v", "vol:/c", "-v", "/anon"), "{}", "{{json .Binds}}", "[\"/a:/b:ro\",\"vol:/c\"]");
	check(RUN("--mount", "type=bind,src=/,dst=/b,ro"), "{}", "{{json .Mounts}}{{json .Binds}}",
		"[{\"Type\":\"bind\",\"Source\":\"/\",\"Target\":\"/b\",\"ReadOnly\":true}]null");
	check(RUN("--tmpfs", "/t:size=1m", "--sysctl", "net.a=1=2"), "{}", "{{json .Tmpfs}}{{json .Sysctls}}", "{\"/t\":\"size=1m\"}{\"net.a\":\"1=2\"}");
	check(RUN("--cap-add", "NET_ADMIN", "--cap-drop", "all", "--group-add", "7"), "{}", "{{json .CapAdd}}{{json .CapDrop}}{{json .GroupAdd}}",
		"[\"CAP_NET_ADMIN\"][\"ALL\"][\"7\"]");
	check(RUN("--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined"), "{}", "{{.SecurityOpt}}",
		"[no-new-privileges seccomp=unconfined]");
	check(RUN("--ulimit", "nofile=1:2", "--ulimit", "core=-1"), "{}", "{{range .Ulimits}}{{.Name}}={{.Soft}}:{{.Hard}} {{end}}", "nofile=1:2 core=-1:-1 ");
	check(RUN("--device", "/dev/zero:/dev/x:r"), "{}", "{{range .Devices}}{{.PathOnHost}} {{.PathInContainer}} {{.CgroupPermissions}}{{end}}",
		"/dev/zero /dev/x r");
	check(RUN("--dns", "1.2.3.4", "--dns-search", "x.y", "--shm-size", "1m", "--oom-score-adj", "-5", "--memory-swappiness", "0"), "{}",
		"{{.Dns}} {{.DnsSearch}} {{.ShmSize}} {{.OomScoreAdj}} {{.MemorySwappiness}}", "[1.2.3.4] [x.y] 1048576 -5 0");
	check(RUN("--cgroupns", "host", "--cgroup-parent", "/p"), "{}", "{{.CgroupnsMode}} {{.CgroupParent}}", "host /p");
}

static void test_limits(void **state)
{
	static const char config[] = "{\"linux\": {\"resources\": {\"memory\": {\"limit\": 67108864, \"swap\": 134217728}, "
		"\"cpu\": {\"quota\": 50000, \"period\": 100000, \"cpus\": \"0\"}, \"pids\": {\"limit\": 7}}, \"maskedPaths\": [\"/m\"]}, "
		"\"root\": {\"readonly\": true}}";

	(void)state;
	check(RUN("-m", "64m"), config, "{{.Memory}} {{.MemorySwap}} {{.CpuQuota}} {{.PidsLimit}} {{.CpusetCpus}} {{.MaskedPaths}} {{.ReadonlyRootfs}}",
		"67108864 134217728 50000 7 0 [/m] true");
	check(RUN("--cpus", "0.5"), config, "{{.NanoCpus}} {{.CpuQuota}} {{.CpuPeriod}}", "500000000 0 0"); /* as it was asked for */
}

static void test_record(void **state)
{
	static const struct {
		const char *template, *expected;
	} rows[] = {
		{ "{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.State.ExitCode}}", "exited false 0 3" }, { "{{.Name}} {{.RestartCount}}", "/web 2" },
		{ "{{.Config.User}} {{.Config.Image}} {{json .Config.Entrypoint}} {{json .Config.Cmd}} {{.Path}} {{.Args}}",
			"daemon busybox [\"/e\"] [\"a\",\"b\"] /e [a b]" },
		{ "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{.Gateway}}{{end}}|{{.NetworkSettings.IPAddress}}|{{.NetworkSettings.SandboxKey}}", "||" },
		{ "{{index .Config.Labels \"k\"}}{{index .Config.Labels \"none\"}}", "v" }, { "{{range .Mounts}}{{.Type}}:{{.Name}}:{{.RW}}{{end}}", "volume:vol:false" },
		{ "{{.State.Health.Status}}", "template: can't evaluate field Health in .State.Health.Status" },
		{ "{{.LogPath}}", "/nonexistent/d/0123-json.log" }, { "{{.HostConfig.Privileged}}", "true" },
	};
	char *command[] = { "/e", "a", "b" }, *labels[] = { "k=v" }, *volumes[] = { "volume\tvol\t/src\t/dst\tro\t" };
	struct state s = { .id = "0123", .name = "web", .directory = "/nonexistent/d", .status = STATE_EXITED, .image_id = none, .image = "busybox",
		.store_root = none, .storage = none, .cgroup = none, .address = none, .gateway = none, .bundle = none, .rootfs = none, .hostname = none,
		.stop_signal = none, .network = "bridge", .pid_mode = none, .ipc_mode = none, .uts_mode = none, .keeps_log = true,
		.command = { command, 3, 3 }, .entrypoint_count = 1, .labels = { labels, 1, 1 }, .mounts = { volumes, 1, 1 }, .exit_code = 3,
		.restart_count = 2, .user_name = "daemon", .host_config = "{\"Privileged\":true}", .error = none };
	json_object *o = inspect_record_json(&s);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = shown(o, rows[i].template);

		assert_string_equal(text, rows[i].expected);
	}
	json_object_put(o);
	s.entrypoint_count = 99; /* of a damaged file */
	s.host_config = "[1";
	o = inspect_record_json(&s);
	assert_non_null(o);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_options), cmocka_unit_test(test_limits), cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests_name("inspect_record", tests, NULL, NULL);
}
