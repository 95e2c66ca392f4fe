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
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "util/array.h"
#include "util/cleanup.h"

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

static int run_inputs(const char *directory, DIR *dir, fuzz_target *target)
{
	struct dirent *entry;
	int inputs = 0;

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
	return inputs;
}

/* A target aborts where it fails: the last name that was printed is then the input's. In a process of its own, since
 * some change their namespaces, and so that the others still run. */
static void run_corpus(const char *name, fuzz_target *target)
{
	_cleanup_free_ char *directory = xasprintf(CORPUS "/fuzz_%s", name);
	_cleanup_closedir_ DIR *dir = opendir(directory);
	int status;
	pid_t pid;

	if (!dir)
		fail_msg("cannot open %s: run the tests from the top of the source", directory);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int inputs = run_inputs(directory, dir, target);

		fflush(NULL);
		_exit(inputs ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		fail_msg("%s has no inputs", directory);
	if (status)
		fail_msg("fuzz_%s failed with status 0x%x at the last input above", name, status);
}

#define FUZZ_TEST(name)                            \
	static void test_##name(void **state)      \
	{                                          \
		(void)state;                       \
		run_corpus(#name, fuzz_##name);    \
	}
FUZZ_TARGETS(FUZZ_TEST)

int main(void)
{
#define FUZZ_ENTRY(name) cmocka_unit_test(test_##name),
	const struct CMUnitTest tests[] = { FUZZ_TARGETS(FUZZ_ENTRY) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
