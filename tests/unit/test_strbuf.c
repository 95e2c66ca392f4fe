/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, and words in lists of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/cleanup.h"
#include "util/strbuf.h"

static void words(void **state)
{
	static const struct {
		const char *words, *separators, *word;
		bool has;
	} rows[] = {
		{ "cpu,cpuacct", ",", "cpu", true }, { "cpu,cpuacct", ",", "cpuacct", true }, { "cpuset,cpu", ",", "cpu", true },
		{ "cpuset", ",", "cpu", false }, { "cpu", ",", "cpuset", false }, { "cpu io", ",", "cpu", false }, { "cpu io", ", ", "io", true },
		{ "a,,b,", ",", "b", true }, { "a,,b,", ",", "", false }, { "", ",", "a", false }, { "", ",", "", false }, { NULL, ",", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(str_has_word(rows[i].words, rows[i].separators, rows[i].word), rows[i].has);
}

/* What just fits and what does not, by one byte, into what was taken for what came before. */
static void formatted_text(void **state)
{
	char expected[600];

	(void)state;
	for (int width = 1; width < (int)sizeof(expected) - 4; width++) {
		_cleanup_(strbuf_free) struct strbuf sb = { 0 };

		strbuf_puts(&sb, "ab");
		strbuf_printf(&sb, "%*d", width, 7);
		strbuf_printf(&sb, "%s", "");
		snprintf(expected, sizeof(expected), "ab%*d", width, 7);
		assert_string_equal(sb.text, expected);
		assert_int_equal(sb.length, strlen(expected));
	}
}

static void numbers(void **state)
{
	const uint64_t values[] = { 0, 9, 10, 12345, UINT64_MAX };
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		strbuf_number(&sb, values[i]);
		strbuf_putc(&sb, ' ');
	}
	assert_string_equal(sb.text, "0 9 10 12345 18446744073709551615 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(words), cmocka_unit_test(formatted_text),
		cmocka_unit_test(numbers) };

	return cmocka_run_group_tests_name("strbuf", tests, NULL, NULL);
}
