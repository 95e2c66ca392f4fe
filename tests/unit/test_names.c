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
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "capture/capture_internal.h"
#include "capture/names.h"
#include "capture/names_read.h"
#include "capture/names_watch.h"
#include "timeline/record.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { LABELS = 64, NAMES = 2 /* name, engine */ };

#define DIRECTORY "/tmp/ctrace-test-names-XXXXXX"
/* with labels, without, with too many, with such as are too long, and with what is no JSON */
static char bundle[] = DIRECTORY, plain[] = DIRECTORY, crowded[] = DIRECTORY, lengthy[] = DIRECTORY, damaged[] = DIRECTORY;
static uint32_t root_mnt_ns;

static FILE *open_config(char *directory)
{
	char path[sizeof(bundle) + 16];

	if (!mkdtemp(directory))
		return NULL;
	snprintf(path, sizeof(path), "%s/config.json", directory);
	return fopen(path, "w");
}

static int make_bundle(char *directory, int labels)
{
	FILE *f = open_config(directory);

	if (!f)
		return -1;
	fputs("{\"annotations\": {\"ctrace.name\": \"web\"", f);
	for (int i = 0; i < labels; i++)
		fprintf(f, ", \"label-%d\": \"x\"", i);
	fputs("}}", f);
	return fclose(f);
}

/* Labels that just fit ("label." comes before their names) and such as do not, by one byte. */
static int make_lengthy(void)
{
	int room = NAMES_FACT_MAX - (int)strlen("label.");
	FILE *f = open_config(lengthy);

	if (!f)
		return -1;
	fprintf(f, "{\"annotations\": {\"ctrace.name\": \"web\", \"fits\": \"%0*d\"", room - 4, 1);
	fprintf(f, ", \"long\": \"%0*d\", \"%0*d\": \"\"", room - 3, 2, room - 1, 3);
	fprintf(f, ", \"%0*d\": \"x\", \"empty\": \"\"}}", room, 4);
	return fclose(f);
}

static int make_damaged(void)
{
	FILE *f = open_config(damaged);

	if (!f)
		return -1;
	fputs("{\"annotations\":", f);
	return fclose(f);
}

static int set_up(void **state)
{
	struct stat st;

	(void)state;
	if (stat("/proc/self/ns/mnt", &st) < 0)
		return -1;
	root_mnt_ns = (uint32_t)st.st_ino;
	return make_bundle(bundle, LABELS) == 0 && make_bundle(plain, 0) == 0 && make_lengthy() == 0 &&
		make_damaged() == 0 ? make_bundle(crowded, LABELS + 36) : -1;
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
	return remove_bundle(bundle) | remove_bundle(plain) | remove_bundle(crowded) | remove_bundle(lengthy) |
		remove_bundle(damaged);
}

