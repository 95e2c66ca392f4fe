/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/run_options.h"
#include "engine/capability.h"
#include "engine/spec.h"
#include "engine/user.h"
#include "engine/values.h"
#include "runtime/config.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define PARSE(s, err, ...)                                                     \
	(run_settings_init(s), memset(err, 0, sizeof(*(err))),                 \
		run_options_parse("run", (char *[]){ "run", __VA_ARGS__, NULL }, s, err))

static void test_docker_forms(void **state)
{
	struct run_settings s;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(&s, &err, "--log-driver=json-file", "--userns=host", "--no-healthcheck", "--disable-content-trust", "ubuntu"), 0);
	run_settings_free(&s);
	assert_int_equal(PARSE(&s, &err, "-itm256m", "--memory-swap=-1", "--cpus", "0.5", "-e", "A=b",
				 "--name=web", "-u", "1:2", "--rm", "-w=/x", "ubuntu", "sh", "-c", "-i"),
		0);
	assert_true(s.interactive && s.terminal && s.remove);
	assert_int_equal(s.memory, 256 << 20);
	assert_int_equal(s.memory_swap, -1);
	assert_int_equal(s.nano_cpus, 500000000);
	assert_string_equal(s.env.items[0], "A=b");
	assert_string_equal(s.name, "web");
	assert_string_equal(s.user, "1:2");
	assert_string_equal(s.workdir, "/x");
	assert_string_equal(s.source, "ubuntu");
	assert_int_equal(s.args.count, 3); /* what stands behind IMAGE is the container's */
	assert_string_equal(s.args.items[2], "-i");
	run_settings_free(&s);
}

static void test_sources(void **state)
{
	struct run_settings s;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(&s, &err, "--rootfs", "/srv", "true"), 0);
	assert_int_equal(s.source_type, SOURCE_ROOTFS);
	assert_string_equal(s.args.items[0], "true");
	run_settings_free(&s);
	assert_int_equal(PARSE(&s, &err, "--bundle=/b"), 0);
	run_settings_free(&s);
	assert_true(PARSE(&s, &err, "-m", "64m", "--bundle", "/b") < 0);
	assert_non_null(strstr(err.text, "--memory has no effect on --bundle"));
	run_settings_free(&s);
	assert_true(PARSE(&s, &err, "--bundle", "/b", "sh") < 0);
	run_settings_free(&s);
}

