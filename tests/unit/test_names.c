/* SPDX-License-Identifier: Apache-2.0 */
/* Names and labels from a bundle, and what is left out for want of room: that is counted, and nothing else is lost. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "capture/capture_internal.h"
#include "capture/names.h"
#include "timeline/record.h"
#include "util/strbuf.h"

enum { LABELS = 64, NAMES = 2 /* name, engine */ };

/* with labels, without, with too many */
static char bundle[] = "/tmp/ctrace-test-names-XXXXXX", plain[] = "/tmp/ctrace-test-names-XXXXXX",
	crowded[] = "/tmp/ctrace-test-names-XXXXXX";
static uint32_t root_mnt_ns;

static int make_bundle(char *directory, int labels)
{
	char path[sizeof(bundle) + 16];
	FILE *f;

	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/config.json", directory);
	f = fopen(path, "w");
	fputs("{\"annotations\": {\"ctrace.name\": \"web\"", f);
	for (int i = 0; i < labels; i++)
		fprintf(f, ", \"label-%d\": \"x\"", i);
	fputs("}}", f);
	return fclose(f);
}

static int set_up(void **state)
{
	struct stat st;

	(void)state;
	if (stat("/proc/self/ns/mnt", &st) < 0)
		return -1;
	root_mnt_ns = (uint32_t)st.st_ino;
	return make_bundle(bundle, LABELS) == 0 && make_bundle(plain, 0) == 0 ? make_bundle(crowded, LABELS + 36) : -1;
}

static int remove_bundle(const char *directory)
{
	char path[sizeof(bundle) + 16];

	snprintf(path, sizeof(path), "%s/config.json", directory);
	unlink(path);
	return rmdir(directory);
}

static int tear_down(void **state)
{
	(void)state;
	return remove_bundle(bundle) | remove_bundle(plain) | remove_bundle(crowded);
}

/* What a `runc run --bundle DIRECTORY c<i>` makes of it. */
static void run(struct names *n, const char *directory, int i)
{
	struct event_exec e;
	struct strbuf argv = { 0 };

	strbuf_printf(&argv, "runc%crun%c--bundle%c%s%cc%d%c", 0, 0, 0, directory, 0, i, 0);
	event_prepare(&e.h, EVENT_EXEC, sizeof(e), 0);
	e.h.tgid = e.h.tid = (uint32_t)getpid();
	e.ns.mnt = root_mnt_ns;
	e.h.role = ROLE_RUNTIME;
	memcpy(e.h.comm, "runc", 4);
	memcpy(e.argv, argv.text, argv.length);
	e.argv_length = (uint16_t)argv.length;
	names_observe(n, &e.h);
	strbuf_free(&argv);
}

static struct names *open_names(void)
{
	struct names *n = NULL;
	struct error err = { 0 };

	if (names_open(root_mnt_ns, &n, &err) < 0) {
		print_message("%s\n", err.text);
		skip();
	}
	return n;
}

static void count(void *arg, const struct event *event)
{
	(void)event;
	++*(size_t *)arg;
}

static void what_is_asked_for_is_found(void **state)
{
	struct names *n = open_names();
	size_t found = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		run(n, bundle, i);
	names_wait(n, 20000);
	names_take(n, 1, count, &found);
	assert_int_equal(found, 100 * (LABELS + NAMES));
	assert_int_equal(names_unwatched(n), 0);
	names_close(n);
}

static void note_cut(void *arg, const struct event *event)
{
	const struct event_meta *e = (const struct event_meta *)event;

	if (!strcmp(e->text, "labels_cut"))
		*(int *)arg = atoi(e->text + sizeof("labels_cut"));
}

/* Labels beyond those that are told are counted. */
static void what_labels_are_left_out_is_told(void **state)
{
	struct names *n = open_names();
	int cut = 0;

	(void)state;
	run(n, crowded, 1);
	names_wait(n, 20000);
	names_take(n, 1, note_cut, &cut);
	assert_int_equal(cut, 36);
	names_close(n);
}

/* Nobody takes what is found: what there is no room for is counted, each of them. */
static void what_is_not_fetched_is_counted(void **state)
{
	struct names *n = open_names();
	size_t found = 0;

	(void)state;
	for (int i = 0; i < 400; i++)
		run(n, bundle, i);
	names_wait(n, 20000);
	names_take(n, 1, count, &found);
	assert_true(found < 400 * (LABELS + NAMES));
	assert_int_equal(found + names_unwatched(n), 400 * (LABELS + NAMES));
	names_close(n);
}

/* More containers at once than can wait: the rest has no names, and is counted. */
static void what_is_not_looked_for_is_counted(void **state)
{
	struct names *n = open_names();
	size_t found = 0, all = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		run(n, plain, i);
		if (i % 100 == 0) {
			names_take(n, 1, count, &found);
			all += found;
			found = 0;
		}
	}
	do {
		names_wait(n, 10);
		found = 0;
		names_take(n, 1, count, &found);
		all += found;
	} while (found);
	assert_true(names_unwatched(n) > 0);
	assert_int_equal(all / NAMES + names_unwatched(n), 20000);
	names_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_is_found), cmocka_unit_test(what_is_not_fetched_is_counted),
		cmocka_unit_test(what_is_not_looked_for_is_counted), cmocka_unit_test(what_labels_are_left_out_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
