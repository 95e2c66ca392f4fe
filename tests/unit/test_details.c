/* SPDX-License-Identifier: Apache-2.0 */
/* Details of a step: more of them, and longer ones, than there is room for at first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "timeline/timeline_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

static const char *const keys[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n" };

/* Of `length` bytes each, with a constant and a number between them. */
static void fill(struct details *d, size_t count, size_t length)
{
	char text[256];

	for (size_t i = 0; i < count; i++) {
		memset(text, 'a' + (int)i, sizeof(text));
		if (i % 4 == 1)
			details_add_number(d, keys[i], (int64_t)i);
		else if (i % 4 == 2)
			details_add_constant(d, keys[i], "constant");
		else if (i % 4 == 3)
			details_take_list(d, keys[i], xstrndup(text, length));
		else
			details_add_bytes(d, keys[i], text, length);
	}
}

static void check(const struct details *d, size_t count, size_t length)
{
	char text[256];

	assert_int_equal(d->count, count);
	for (size_t i = 0; i < count; i++) {
		memset(text, 'a' + (int)i, sizeof(text));
		text[length] = '\0';
		if (i % 4 == 1)
			assert_int_equal(details_get(d, keys[i])->number, i);
		else
			assert_string_equal(details_text(d, keys[i]), i % 4 == 2 ? "constant" : text);
	}
}

static void any_number_and_length(void **state)
{
	(void)state;
	for (size_t count = 0; count <= ARRAY_SIZE(keys); count++) {
		for (size_t length = 0; length < 140; length++) {
			struct arena first = { 0 }, second = { 0 };
			struct details d = { 0 }, freed = { 0 };

			fill(&freed, count, length);
			details_free(&freed);
			fill(&d, count, length);
			check(&d, count, length);
			details_seal(&d, &first);
			check(&d, count, length);
			details_move(&d, &second);
			arena_free(&first);
			check(&d, count, length);
			arena_free(&second);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_number_and_length) };

	return cmocka_run_group_tests_name("details", tests, NULL, NULL);
}
