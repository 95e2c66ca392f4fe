/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "timeline/identify.h"

#define ID "9c7c0b8d1f0e4a5b6c7d8e9f00112233445566778899aabbccddeeff00112233"
#define ID2 "1111111111111111111111111111111111111111111111111111111111111111"
#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })

static void runtime_argv(void **state)
{
	struct identity who;

	(void)state;
	assert_true(identify_runtime(ARGV("runc", "--root", "/run/docker/runtime-runc/moby", "--log", "/l.json",
		"--log-format", "json", "create", "--bundle", "/b", "--pid-file", "/b/init.pid", ID), false, &who));
	assert_int_equal(who.verb, VERB_CREATE);
	assert_string_equal(who.id, ID);
	assert_string_equal(who.bundle, "/b");

	assert_true(identify_runtime(ARGV("runc", "run", "-b", "/x", "foo"), false, &who));
	assert_string_equal(who.id, "foo");
	assert_true(identify_runtime(ARGV("crun", "--root=/r", "kill", "--all", "web", "9"), false, &who));
	assert_int_equal(who.verb, VERB_KILL);
	assert_string_equal(who.id, "web");
	assert_true(identify_runtime(ARGV("runc", "exec", "-t", "-e", "A=B", "-u", "0", "box", "sh"), false, &who));
	assert_int_equal(who.verb, VERB_EXEC);
	assert_string_equal(who.id, "box");
	assert_true(identify_runtime(ARGV("runc", "run", "-b", "/x", "--", "-lead"), false, &who));
	assert_string_equal(who.id, "-lead");
	assert_string_equal(who.bundle, "/x");
	assert_true(identify_runtime(ARGV("runc", "--root", "/r", "--", "exec", "-t", "--", "box", "sh"), false, &who));
	assert_int_equal(who.verb, VERB_EXEC);
	assert_string_equal(who.id, "box");
	assert_true(identify_runtime(ARGV("crun", "run", "-f", "other.json", "web"), false, &who));
	assert_string_equal(who.id, "web");
	assert_true(identify_runtime(ARGV("crun", "delete", "-f", "web"), false, &who));
	assert_string_equal(who.id, "web");
	assert_true(identify_runtime(ARGV("crun", "run", "-db", "/x", "-fother.json", "-b/y", "-detach", "web"), false, &who));
	assert_string_equal(who.id, "web");
	assert_string_equal(who.bundle, "/x");
	assert_true(identify_runtime(ARGV("runc", "-root", "/r", "update", "-cpu-rt-period", "1000", "web"), false, &who));
	assert_string_equal(who.id, "web");
	assert_string_equal(who.root, "/r");
	assert_true(identify_runtime(ARGV("runc", "delete", "--force", "run"), false, &who)); /* an id may be a verb */
	assert_string_equal(who.id, "run");
	assert_true(identify_runtime(ARGV("ctrace", "oci", "create", "--bundle=/q", "c1"), false, &who));
	assert_string_equal(who.bundle, "/q");

	assert_true(identify_runtime(ARGV("/opt/ctrace-oci", "create", "--bundle=/q", "c2"), false, &who));
	assert_string_equal(who.id, "c2");
	assert_false(identify_runtime(ARGV("/usr/bin/ctrace", "run", "--rm", "ubuntu"), false, &who));
	assert_false(identify_runtime(ARGV("runc", "--version"), false, &who));
	assert_false(identify_runtime(ARGV("runc", "list"), false, &who));
	assert_false(identify_runtime(ARGV("runc", "init"), false, &who));
	assert_false(identify_runtime(ARGV("runc", "run"), false, &who));
	assert_false(identify_runtime((char *[]){ NULL }, false, &who));
	/* The middle is missing: of what makes a container the end is its id, of others nothing behind is believed. */
	assert_true(identify_runtime(ARGV("runc", "run", "--bundle", "/a\u2026/z", "far"), true, &who));
	assert_string_equal(who.id, "far");
	assert_true(identify_runtime(ARGV("runc", "create", "--pid-file", "/p\u2026-bundle", "/b", "far"), true, &who));
	assert_string_equal(who.id, "far");
	assert_false(identify_runtime(ARGV("runc", "exec", "-e", "A=\u2026-e", "B=2", "box", "sh"), true, &who));
	assert_false(identify_runtime(ARGV("runc", "run", "--bundle", "/a\u2026"), true, &who));
	assert_true(identify_runtime(ARGV("runc", "exec", "box", "sh", "-c", "\u2026;", "true"), true, &who));
	assert_string_equal(who.id, "box");
	/* No verb before it: it is among the runtime's own options. */
	assert_true(identify_runtime(ARGV("runc", "--log", "/l\u2026/l", "--root", "/r", "create", "--bundle", "/b", "far"), true, &who));
	assert_int_equal(who.verb, VERB_CREATE);
	assert_string_equal(who.id, "far");
	assert_string_equal(who.bundle, "/b");
	assert_string_equal(who.root, "/r");
	assert_true(identify_runtime(ARGV("runc", "--log", "/l\u2026-format", "json", "kill", "far", "9"), true, &who));
	assert_int_equal(who.verb, VERB_KILL);
	assert_string_equal(who.id, "far");
	assert_true(identify_runtime(ARGV("runc", "--root", "/r", "--log=/l\u2026/l", "exec", "-e", "A=B", "box", "run", "x"), true, &who));
	assert_int_equal(who.verb, VERB_EXEC);
	assert_string_equal(who.id, "box");
	assert_string_equal(who.root, "/r");
	assert_false(identify_runtime(ARGV("runc", "--log", "/l\u2026/b", "--pid-file", "/p", "run"), true, &who));
	assert_false(identify_runtime(ARGV("runc", "--log", "/l\u2026-e", "A=B", "box", "run", "x"), true, &who));
	assert_true(identify_runtime(ARGV("runc", "exec", "-e", "A=\u2026", "box", "sh"), false, &who));
	assert_string_equal(who.id, "box");
}