static void test_refused(void **state)
{
	static const struct {
		char *argv[6];
		const char *text;
	} rows[] = {
		{ { "run" }, "requires at least 1 argument" },
		{ { "run", "" }, "invalid reference format" },
		{ { "run", "--nosuch", "a" }, "unknown flag: --nosuch" },
		{ { "run", "-Z", "a" }, "unknown shorthand flag: 'Z' in -Z" },
		{ { "run", "--gpus", "all", "a" }, "docker's option --gpus is not supported" },
		{ { "create", "--gpus", "all", "a" }, "docker's option --gpus is not supported by ctrace create" },
		{ { "create", "-d", "a" }, "unknown shorthand flag: 'd' in -d; see 'ctrace create --help'" },
		{ { "create", "--bundle", "/b" }, "unknown flag: --bundle" },
		{ { "run", "--detach-keys", "ctrl-p,ctrl-1", "a" }, "'ctrl-1' is no key" },
		{ { "run", "--tui", "--detach-keys", "a", "a" }, "Conflicting options: --tui and --detach-keys" },
		{ { "create", "--detach-keys", "a", "a" }, "unknown flag: --detach-keys" },
		{ { "run", "--volumes-from", "x:rx", "a" }, "invalid mode: rx" },
		{ { "run", "--volumes-from", ":ro", "a" }, "no container is named" },
		{ { "run", "--annotation", "=v", "a" }, "invalid annotation: '=v'" },
		{ { "run", "--device-cgroup-rule", "c 1:2", "a" }, "invalid device cgroup format 'c 1:2'" },
		{ { "run", "--device-cgroup-rule", "d 1:2 r", "a" }, "invalid device cgroup format" },
		{ { "run", "--device-cgroup-rule", "c 1: r", "a" }, "invalid device cgroup format" },
		{ { "run", "--device-cgroup-rule", "c *:1x r", "a" }, "invalid device cgroup format" },
		{ { "run", "--device-cgroup-rule", "c 1:2 rr mw", "a" }, "invalid device cgroup format" },
		{ { "run", "--device-cgroup-rule", "c 1:2 ", "a" }, "invalid device cgroup format" },
		{ { "run", "--device-cgroup-rule", "", "a" }, "invalid device cgroup format" },
		{ { "run", "-a", "stdin", "-d", "a" }, "Conflicting options: -a and -d" },
		{ { "run", "-a", "x", "a" }, "valid streams are STDIN, STDOUT and STDERR" },
		{ { "create", "--sig-proxy", "a" }, "unknown flag: --sig-proxy" },
		{ { "run", "--memory" }, "flag needs an argument: --memory" },
		{ { "run", "-m" }, "flag needs an argument: 'm' in -m" },
		{ { "run", "-m", "abc", "a" },
			"invalid argument \"abc\" for \"-m, --memory\" flag: invalid size: 'abc'" },
		{ { "run", "-m", "0x10m", "a" }, "invalid size" },
		{ { "run", "-m", "inf", "a" }, "invalid size" },
		{ { "run", "-m", "5m", "a" }, "Minimum memory limit allowed is 6MB" },
		{ { "run", "--memory-swap", "64m", "a" }, "You should always set the Memory limit" },
		{ { "run", "-m64m", "--memory-swap", "32m", "a" }, "Minimum memoryswap limit" },
		{ { "run", "-m64m", "--memory-reservation", "128m", "a" },
			"can not be less than memory reservation" },
		{ { "run", "--cpus", "9999", "a" }, "Range of CPUs is from 0.01 to" },
		{ { "run", "--cpus", "0.001", "a" }, "Range of CPUs is from 0.01 to" },
		{ { "run", "--cpus", "1/2", "a" }, "failed to parse 1/2 as a rational number" },
		{ { "run", "--cpus", "0.12345678901", "a" }, "value is too precise" },
		{ { "run", "--cpuset-cpus", "4000", "a" }, "Requested CPUs are not available" },
		{ { "run", "--cpuset-cpus", "3-1", "a" }, "Invalid value 3-1 for cpuset cpus" },
		{ { "run", "--cpuset-mems", "x", "a" }, "Invalid value x for cpuset mems" },
		{ { "run", "-c", "1", "a" }, "CPU shares 1 are out of range" },
		{ { "run", "--name", "-x", "a" }, "Invalid container name (-x)" },
		{ { "run", "--name", "a/b", "a" }, "Invalid container name (a/b)" },
		{ { "run", "--hostname", "a b", "a" }, "invalid hostname format" },
		{ { "run", "--network", "foo", "a" }, "unknown network" },
		{ { "run", "--network=host", "-hx", "a" }, "conflicting options: hostname" },
		{ { "run", "--cap-add", "NOSUCH", "a" }, "invalid capability: \"NOSUCH\"" },
		{ { "run", "--ulimit", "nofile=2:1", "a" }, "must be less than or equal to hard" },
		{ { "run", "--ulimit", "x=1", "a" }, "invalid ulimit type: x" },
		{ { "run", "--sysctl", "vm.swappiness=1", "a" }, "sysctl 'vm.swappiness' is not allowed" },
		{ { "run", "--sysctl", "net.x=1", "--network=host", "a" }, "sysctl 'net.x' is not allowed with --network host" },
		{ { "run", "--sysctl", "fs.mqueue.x=1", "--ipc=host", "a" }, "sysctl 'fs.mqueue.x' is not allowed with --ipc host" },
		{ { "run", "--cpu-quota", "-5", "a" }, "CPU cfs quota can not be less than 1ms" },
		{ { "run", "--mount", "type=bind,src=/,dst=/x,volume-nocopy", "a" }, "cannot mix 'volume-*' options with mount type 'bind'" },
		{ { "run", "--mount", "type=bind,src=/,dst=/x,tmpfs-size=1m", "a" }, "cannot mix 'tmpfs-*' options with mount type 'bind'" },
		{ { "run", "--mount", "src=v,dst=/x,bind-propagation=rslave", "a" }, "cannot mix 'bind-*' options with mount type 'volume'" },
		{ { "run", "--cpus", "-1", "a" }, "Range of CPUs is from 0.01 to" },
		{ { "run", "--blkio-weight", "-1", "a" }, "Range of blkio weight is from 10 to 1000, not -1" },
		{ { "run", "--add-host", "a=1.2.3", "a" }, "invalid IP address in add-host: \"1.2.3\"" },
		{ { "run", "--add-host", "=1.2.3.4", "a" }, "bad format for add-host" },
		{ { "run", "--log-driver", "syslog", "a" }, "json-file is the only log driver" },
		{ { "run", "--userns", "private", "a" }, "invalid argument \"private\" for \"--userns\" flag" },
		{ { "run", "--no-healthcheck=false", "a" }, "no health checks" },
		{ { "run", "--disable-content-trust=0", "a" }, "no signatures" },
		{ { "run", "--tmpfs", "/x:foo", "a" }, "invalid argument \"/x:foo\" for \"--tmpfs\" flag: invalid tmpfs option \"foo\"" },
		{ { "run", "--tmpfs", "/x:ro,size=12q", "a" }, "invalid tmpfs option \"size=12q\": size is a number of bytes" },
		{ { "run", "--tmpfs", "/x:mode=9", "a" }, "mode is an octal number" },
		{ { "run", "--tmpfs", "/x:uid=-1", "a" }, "invalid tmpfs option \"uid=-1\"" },
		{ { "run", "--tmpfs", "/x:size", "a" }, "invalid tmpfs option \"size\"" },
		{ { "run", "--tmpfs", "/x:bind", "a" }, "invalid tmpfs option \"bind\"" },
		{ { "run", "--device", "null", "a" }, "invalid device specification" },
		{ { "run", "--device", "/dev/null:/x:q", "a" }, "invalid device mode: q" },
		{ { "run", "-v", "/a:b", "a" }, "mount path must be absolute" },
		{ { "run", "-v", "/a:/b:zz", "a" }, "invalid mode: zz" },
		{ { "run", "-v", "/a:/b:ro,rw", "a" }, "invalid mode: ro,rw" },
		{ { "run", "-v", "/a:/b:rshared,slave", "a" }, "invalid mode: rshared,slave" },
		{ { "run", "--restart", "on-failure:-1", "a" }, "maximum retry count cannot be negative: '-1'" },
		{ { "run", "-v", "a/b:/b", "a" }, "includes invalid characters for a local volume name" },
		{ { "run", "-p", "80:0", "a" }, "Invalid containerPort: 0" },
		{ { "run", "-p", "70000:80", "a" }, "Invalid hostPort: 70000" },
		{ { "run", "-p", "80:80/sctp", "a" }, "not sctp" },
		{ { "run", "-p", "[::1]:80:80", "a" }, "IPv4 addresses only" },
		{ { "run", "-p", "1.2.3:80:80", "a" }, "Invalid ip address: 1.2.3" },
		{ { "run", "-p", "80-81:80-82", "a" }, "Invalid ranges specified" },
		{ { "run", "--mount", "type=bind,src=/nonexistent,dst=/x", "a" },
			"bind source path does not exist: /nonexistent" },
		{ { "run", "--mount", "type=tmpfs,src=/a,dst=/x", "a" }, "cannot specify 'source'" },
		{ { "run", "--mount", "type=npipe,dst=/x", "a" }, "mount type npipe is not supported" },
		{ { "run", "--mount", "type=bind,src=/", "a" }, "field Target must not be empty" },
		{ { "run", "--mount", "dst=/x,foo=1", "a" }, "unexpected key 'foo'" },
		{ { "run", "--restart", "sometimes", "a" }, "invalid restart policy 'sometimes'" },
		{ { "run", "--restart", "always:3", "a" }, "maximum retry count cannot be used" },
		{ { "run", "--restart", "always", "--rm", "a" }, "Conflicting options: --restart and --rm" },
		{ { "run", "--add-host", "x", "a" }, "bad format for add-host" },
		{ { "run", "--add-host", "x:y", "a" }, "invalid IP address in add-host" },
		{ { "run", "--dns", "x", "a" }, "x is not an ip address" },
		{ { "run", "--dns-search", "a\nb", "a" }, "it is one word" },
		{ { "run", "--uts", "container:x", "a" }, "it is host" },
		{ { "run", "--network=container:x", "-p", "80", "a" }, "conflicting options: port publishing" },
		{ { "run", "--cpus=1", "--cpu-quota=5000", "a" }, "Nano CPUs and CPU Period" },
		{ { "run", "-v", "/a:/", "a" }, "destination can't be '/'" },
		{ { "run", "-w", "rel", "a" }, "needs to be an absolute path" },
		{ { "run", "--cgroup-parent", "/a/../..", "a" }, "invalid cgroup parent" },
		{ { "run", "--oom-score-adj", "1001", "a" }, "[-1000, 1000]" },
		{ { "run", "--security-opt", "foo", "a" }, "invalid --security-opt: foo" },
		{ { "run", "--stop-signal", "FOO", "a" }, "Invalid signal: FOO" },
		{ { "run", "-e", "=x", "a" }, "invalid environment variable: =x" },
		{ { "run", "--env-file", "/nonexistent", "a" }, "open /nonexistent" },
		{ { "run", "--trace=loud", "a" }, "unknown detail" },
		{ { "run", "--rm=maybe", "a" }, "parsing \"maybe\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_settings s;
		struct error err = { 0 };

		run_settings_init(&s);
		if (run_options_parse(rows[i].argv[0], (char **)rows[i].argv, &s, &err) >= 0 ||
			!strstr(err.text, rows[i].text))
			fail_msg("row %zu (%s): got \"%s\"", i, rows[i].text, err.text);
		run_settings_free(&s);
	}
}

static void test_engine_options(void **state)
{
	struct run_settings s;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(&s, &err, "-dp", "8080:80", "-p127.0.0.1::53/udp", "-p", "9000-9001:90-91", "-P",
				 "--expose", "7-8", "--restart=on-failure:3", "-v", "data:/d:ro", "-v", "/anon",
				 "--mount", "type=tmpfs,dst=/t,tmpfs-size=1m", "--network", "container:web",
				 "--pid=host", "--add-host", "a:1.2.3.4", "--stop-timeout", "3", "x"), -EINVAL);
	run_settings_free(&s);
	assert_int_equal(PARSE(&s, &err, "-dp", "8080:80", "-p127.0.0.1::53/udp", "-p", "9000-9001:90-91", "-P",
				 "--expose", "7-8", "--restart=on-failure:3", "-v", "data:/d:ro", "-v", "/anon",
				 "--mount", "type=tmpfs,dst=/t,tmpfs-size=1m", "--pid=host", "--add-host",
				 "a:1.2.3.4", "--stop-timeout", "3", "x"), 0);
	assert_true(s.detach && s.publish_all);
	assert_int_equal(s.ports.count, 4);
	assert_string_equal(s.ports.items[0], "0.0.0.0:8080:80/tcp");
	assert_string_equal(s.ports.items[1], "127.0.0.1:0:53/udp");
	assert_string_equal(s.ports.items[3], "0.0.0.0:9001:91/tcp");
	assert_int_equal(s.exposed.count, 2);
	assert_string_equal(s.exposed.items[1], "8/tcp");
	assert_int_equal(s.restart, RESTART_ON_FAILURE);
	assert_int_equal(s.restart_max, 3);
	assert_int_equal(s.volume_count, 2);
	assert_string_equal(s.volumes[0].name, "data");
	assert_true(s.volumes[0].read_only && !s.volumes[0].source);
	assert_true(!s.volumes[1].name && !s.volumes[1].source);
	assert_string_equal(s.tmpfs[0].options, "size=1048576");
	assert_string_equal(s.pid_mode, "host");
	assert_int_equal(s.stop_timeout, 3);
	run_settings_free(&s);
	assert_int_equal(PARSE(&s, &err, "--add-host", "a=1.2.3.4", "--add-host", "b:[::1]", "--mount", "type=bind,src=.,dst=/h", "-w", "", "x"), 0);
	assert_string_equal(s.hosts.items[0], "a:1.2.3.4");
	assert_string_equal(s.hosts.items[1], "b:::1");
	assert_true(s.volumes[0].source[0] == '/');
	run_settings_free(&s);
	assert_int_equal(PARSE(&s, &err, "-v", "./no/../such:/d", "x"), 0); /* it is made, as docker does */
	assert_true(s.volumes[0].source[0] == '/' && str_ends(s.volumes[0].source, "/such"));
	run_settings_free(&s);
}

