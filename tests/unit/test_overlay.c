/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/image/tree.h"
#include "engine/overlay.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { LAYERS = 127 }; /* as many as docker takes */

static bool knows_lowerdir_plus;

/* In libc's place: a kernel before 6.7 knows no lowerdir+, and none takes a string of 256 bytes. */
int fsconfig(int fd, unsigned int command, const char *key, const void *value, int aux)
{
	if (!knows_lowerdir_plus && key && !strcmp(key, "lowerdir+")) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

static int enter_mount_namespace(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		return 0;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static char *make_directory(const char *top, const char *name)
{
	char *path = xasprintf("%s/%s", top, name);

	assert_int_equal(mkdir(path, 0755), 0);
	return path;
}

static void write_number(const char *directory, const char *name, size_t number)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(dprintf(fd, "%zu", number) > 0);
}

static void assert_number(const char *directory, const char *name, size_t number)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, name), *wanted = xasprintf("%zu", number);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[20] = "";

	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, wanted);
}

/* Paths as long as the store's: "/var/lib/ctrace/layers/", 64 digits, "/diff". */
static void mount_many(void)
{
	char top[] = "/tmp/test_overlay.XXXXXX", *layers[LAYERS];
	_cleanup_free_ char *upper = NULL, *work = NULL, *target = NULL;
	struct overlay o = { .layers = layers, .layer_count = LAYERS };
	struct error err = { 0 };
	int r;

	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(top));
	for (size_t i = 0; i < LAYERS; i++) {
		_cleanup_free_ char *name = xasprintf("%064zu", i), *own = xasprintf("own%zu", i);

		layers[i] = make_directory(top, name);
		write_number(layers[i], "same", i);
		write_number(layers[i], own, i);
	}
	o.upper = upper = make_directory(top, "upper");
	o.work = work = make_directory(top, "work");
	o.target = target = make_directory(top, "root");
	r = overlay_mount(&o, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
	assert_number(target, "same", LAYERS - 1);
	for (size_t i = 0; i < LAYERS; i++) {
		_cleanup_free_ char *own = xasprintf("own%zu", i);

		assert_number(target, own, i);
		free(layers[i]);
	}
	assert_int_equal(umount(target), 0);
	tree_remove(AT_FDCWD, top);
}

static void test_one_by_one(void **state)
{
	(void)state;
	knows_lowerdir_plus = true;
	mount_many();
}

static void test_in_one_option(void **state)
{
	(void)state;
	knows_lowerdir_plus = false;
	mount_many();
}

static void test_quoting(void **state)
{
	char *layers[] = { "/lowest", "/with:colon,comma\\slash", "/top" };
	_cleanup_free_ char *text = overlay_lowerdir(layers, 3);

	(void)state;
	assert_string_equal(text, "/top:/with\\:colon\\,comma\\\\slash:/lowest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_in_one_option),
		cmocka_unit_test(test_quoting),
	};

	return cmocka_run_group_tests(tests, enter_mount_namespace, NULL);
}
