/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "engine/capability.h"
#include "engine/rooted.h"
#include "engine/seccomp_profile.h"
#include "engine/spec.h"
#include "engine/user.h"
#include "util/array.h"
#include "util/cleanup.h"

static char *no_strings[] = { NULL };

struct fixture {
	struct run_settings settings;
	struct store_config image;
	struct user_identity user;
	struct spec_input in;
	json_object *config;
};

static void prepare(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	run_settings_init(&f->settings);
	f->settings.source = xstrdup("img");
	f->image = (struct store_config){ .entrypoint = no_strings, .cmd = no_strings, .env = no_strings,
		.user = "", .working_dir = "" };
	f->user.home = "/root";
	f->in = (struct spec_input){ .settings = &f->settings, .image = &f->image, .user = &f->user,
		.id = "0123", .hostname = "h", .rootfs = "/r", .directory = "/d", .held = ~0ULL };
}

static void build(struct fixture *f)
{
	struct error err = { 0 };

	if (spec_build(&f->in, &f->config, &err) < 0)
		fail_msg("%s", err.text);
}

static void finish(struct fixture *f)
{
	json_object_put(f->config);
	run_settings_free(&f->settings);
}

/* A path of names and indices: "process.args.0". NULL = not there. */
static const char *at(json_object *o, const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *rest = copy, *name;

	while (o && (name = strsep(&rest, ".")))
		o = json_object_is_type(o, json_type_array)
			? json_object_array_get_idx(o, (size_t)atoi(name))
			: json_object_object_get(o, name);
	return o ? json_object_get_string(o) : NULL;
}

static void test_arguments(void **state)
{
	struct run_settings *s;
	struct string_list args;
	struct fixture f;
	char *entry[] = { "/entry", NULL }, *cmd[] = { "default", NULL };

	(void)state;
	prepare(&f);
	s = &f.settings;
	assert_true(spec_args(s, &f.image, &args, NULL) < 0); /* neither */
	f.image.entrypoint = entry;
	f.image.cmd = cmd;
	assert_int_equal(spec_args(s, &f.image, &args, NULL), 0);
	assert_string_equal(args.items[1], "default");
	string_list_free(&args);
	string_list_add(&s->args, xstrdup("mine")); /* replaces Cmd, not Entrypoint */
	assert_int_equal(spec_args(s, &f.image, &args, NULL), 0);
	assert_int_equal(args.count, 2);
	assert_string_equal(args.items[1], "mine");
	string_list_free(&args);
	s->entrypoint = xstrdup(""); /* reset */
	assert_int_equal(spec_args(s, &f.image, &args, NULL), 0);
	assert_int_equal(args.count, 1);
	string_list_free(&args);
	string_list_free(&s->args);
	assert_true(spec_args(s, &f.image, &args, NULL) < 0); /* the image's Cmd is dropped, too */
	finish(&f);
}

static void test_environment(void **state)
{
	char *env[] = { "PATH=/image", "A=image", "B=image", NULL }, *cmd[] = { "x", NULL };
	struct fixture f;

	(void)state;
	prepare(&f);
	f.image.env = env;
	f.image.cmd = cmd;
	f.settings.terminal = true;
	string_list_add(&f.settings.env, xstrdup("A=mine"));
	build(&f);
	assert_string_equal(at(f.config, "process.env.0"), "PATH=/image");
	assert_string_equal(at(f.config, "process.env.1"), "HOSTNAME=h");
	assert_string_equal(at(f.config, "process.env.2"), "TERM=xterm");
	assert_string_equal(at(f.config, "process.env.3"), "A=mine");
	assert_string_equal(at(f.config, "process.env.4"), "B=image");
	assert_string_equal(at(f.config, "process.env.5"), "HOME=/root");
	finish(&f);
}