/* What the options accept the runtime accepts as well: nobody who typed an option is to read of a place in config.json. */
static void test_runtime_agrees(void **state)
{
	static char *const rows[][9] = {
		{ "--ulimit", "nofile=1", "--ulimit", "nofile=2:3" }, { "--ulimit", "nofile=-1" }, { "--tmpfs", "/t", "--tmpfs", "/t:size=1m" },
		{ "--tmpfs", "/t:size=10%,mode=01777,uid=1,gid=2,nr_inodes=5k,mpol=local,rshared,noatime,sync" }, { "--tmpfs", "/a:b" },
		{ "--tmpfs", "/t:tmpcopyup" }, { "--mount", "type=tmpfs,dst=/t,tmpfs-mode=99999" }, { "--mount", "type=tmpfs,dst=/t,tmpfs-size=-1" },
		{ "-v", "/a:/b:rshared,ro,z" }, { "-v", "./rel:/b:rslave" }, { "-v", "/a:/b:nocopy" }, { "--mount", "type=bind,src=/,dst=/b,bind-propagation=rslave" },
		{ "--sysctl", "net.a=1", "--sysctl", "net.a=2" }, { "--sysctl", "no such=1" }, { "--sysctl", "/a=1" }, { "--sysctl", "a..b=1" },
		{ "--sysctl", "kernel.shmmax=1" }, { "--sysctl", "kernel.hostname=x" }, { "--sysctl", "vm.swappiness=1" },
		{ "--device", "/dev/null:relative" }, { "--device", "/dev/null:/dev/../x" }, { "--device", "/dev/null", "--device", "/dev/null:/dev/null:r" },
		{ "--device-cgroup-rule", "a *:* rwm" }, { "--device-cgroup-rule", "c 4294967296:0 r" }, { "--device-cgroup-rule", "b 1:2 m" },
		{ "--hostname", "a" }, { "--domainname", "x.y" }, { "--domainname",
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, { "--domainname", "" },
		{ "--cpu-quota", "-1" }, { "--cpu-quota", "-5" }, { "--cpu-period", "-1" }, { "--cpu-period", "0" }, { "--cpu-shares", "-1" }, { "--cpu-shares", "0" },
		{ "--cpu-shares", "9223372036854775807" }, { "--pids-limit", "-5" }, { "--pids-limit", "0" }, { "--pids-limit", "9223372036854775807" },
		{ "--blkio-weight", "-1" }, { "--blkio-weight", "1001" }, { "--memory-swappiness", "-1" }, { "--memory-swappiness", "-2" },
		{ "--oom-score-adj", "-1001" }, { "-m", "8e", "--memory-swap", "-1" }, { "--memory-reservation", "6m" }, { "-m", "0" }, { "--shm-size", "0" },
		{ "--shm-size", "7e" }, { "--memory-swap", "0" }, { "--cgroup-parent", "a//b" }, { "--cgroup-parent", "/" }, { "--group-add", "4294967296" },
		{ "--cap-add", "ALL", "--cap-drop", "ALL" }, { "--stop-signal", "RTMIN+3" }, { "--security-opt", "no-new-privileges" }, { "-w", "/a/../b" },
		{ "-w", "/a\nb" }, { "-e", "A B=1" }, { "-e", "A=\n" }, { "--annotation", "a b=c" }, { "--annotation", "a" }, { "--cpuset-cpus", "" }, { "--cpuset-mems", "0" },
		{ "--cpus", "0" }, { "--uts", "host" }, { "--pid", "host" }, { "--ipc", "none" }, { "--ipc", "host" }, { "--cgroupns", "host" }, { "--read-only", "--init=false" },
	};
	static char *none[] = { NULL };
	const struct store_config image = { .entrypoint = none, .cmd = none, .env = none, .user = "", .working_dir = "" };
	size_t agreed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *argv[16] = { "run" };
		struct user_identity user = { .home = "/root" };
		struct run_settings s;
		struct error err = { 0 };
		struct spec_input in = { .settings = &s, .image = &image, .user = &user, .id = "0123", .hostname = "h", .rootfs = "/r", .directory = "/d" };
		struct config *config = NULL;
		json_object *document = NULL;
		size_t n = 1;

		for (size_t j = 0; rows[i][j]; j++)
			argv[n++] = rows[i][j];
		argv[n++] = "img";
		argv[n] = "true";
		run_settings_init(&s);
		if (run_options_parse("run", argv, &s, &err) == 0) {
			for (size_t j = 0; j < s.volume_count; j++) /* as the engine does where it makes them */
				s.volumes[j].source = s.volumes[j].source ? s.volumes[j].source : xstrdup("/volume");
			if (spec_build(&in, &document, &err) == 0) {
				const char *text = json_object_to_json_string(document);

				if (config_parse(text, strlen(text), &config, &err) < 0)
					fail_msg("%s %s: %s", rows[i][0], rows[i][1], err.text);
				config_free(config);
				agreed++;
			}
			json_object_put(document);
		}
		run_settings_free(&s);
	}
	assert_true(agreed > ARRAY_SIZE(rows) / 2); /* the options refuse the others themselves */
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = { { "512", 512 }, { "1.5k", 1536 }, { "64M", 64 << 20 }, { "1GiB", 1 << 30 },
		{ "2gb", 2LL << 30 }, { "1 m", 1 << 20 }, { "7b", 7 } };
	int64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(value_bytes(rows[i].text, &value, NULL), 0);
		assert_int_equal(value, rows[i].value);
	}
	assert_true(value_bytes("-1", &value, NULL) < 0);
	assert_true(value_bytes("9999999999t", &value, NULL) < 0);
	assert_int_equal(value_cpus("1.1", &value, NULL), 0);
	assert_int_equal(value, 1100000000);
	assert_int_equal(value_cpus("0.1234567890", &value, NULL), 0);
	assert_int_equal(value, 123456789);
	assert_true(value_cpus("1.2.3", &value, NULL) < 0);
}