/* What a `runc run --bundle DIRECTORY ID` makes of it. */
static void run_as(struct names *n, const char *directory, const char *id)
{
	struct event_exec e;
	struct strbuf argv = { 0 };

	strbuf_printf(&argv, "runc%crun%c--bundle%c%s%c%s%c", 0, 0, 0, directory, 0, id, 0);
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

static void run(struct names *n, const char *directory, int i)
{
	char id[16];

	snprintf(id, sizeof(id), "c%d", i);
	run_as(n, directory, id);
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

struct lengths {
	int told;
	size_t fits, cut, named; /* bytes of the values; of the longest name of a label */
	bool empty;
	int labels_cut, values_cut;
};

static void note_lengths(void *arg, const struct event *event)
{
	const struct event_meta *e = (const struct event_meta *)event;
	const char *value = e->text + strlen(e->text) + 1;
	struct lengths *l = arg;

	l->told += str_starts(e->text, "label.");
	if (!strcmp(e->text, "label.fits"))
		l->fits = strlen(value);
	else if (!strcmp(e->text, "label.long"))
		l->cut = strlen(value);
	else if (!strcmp(e->text, "label.empty"))
		l->empty = !*value;
	else if (str_starts(e->text, "label."))
		l->named = strlen(e->text);
	else if (!strcmp(e->text, "labels_cut"))
		l->labels_cut = atoi(value);
	else if (!strcmp(e->text, "values_cut"))
		l->values_cut = atoi(value);
}

/* A name that fits into no record is a label left out, a value that does not is cut, and both are counted. */
static void what_is_too_long_is_told(void **state)
{
	struct names *n = open_names();
	struct lengths l = { 0 };

	(void)state;
	run(n, lengthy, 1);
	names_wait(n, 20000);
	names_take(n, 1, note_lengths, &l);
	assert_int_equal(l.told, 4);
	assert_int_equal(l.fits, NAMES_FACT_MAX - strlen("label.fits"));
	assert_int_equal(l.cut, l.fits);
	assert_int_equal(l.named, NAMES_FACT_MAX - 1);
	assert_true(l.empty);
	assert_int_equal(l.labels_cut, 1);
	assert_int_equal(l.values_cut, 1);
	assert_int_equal(names_unwatched(n), 0);
	names_close(n);
}

/* A file that is there and cannot be read, and an id that is too long to be told whose name it is. */
static void what_cannot_be_read_is_counted(void **state)
{
	struct names *n = open_names();
	char id[EVENT_NAME + 1];
	size_t found = 0;

	(void)state;
	run(n, damaged, 1);
	run(n, "/nonexistent", 2); /* nothing is there */
	names_wait(n, 20000);
	assert_int_equal(names_unwatched(n), 1);
	snprintf(id, sizeof(id), "%0*d", EVENT_NAME, 1);
	run_as(n, plain, id);
	names_wait(n, 20000);
	assert_int_equal(names_unwatched(n), 2);
	run_as(n, plain, id + 1);
	names_wait(n, 20000);
	names_take(n, 1, count, &found);
	assert_int_equal(found, NAMES);
	assert_int_equal(names_unwatched(n), 2);
	names_close(n);
}

struct renamed {
	size_t length;
	int values_cut;
};

static void note_renamed(void *arg, const struct names_job *job, const char *key, const char *value)
{
	struct renamed *r = arg;

	assert_string_equal(job->id, "web");
	if (!strcmp(key, "values_cut"))
		r->values_cut += atoi(value);
	else
		r->length = strlen(value);
}

static void rename_to(const char *path, size_t length)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "{\"Name\": \"/%0*d\"}", (int)length, 1);
	assert_int_equal(fclose(f), 0);
}

/* A container that is given another name later: one that is too long for a record is counted then, too. */
static void a_later_name_that_is_too_long_is_told(void **state)
{
	static const size_t fits = NAMES_FACT_MAX - sizeof("name") + 1;
	const struct names_job job = { .id = (char *)"web" };
	struct names_watch *w = names_watch_new();
	_cleanup_free_ char *path = xasprintf("%s/renamed.json", plain);
	int nobody = eventfd(0, EFD_CLOEXEC);

	(void)state;
	rename_to(path, 3);
	names_watch_follow(w, &job, NAMES_DOCKER, path, "old");
	for (size_t length = fits; length <= fits + 1; length++) {
		struct renamed r = { 0 };

		rename_to(path, length);
		while (!names_watch_wait(w, nobody))
			;
		names_watch_read(w, note_renamed, &r);
		assert_int_equal(r.length, length);
		assert_int_equal(r.values_cut, length > fits);
	}
	names_watch_free(w);
	close(nobody);
	unlink(path);
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
	for (int round = 0; round < 2000 && all / NAMES + names_unwatched(n) < 20000; round++) {
		names_wait(n, 10);
		found = 0;
		names_take(n, 1, count, &found);
		all += found;
	}
	assert_true(names_unwatched(n) > 0);
	assert_int_equal(all / NAMES + names_unwatched(n), 20000);
	names_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_is_found), cmocka_unit_test(what_is_not_fetched_is_counted),
		cmocka_unit_test(what_is_not_looked_for_is_counted), cmocka_unit_test(what_labels_are_left_out_is_told),
		cmocka_unit_test(what_is_too_long_is_told), cmocka_unit_test(what_cannot_be_read_is_counted),
		cmocka_unit_test(a_later_name_that_is_too_long_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
