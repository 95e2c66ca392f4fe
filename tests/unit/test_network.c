/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "engine/address_pool.h"
#include "engine/etc_files.h"
#include "engine/network.h"
#include "util/array.h"
#include "util/cleanup.h"

static void test_choose(void **state)
{
	struct network_range routes[] = { { 0, 0 }, { 0xac1e0500, 24 }, { 0xac1d0000, 16 } }, range;
	struct network_range private_all[] = { { 0xac100000, 12 }, { 0x0a000000, 8 }, { 0xc0a80000, 16 } };

	(void)state;
	assert_true(network_choose(routes, 1, &range)); /* a default route is in nobody's way */
	assert_int_equal(range.network, 0xac1e0000);
	assert_true(network_choose(routes, 3, &range)); /* 172.30 and 172.29 are in use */
	assert_int_equal(range.network, 0xac1c0000);
	assert_int_equal(range.prefix, 16);
	assert_true(network_choose(private_all, 2, &range));
	assert_int_equal(range.network, 0xc0a8c800);
	assert_false(network_choose(private_all, 3, &range));
}

static void make_container(const char *dir, const char *id)
{
	_cleanup_free_ char *path = xasprintf("%s/containers", dir);
	_cleanup_free_ char *own = xasprintf("%s/containers/%s", dir, id);

	mkdir(path, 0755);
	mkdir(own, 0755);
}

static void test_pool(void **state)
{
	char dir[] = "/tmp/test_networkXXXXXX";
	_cleanup_free_ char *gone = NULL, *clean = NULL;
	uint32_t a, b, c, d;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < 8; i++) {
		char id[2] = { (char)('a' + i), 0 };

		make_container(dir, id);
	}
	assert_int_equal(address_pool_take(dir, 0x0a000000, 29, "a", &a, NULL), 0);
	assert_int_equal(a, 0x0a000002); /* .0 is the network, .1 the bridge */
	assert_int_equal(address_pool_take(dir, 0x0a000000, 29, "b", &b, NULL), 0);
	assert_int_equal(b, 0x0a000003);
	assert_int_equal(address_pool_release(dir, "b"), 0);
	assert_int_equal(address_pool_take(dir, 0x0a000000, 29, "c", &c, NULL), 0);
	assert_int_equal(c, 0x0a000004); /* not the one that was just given back */
	for (int i = 0; i < 3; i++)
		assert_int_equal(address_pool_take(dir, 0x0a000000, 29, (const char *[]){ "d", "e", "f" }[i],
					 &d, NULL), 0);
	assert_int_equal(d, 0x0a000003);
	assert_int_equal(address_pool_take(dir, 0x0a000000, 29, "g", &d, NULL), -EADDRNOTAVAIL);
	gone = xasprintf("%s/containers/a", dir); /* a dies without giving back */
	assert_int_equal(remove(gone), 0);
	assert_int_equal(address_pool_take(dir, 0x0a000000, 29, "g", &d, NULL), 0);
	assert_int_equal(d, a);
	clean = xasprintf("rm -rf %s", dir);
	assert_int_equal(system(clean), 0);
}

static void test_resolv_conf(void **state)
{
	static const char *const rows[][2] = {
		{ "nameserver 10.0.0.1\nsearch a b\n", "nameserver 10.0.0.1\nsearch a b\n" },
		{ "nameserver 127.0.0.53\nnameserver 10.0.0.1\n", "nameserver 10.0.0.1\n" },
		{ "search x\nnameserver\t127.0.0.1\n",
			"search x\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n" },
		{ "", "nameserver 8.8.8.8\nnameserver 8.8.4.4\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = etc_files_resolv_conf(rows[i][0]);

		assert_string_equal(text, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_resolv_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