static void test_limits(void **state)
{
	char *cmd[] = { "x", NULL };
	struct fixture f;

	(void)state;
	prepare(&f);
	f.image.cmd = cmd;
	f.settings.memory = 64 << 20;
	f.settings.nano_cpus = 500000000;
	f.settings.pids_limit = 0;
	build(&f);
	assert_string_equal(at(f.config, "linux.resources.memory.limit"), "67108864");
	assert_string_equal(at(f.config, "linux.resources.memory.swap"), "134217728");
	assert_string_equal(at(f.config, "linux.resources.cpu.quota"), "50000");
	assert_string_equal(at(f.config, "linux.resources.cpu.period"), "100000");
	assert_string_equal(at(f.config, "linux.resources.pids.limit"), "-1");
	assert_string_equal(at(f.config, "linux.cgroupsPath"), "/ctrace/0123");
	finish(&f);
}

static void test_security(void **state)
{
	char *cmd[] = { "x", NULL };
	struct fixture f;

	(void)state;
	prepare(&f);
	f.image.cmd = cmd;
	f.user.uid = 1000;
	build(&f);
	assert_non_null(at(f.config, "process.capabilities.bounding.13"));
	assert_null(at(f.config, "process.capabilities.bounding.14"));
	assert_null(at(f.config, "process.capabilities.effective.0")); /* not root */
	assert_null(at(f.config, "process.capabilities.inheritable"));
	assert_non_null(at(f.config, "linux.seccomp.defaultAction"));
	assert_string_equal(at(f.config, "linux.maskedPaths.0"), "/proc/asound");
	assert_string_equal(at(f.config, "linux.resources.devices.0.allow"), "false");
	json_object_put(f.config);
	f.settings.privileged = true;
	build(&f);
	assert_null(at(f.config, "linux.seccomp"));
	assert_null(at(f.config, "linux.maskedPaths"));
	assert_string_equal(at(f.config, "linux.resources.devices.0.allow"), "true");
	finish(&f);
}

static bool rule_has(json_object *profile, const char *action, const char *name)
{
	json_object *rules = json_object_object_get(profile, "syscalls");

	for (size_t i = 0; i < json_object_array_length(rules); i++) {
		json_object *rule = json_object_array_get_idx(rules, i);
		json_object *names = json_object_object_get(rule, "names");

		if (strcmp(json_object_get_string(json_object_object_get(rule, "action")), action) != 0)
			continue;
		for (size_t j = 0; j < json_object_array_length(names); j++)
			if (!strcmp(json_object_get_string(json_object_array_get_idx(names, j)), name))
				return true;
	}
	return false;
}

static void test_seccomp(void **state)
{
	struct run_settings s;
	json_object *plain, *admin;

	(void)state;
	run_settings_init(&s);
	plain = seccomp_profile(capability_wanted(&s));
	admin = seccomp_profile(~0ULL);
	assert_true(rule_has(plain, "SCMP_ACT_ALLOW", "openat"));
	assert_true(rule_has(plain, "SCMP_ACT_ALLOW", "chroot")); /* CAP_SYS_CHROOT is a default */
	assert_false(rule_has(plain, "SCMP_ACT_ALLOW", "mount"));
	assert_false(rule_has(plain, "SCMP_ACT_ALLOW", "bpf"));
	assert_false(rule_has(plain, "SCMP_ACT_ALLOW", "keyctl"));
	assert_false(rule_has(plain, "SCMP_ACT_ALLOW", "clone3"));
	assert_true(rule_has(plain, "SCMP_ACT_ERRNO", "clone3")); /* ENOSYS: libc falls back */
	assert_true(rule_has(admin, "SCMP_ACT_ALLOW", "mount"));
	assert_true(rule_has(admin, "SCMP_ACT_ALLOW", "clone3"));
	assert_false(rule_has(admin, "SCMP_ACT_ERRNO", "clone3"));
	assert_false(rule_has(admin, "SCMP_ACT_ALLOW", "keyctl"));
	json_object_put(plain);
	json_object_put(admin);
}

