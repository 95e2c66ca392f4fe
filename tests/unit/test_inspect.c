/* SPDX-License-Identifier: Apache-2.0 */
/* What inspect reads: layers out of mountinfo, and which container a word means. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/inspect_facts.h"
#include "cmd/inspect_find.h"

static void test_layers(void **state)
{
	static const char mountinfo[] =
		"500 480 0:60 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/a\\040b:/c\\134:d:/e,"
		"upperdir=/up,workdir=/w\n"
		"501 500 0:61 / /proc rw,nosuid - proc proc rw\n";
	struct root_facts f;

	(void)state;
	assert_int_equal(root_parse(mountinfo, &f), 0);
	assert_string_equal(f.fstype, "overlay");
	assert_int_equal(f.lower_count, 3);
	assert_string_equal(f.lower[0], "/a b");
	assert_string_equal(f.lower[1], "/c:d");
	assert_string_equal(f.lower[2], "/e");
	assert_string_equal(f.upper, "/up");
	assert_string_equal(f.work, "/w");
	assert_int_equal(f.mounts, 2);
	assert_false(f.read_only);
	root_free(&f);
}

static void test_last_root_wins(void **state)
{
	static const char mountinfo[] =
		"1 0 0:2 / / rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/u,workdir=/w\n"
		"30 1 8:1 / / ro,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n";
	struct root_facts f;

	(void)state;
	assert_int_equal(root_parse(mountinfo, &f), 0);
	assert_string_equal(f.fstype, "ext4");
	assert_string_equal(f.source, "/dev/sda1");
	assert_true(f.read_only);
	assert_int_equal(f.lower_count, 0);
	assert_null(f.upper);
	root_free(&f);
}

static void test_damaged_mountinfo(void **state)
{
	static const char *const texts[] = { "", "\n", "1 2 3", "1 0 0:2 / / rw", "1 0 0:2 / / rw - ", "1 0 0:2 / / rw - x",
		"30 1 8:1 / /x rw - ext4 /dev/sda1 rw\n" };
	struct root_facts f;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(root_parse(texts[i], &f), -ENOENT);
}

static void test_choose(void **state)
{
	struct found items[] = { { .id = "aaa1", .name = "web", .pid = 0 }, { .id = "aaa2", .name = "webby" },
		{ .id = "bbb", .name = NULL } };
	const struct found_list list = { .items = items, .count = 3 };
	const struct found *f = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(found_choose(&list, "web", &f, &err), 0); /* exact before prefix */
	assert_ptr_equal(f, &items[0]);
	assert_int_equal(found_choose(&list, "webb", &f, &err), 0);
	assert_ptr_equal(f, &items[1]);
	assert_int_equal(found_choose(&list, "b", &f, &err), 0);
	assert_ptr_equal(f, &items[2]);
	assert_int_equal(found_choose(&list, "aaa", &f, &err), -EEXIST);
	assert_non_null(strstr(err.text, "aaa1 (web), aaa2 (webby)"));
	assert_int_equal(found_choose(&list, "zzz", &f, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no running container zzz; there are: aaa1 (web), aaa2 (webby), bbb"));
	assert_int_equal(found_choose(&(struct found_list){ 0 }, "x", &f, &err), -ENOENT);
	assert_non_null(strstr(err.text, "none runs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers), cmocka_unit_test(test_last_root_wins),
		cmocka_unit_test(test_damaged_mountinfo), cmocka_unit_test(test_choose),
	};

	return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
