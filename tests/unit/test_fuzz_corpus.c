/* SPDX-License-Identifier: Apache-2.0 */
/* Every input below tests/fuzz/corpus through its fuzz target: what was once found must stay found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/stat.h>

#include "util/array.h"
#include "util/cleanup.h"

#define FUZZ_TARGET(function)
#include "fuzz/fuzz_filter.c"
#include "fuzz/fuzz_identify.c"
#include "fuzz/fuzz_recording.c"
#include "fuzz/fuzz_timeline.c"

#define CORPUS "tests/fuzz/corpus"

static uint8_t *read_input(const char *path, size_t *ret_size)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	struct stat st;
	uint8_t *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	bytes = xmalloc((size_t)st.st_size);
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, file), st.st_size);
	*ret_size = (size_t)st.st_size;
	return bytes;
}

/* A target aborts where it fails: the last name that was printed is then the input's. */
static void run_corpus(const char *name, void (*target)(const uint8_t *data, size_t size))
{
	_cleanup_free_ char *directory = xasprintf(CORPUS "/%s", name);
	_cleanup_closedir_ DIR *dir = opendir(directory);
	struct dirent *entry;
	int inputs = 0;

	if (!dir)
		fail_msg("cannot open %s: run the tests from the top of the source", directory);
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, entry->d_name);
		_cleanup_free_ uint8_t *bytes = NULL;
		size_t size;

		if (entry->d_name[0] == '.')
			continue;
		printf("# %s\n", path);
		fflush(stdout);
		bytes = read_input(path, &size);
		target(bytes, size);
		inputs++;
	}
	assert_true(inputs > 0);
}

static void test_filter(void **state)
{
	(void)state;
	run_corpus("fuzz_filter", fuzz_filter);
}

static void test_identify(void **state)
{
	(void)state;
	run_corpus("fuzz_identify", fuzz_identify);
}

static void test_recording(void **state)
{
	(void)state;
	run_corpus("fuzz_recording", fuzz_recording);
}

static void test_timeline(void **state)
{
	(void)state;
	run_corpus("fuzz_timeline", fuzz_timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_identify),
		cmocka_unit_test(test_recording),
		cmocka_unit_test(test_timeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
