/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, and words in lists of words. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/cleanup.h"
#include "util/digits.h"
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

static void check_number(uint64_t value)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	char expected[32];

	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	strbuf_number(&sb, value);
	assert_string_equal(sb.text, expected);
}

/* On both sides of each length, and with other digits in each place. */
static void numbers_of_every_length(void **state)
{
	uint64_t power = 1, digits = 0;

	(void)state;
	for (unsigned int length = 1; length < DIGITS_MAX; length++, power *= 10) {
		check_number(power - 1);
		check_number(power);
		digits = digits * 10 + length % 10;
		check_number(digits);
		check_number(power * 9 + digits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(words), cmocka_unit_test(formatted_text),
		cmocka_unit_test(numbers),
		cmocka_unit_test(numbers_of_every_length) };

	return cmocka_run_group_tests_name("strbuf", tests, NULL, NULL);
}