static int make_root(char *path)
{
	assert_non_null(mkdtemp(path));
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void put_file(int root, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(root, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int resolve(int root, const char *spec, struct user_identity *u, struct error *err)
{
	struct string_list none = { 0 };

	return user_resolve(root, spec, &none, u, err);
}

static void test_users(void **state)
{
	static const char *const refused[] = { "1000:", "nobody", "1x", "app:nogroup", ":", "a:b:c",
		"4294967295", " 1" };
	char path[] = "/tmp/test_specXXXXXX";
	_cleanup_close_ int root = make_root(path);
	struct user_identity u;
	struct error err;
	_cleanup_free_ char *remove_all = xasprintf("rm -rf %s", path);

	(void)state;
	mkdirat(root, "etc", 0755);
	put_file(root, "etc/passwd", "root:x:0:0::/root:/bin/sh\nbroken\napp:x:1000:1001:,:/home/app:x\n");
	put_file(root, "etc/group", "video:x:44:other,app\nstaff:x:50:\n");
	assert_int_equal(resolve(root, "app", &u, &err), 0);
	assert_int_equal(u.uid, 1000);
	assert_int_equal(u.gid, 1001);
	assert_int_equal(u.group_count, 1);
	assert_int_equal(u.groups[0], 44);
	assert_string_equal(u.home, "/home/app");
	user_free(&u);
	assert_int_equal(resolve(root, "1000:staff", &u, &err), 0); /* a group given: no others */
	assert_int_equal(u.gid, 50);
	assert_int_equal(u.group_count, 0);
	user_free(&u);
	assert_int_equal(resolve(root, "77", &u, &err), 0);
	assert_int_equal(u.gid, 0);
	assert_string_equal(u.home, "/");
	user_free(&u);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (resolve(root, refused[i], &u, &err) >= 0)
			fail_msg("user \"%s\" was taken", refused[i]);
	resolve(root, "nobody", &u, &err);
	assert_string_equal(err.text,
		"unable to find user nobody: no matching entries in passwd file");
	assert_int_equal(system(remove_all), 0);
}

/* What an image may put where ctrace reads: links out of the root, a fifo, a huge file. */
static void test_hostile_root(void **state)
{
	char path[] = "/tmp/test_specXXXXXX";
	_cleanup_close_ int root = make_root(path);
	_cleanup_free_ char *remove_all = xasprintf("rm -rf %s /tmp/test_spec_outside", path);
	struct user_identity u;
	struct error err;
	struct stat st;
	char *text;

	(void)state;
	mkdirat(root, "etc", 0755);
	assert_int_equal(symlinkat("/etc/hostname", root, "etc/passwd"), 0);
	assert_true(rooted_read(root, "/etc/passwd", 100, &text) == -ENOENT); /* inside there is none */
	unlinkat(root, "etc/passwd", 0);
	assert_int_equal(mkfifoat(root, "etc/passwd", 0644), 0);
	assert_true(resolve(root, "app", &u, &err) < 0); /* and does not hang */
	unlinkat(root, "etc/passwd", 0);
	put_file(root, "etc/passwd", "");
	_cleanup_free_ char *big = xasprintf("%s/etc/passwd", path);
	assert_int_equal(truncate(big, 10LL << 30), 0);
	assert_true(resolve(root, "app", &u, &err) < 0);
	assert_int_equal(mkdir("/tmp/test_spec_outside", 0755), 0);
	assert_int_equal(symlinkat("/tmp/test_spec_outside", root, "out"), 0);
	rooted_make_directory(root, "/out/made", &err);
	assert_true(stat("/tmp/test_spec_outside/made", &st) < 0);
	assert_int_equal(rooted_make_directory(root, "/a/b/../c", &err), 0);
	assert_int_equal(fstatat(root, "a/c", &st, 0), 0);
	assert_int_equal(system(remove_all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments), cmocka_unit_test(test_environment),
		cmocka_unit_test(test_limits),	  cmocka_unit_test(test_security),
		cmocka_unit_test(test_seccomp),	  cmocka_unit_test(test_users),
		cmocka_unit_test(test_hostile_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