static void test_env_file(void **state)
{
	struct string_list env = { 0 };
	char path[] = "/tmp/test_run_optionsXXXXXX";
	int fd = mkstemp(path);
	static const char text[] = "# comment\nA=1\nB=\"q\"\n\nCTRACE_TEST_OWN\nCTRACE_TEST_NOT\nC=a=b\r\n";

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(fd);
	setenv("CTRACE_TEST_OWN", "mine", 1);
	unsetenv("CTRACE_TEST_NOT");
	assert_int_equal(value_env_file(path, &env, NULL), 0);
	assert_int_equal(env.count, 4);
	assert_string_equal(env.items[1], "B=\"q\"");
	assert_string_equal(env.items[2], "CTRACE_TEST_OWN=mine");
	assert_string_equal(env.items[3], "C=a=b");
	string_list_free(&env);
	remove(path);
}

static void test_capabilities(void **state)
{
	struct run_settings s;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(&s, &err, "a"), 0);
	assert_int_equal(capability_wanted(&s), 0xa80425fb);
	run_settings_free(&s);
	assert_int_equal(PARSE(&s, &err, "--cap-drop=all", "--cap-add", "net_raw", "a"), 0);
	assert_int_equal(capability_wanted(&s), 1 << 13);
	run_settings_free(&s);
	assert_int_equal(PARSE(&s, &err, "--cap-add=ALL", "--cap-drop", "CAP_CHOWN", "a"), 0);
	assert_int_equal(capability_wanted(&s), ((1ULL << CAPABILITY_COUNT) - 1) & ~1ULL);
	run_settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docker_forms), cmocka_unit_test(test_sources),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_engine_options),	     cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_runtime_agrees),
		cmocka_unit_test(test_env_file),     cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
