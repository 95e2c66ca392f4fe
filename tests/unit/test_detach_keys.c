/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/detach_keys.h"
#include "util/cleanup.h"

static void test_syntax(void **state)
{
	static const struct {
		const char *text, *bytes;
	} rows[] = {
		{ NULL, "\x10\x11" }, { "", "\x10\x11" }, { "ctrl-p,ctrl-q", "\x10\x11" }, { "ctrl-a", "\x01" },
		{ "ctrl-z,x,Y,ctrl-[", "\x1axY\x1b" }, { "ctrl-\\,ctrl-],ctrl-^,ctrl-_", "\x1c\x1d\x1e\x1f" },
		{ "DEL", "\x7f" }, { "a,a,b", "aab" },
	};
	static const char *const refused[] = { "ctrl-", "ctrl-A", "ctrl-1", "ctrl-ab", "ab", "a,", ",", "a,,b", "del",
		"1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7" };
	struct detach_keys keys;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(detach_keys_parse(rows[i].text, &keys, NULL), 0);
		assert_int_equal(keys.count, strlen(rows[i].bytes));
		assert_memory_equal(keys.keys, rows[i].bytes, keys.count);
	}
	assert_int_equal(detach_keys_parse("ctrl-@", &keys, NULL), 0);
	assert_int_equal(keys.count, 1);
	assert_int_equal(keys.keys[0], 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error err = { 0 };

		assert_int_not_equal(detach_keys_parse(refused[i], &keys, &err), 0);
		assert_non_null(strstr(err.text, "invalid detach keys"));
	}
}

/* Typed in one piece, and byte by byte: the same comes out. */
static void passes(const char *text, const char *typed, const char *wanted, bool complete)
{
	struct detach_keys whole, single;
	char out[64], pieces[64];
	size_t n, m = 0, length = strlen(typed);

	assert_int_equal(detach_keys_parse(text, &whole, NULL), 0);
	single = whole;
	n = detach_keys_filter(&whole, typed, length, out);
	for (size_t i = 0; i < length && !detach_keys_complete(&single); i++)
		m += detach_keys_filter(&single, typed + i, 1, pieces + m);
	assert_int_equal(n, strlen(wanted));
	assert_memory_equal(out, wanted, n);
	assert_int_equal(m, n);
	assert_memory_equal(pieces, wanted, n);
	assert_int_equal(detach_keys_complete(&whole), complete);
	assert_int_equal(detach_keys_complete(&single), complete);
}

static void test_filter(void **state)
{
	(void)state;
	passes(NULL, "ls\r", "ls\r", false);
	passes(NULL, "ls\x10\x11more", "ls", true);
	passes(NULL, "\x10x", "\x10x", false);
	passes(NULL, "\x10", "", false);
	passes(NULL, "\x10\x10\x11", "\x10", true);
	passes(NULL, "\x11\x10", "\x11", false);
	passes("x", "abx", "ab", true);
	passes("a,a,b", "aaab", "a", true);
	passes("a,a,b", "aaac", "aaac", false);
	passes("a,b,a,b,c", "abababc", "ab", true);
	passes("a,b,a,b,c", "ababx", "ababx", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
