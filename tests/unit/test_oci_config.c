/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/config.h"
#include "runtime/runtime_internal.h"
#include "util/array.h"

static int parse(const char *text, struct config **ret, struct error *err)
{
	return config_parse(text, strlen(text), ret, err);
}

#define HEAD "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"}," \
	"\"process\":{\"args\":[\"a\"],\"cwd\":\"/\""
#define NAMESPACES "},\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\",\"path\":\"/p\"}]"

static void test_minimal(void **state)
{
	struct config *c = NULL;
	struct error err;

	(void)state;
	assert_int_equal(parse(HEAD NAMESPACES "}}", &c, &err), 0);
	assert_string_equal(c->root, "r");
	assert_int_equal(config_new_namespaces(c), CLONE_NEWNS);
	assert_string_equal(config_namespace(c, CLONE_NEWPID)->path, "/p");
	assert_int_equal(c->process.umask, -1);
	assert_int_equal(c->resources.memory_limit, CGROUP_UNSET);
	config_free(c);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "JSON" },
		{ "[]", "JSON" },
		{ "{\"ociVersion\":\"1.0.2\"}", ": linux: " },
		{ "{\"ociVersion\":\"1.0.2\",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}", ": process: " },
		{ HEAD NAMESPACES "}}x", "behind the end" },
		{ HEAD NAMESPACES "}}/**/", "behind the end" },
		{ HEAD ",\"args\":[]" NAMESPACES "}}", ": process.args: it is there twice" },
		{ HEAD ",\"\\u0061rgs\":[]" NAMESPACES "}}", ": process.args: it is there twice" },
		{ HEAD ",\"cwd\\u0000\":[]" NAMESPACES "}}", "NUL" },
		{ HEAD ",\"x\":18446744073709551616" NAMESPACES "}}", ": process.x: " },
		{ HEAD "},\"linux\":{}}", "mount namespace" },
		{ HEAD ",\"terminal\":1" NAMESPACES "}}", "terminal" },
		{ HEAD ",\"user\":{\"uid\":4294967296}" NAMESPACES "}}", "uid" },
		{ HEAD ",\"user\":{\"uid\":-1}" NAMESPACES "}}", "uid" },
		{ HEAD ",\"oomScoreAdj\":1001" NAMESPACES "}}", "oomScoreAdj" },
		{ HEAD ",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]" NAMESPACES "}}", "RLIMIT_X" },
		{ HEAD ",\"env\":[\"a\\u0000b\"]" NAMESPACES "}}", "env" },
		{ HEAD NAMESPACES ",\"rootfsPropagation\":\"x\"}}", "rootfsPropagation" },
		{ HEAD NAMESPACES ",\"devices\":[{\"path\":\"x\",\"type\":\"c\"}]}}", "device" },
		{ HEAD NAMESPACES "},\"hostname\":\"h\"}", "uts" },
		{ HEAD NAMESPACES "},\"mounts\":[{\"type\":\"tmpfs\"}]}", "destination" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config *c = NULL;
		struct error err = { 0 };

		if (parse(bad[i].text, &c, &err) == 0)
			fail_msg("accepted: %s", bad[i].text);
		if (!strstr(err.text, bad[i].says))
			fail_msg("%s: says \"%s\"", bad[i].text, err.text);
	}
}

static void test_capabilities(void **state)
{
	struct config *c = NULL;
	struct error err;

	(void)state;
	assert_int_equal(config_capability("CAP_CHOWN"), 0);
	assert_int_equal(config_capability("sys_admin"), 21);
	assert_int_equal(config_capability("CAP_CHECKPOINT_RESTORE"), 40);
	assert_int_equal(config_capability("CAP_NO"), -1);
	assert_int_equal(parse(HEAD ",\"capabilities\":{\"permitted\":[\"CAP_CHOWN\",\"CAP_KILL\"],"
		"\"inheritable\":[\"CAP_CHOWN\",\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]}" NAMESPACES "}}",
		&c, &err), 0);
	assert_int_equal(c->process.capabilities.permitted, 1 | 1 << 5);
	assert_int_equal(c->process.capabilities.inheritable, 1 | 1 << 5);
	config_free(c);
}

static void test_mount_options(void **state)
{
	json_object *o = json_tokener_parse("{\"destination\":\"/x\",\"source\":\"/y\",\"type\":\"tmpfs\","
		"\"options\":[\"ro\",\"nosuid\",\"rshared\",\"rnoexec\",\"noatime\",\"size=5\"]}");
	struct mount_plan m = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(config_parse_mount(&(struct doc){ .json = o }, &m, &err), 0);
	assert_false(m.bind);
	assert_int_equal(m.set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME);
	assert_int_equal(m.clear, MOUNT_ATTR__ATIME); /* all of the field, or EINVAL */
	assert_int_equal(m.recursive_set, MOUNT_ATTR_NOEXEC);
	assert_int_equal(m.propagation, MS_SHARED);
	assert_true(m.propagation_recursive);
	assert_int_equal(m.data_count, 1);
	assert_string_equal(m.data[0], "size=5");
	free(m.data);
	json_object_put(o);
}

static void test_ids(void **state)
{
	(void)state;
	assert_int_equal(state_check_id("a.b_c+d-1", NULL), 0);
	assert_true(state_check_id("", NULL) < 0);
	assert_true(state_check_id("..", NULL) < 0);
	assert_true(state_check_id(".a", NULL) < 0);
	assert_true(state_check_id("a/b", NULL) < 0);
	assert_true(state_check_id("a b", NULL) < 0);
	assert_true(state_check_id("a\n", NULL) < 0);
}

/* Symbolic links of the root filesystem lead to places inside of it. */
static void test_root_paths(void **state)
{
	char dir[] = "/tmp/runtime-unit.XXXXXX", path[128];
	struct stat inside, opened;
	int root, fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("/etc", root, "abs"), 0);
	assert_int_equal(symlinkat("../../..", root, "up"), 0);
	assert_int_equal(rootfs_open(root, "/abs/passwd", O_PATH), -2);
	fd = rootfs_open(root, "/up", O_PATH);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &opened) | fstat(root, &inside), 0);
	assert_int_equal(opened.st_ino, inside.st_ino);
	close(fd);
	fd = rootfs_open_target(root, "/up/a/b/c", true, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(root, "a/b/c", &opened, 0), 0);
	fd = rootfs_open_target(root, "/a/file", false, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_true(rootfs_open_target(root, "/a/file", true, NULL) < 0);
	/* a dangling link is not followed to make what it names */
	assert_true(rootfs_open_target(root, "/abs/new", true, NULL) < 0);
	snprintf(path, sizeof(path), "/etc/new");
	assert_int_not_equal(access(path, F_OK), 0);
	unlinkat(root, "abs", 0);
	unlinkat(root, "up", 0);
	unlinkat(root, "a/file", 0);
	unlinkat(root, "a/b/c", AT_REMOVEDIR);
	unlinkat(root, "a/b", AT_REMOVEDIR);
	unlinkat(root, "a", AT_REMOVEDIR);
	close(root);
	assert_int_equal(rmdir(dir), 0);
}

static void test_status_code(void **state)
{
	(void)state;
	assert_int_equal(runtime_status_code(7 << 8), 7);
	assert_int_equal(runtime_status_code(9), 137);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_mount_options),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_root_paths),
		cmocka_unit_test(test_status_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