static void shim_argv(void **state)
{
	struct identity who;

	(void)state;
	assert_true(identify_shim(ARGV("/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", ID,
		"-address", "/run/containerd.sock", "start"), &who));
	assert_int_equal(who.verb, VERB_CREATE);
	assert_string_equal(who.namespace_, "moby");
	assert_true(identify_shim(ARGV("containerd-shim-runc-v2", "-namespace", "default", "-id", "a", "-bundle", "/b",
		"delete"), &who));
	assert_int_equal(who.verb, VERB_DELETE);
	assert_true(identify_shim(ARGV("containerd-shim-runc-v2", "-namespace", "default", "-id", "start"), &who));
	assert_string_equal(who.id, "start");
	assert_int_equal(who.verb, VERB_START);
	assert_true(identify_conmon(ARGV("/usr/bin/conmon", "--api-version", "1", "-c", ID, "-u", ID, "-r", "/usr/bin/runc",
		"-b", "/bundle", "-p", "/pidfile", "-n", "web"), &who));
	assert_string_equal(who.id, ID);
	assert_string_equal(who.name, "web");
	assert_false(identify_conmon(ARGV("conmon", "--version"), &who));
}

static void expect(const char *path, const char *id, const char *engine)
{
	struct cgroup_identity who;

	if (!id) {
		assert_false(identify_cgroup(path, &who));
		return;
	}
	assert_true(identify_cgroup(path, &who));
	assert_int_equal(who.id_length, strlen(id));
	assert_memory_equal(who.id, id, who.id_length);
	if (engine)
		assert_string_equal(who.engine, engine);
	else
		assert_null(who.engine);
}

static void cgroup_paths(void **state)
{
	struct cgroup_identity who;

	(void)state;
	expect("/docker/" ID, ID, "docker");
	expect("/system.slice/docker-" ID ".scope", ID, "docker");
	expect("/docker/" ID "/init.scope/x", ID, "docker");
	expect("/docker/" ID "/docker/" ID2, ID2, "docker"); /* nested engines: innermost wins */
	expect("/libpod_parent/libpod-" ID, ID, "podman");
	expect("/machine.slice/libpod-" ID ".scope/container", ID, "podman");
	expect("/machine.slice/libpod-conmon-" ID ".scope", NULL, NULL);
	expect("/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/" ID, ID, NULL);
	expect("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod11111111_2222_3333_4444_555555555555.slice/"
	       "cri-containerd-" ID ".scope", ID, "containerd");
	expect("/kubepods/pod11111111-2222-3333-4444-555555555555/crio-conmon-" ID, NULL, NULL);
	expect("/ctrace/" ID, ID, "ctrace");
	expect("/lxc.payload.web/system.slice", "web", "lxc");
	expect("/machine.slice/machine-deb.scope", "deb", "systemd-nspawn");
	expect("/buildkit/abc123", "abc123", "buildkit");
	expect("/user.slice/user-0.slice/session-1.scope", NULL, NULL);
	expect("/", NULL, NULL);
	expect("", NULL, NULL);
	expect("/docker", NULL, NULL);
	expect("/docker/short", NULL, NULL);

	assert_true(identify_cgroup("/kubepods.slice/kubepods-pod11111111_2222_3333_4444_555555555555.slice/crio-" ID ".scope",
		&who));
	assert_int_equal(who.pod_length, 36);
	assert_memory_equal(who.pod, "11111111_2222", 13);

	assert_true(identify_cgroup("/libpod_parent/" ID2 "/libpod-" ID, &who)); /* podman's pods are bare ids */
	assert_memory_equal(who.id, ID, 64);
	assert_int_equal(who.pod_length, 64);
	assert_memory_equal(who.pod, ID2, 64);
	assert_true(identify_cgroup("/docker/" ID2 "/libpod-" ID, &who)); /* and this is a container around it */
	assert_null(who.pod);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runtime_argv),
		cmocka_unit_test(shim_argv),
		cmocka_unit_test(cgroup_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
