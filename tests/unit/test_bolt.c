/* SPDX-License-Identifier: Apache-2.0 */
/* Databases of engines, made here page by page as go.etcd.io/bbolt lays them out: what they say is found, and no damage leads
 * out of the file (with SAN=1 the sanitizers watch). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/bolt.h"
#include "util/hash.h"

enum { PAGE = 1024, PAGES = 7, META = 4, LEAF = 2, BRANCH = 1, IS_BUCKET = 1, META_BYTES = 56, HEADER = 16, ELEMENT = 16 };

static unsigned char file[PAGES * PAGE];
static char path[] = "/tmp/test_bolt.XXXXXX";

static void put(unsigned char *at, uint64_t value, size_t width)
{
	memcpy(at, &value, width); /* little-endian, as its writers are */
}

static void put_header(unsigned char *page, uint64_t id, uint16_t flags, uint16_t count)
{
	put(page, id, 8);
	put(page + 8, flags, 2);
	put(page + 10, count, 2);
	put(page + 12, 0, 4);
}

static void put_meta(int page, uint64_t transaction)
{
	unsigned char *at = file + page * PAGE + HEADER;

	put_header(file + page * PAGE, page, META, 0);
	put(at, 0xED0CDAED, 4);
	put(at + 4, 2, 4);
	put(at + 8, PAGE, 4);
	put(at + 16, 3, 8); /* the root's page */
	put(at + 40, PAGES, 8);
	put(at + 48, transaction, 8);
	put(at + META_BYTES, fnv1a_bytes(FNV1A_BASIS, at, META_BYTES), 8);
}

/* One element of a leaf with `count` of them, whose data begins at *data from the page's begin. */
static void put_pair(unsigned char *page, int i, uint32_t *data, uint32_t flags, const char *key, const void *value,
	size_t length)
{
	unsigned char *e = page + HEADER + i * ELEMENT;

	put(e, flags, 4);
	put(e + 4, *data - (HEADER + i * ELEMENT), 4);
	put(e + 8, strlen(key), 4);
	put(e + 12, length, 4);
	memcpy(page + *data, key, strlen(key));
	memcpy(page + *data + strlen(key), value, length);
	*data += strlen(key) + length;
}

/* A leaf that holds one bucket, within its parent, of two pairs. */
static void put_container(int page, const char *id, const char *config)
{
	unsigned char bucket[256] = { 0 }, *leaf = file + page * PAGE;
	uint32_t data = HEADER + 2 * ELEMENT;

	put_header(bucket + HEADER, 0, LEAF, 2);
	put_pair(bucket + HEADER, 0, &data, 0, "config", config, strlen(config));
	put_pair(bucket + HEADER, 1, &data, 0, "netns", "x", 1);
	put_header(leaf, page, LEAF, 1);
	data = HEADER + ELEMENT;
	put_pair(leaf, 0, &data, IS_BUCKET, id, bucket, sizeof(bucket));
}

static void put_branch(int page, int first, const char *first_key, int second, const char *second_key)
{
	unsigned char *at = file + page * PAGE;
	const char *const keys[] = { first_key, second_key };
	const int children[] = { first, second };
	uint32_t data = HEADER + 2 * ELEMENT;

	put_header(at, page, BRANCH, 2);
	for (int i = 0; i < 2; i++) {
		unsigned char *e = at + HEADER + i * ELEMENT;

		put(e, data - (HEADER + i * ELEMENT), 4);
		put(e + 4, strlen(keys[i]), 4);
		put(e + 8, children[i], 8);
		memcpy(at + data, keys[i], strlen(keys[i]));
		data += strlen(keys[i]);
	}
}

static void write_file(size_t length)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, length), length);
	close(fd);
}

/* Containers 0123 and 9999 below the bucket "ctr". */
static int make_file(void **state)
{
	unsigned char bucket[16] = { 4 };
	uint32_t data = HEADER + ELEMENT;

	(void)state;
	memset(file, 0, sizeof(file));
	put_meta(0, 4);
	put_meta(1, 5);
	put_header(file + 3 * PAGE, 3, LEAF, 1);
	put_pair(file + 3 * PAGE, 0, &data, IS_BUCKET, "ctr", bucket, sizeof(bucket));
	put_branch(4, 5, "0123", 6, "9999");
	put_container(5, "0123", "{one}");
	put_container(6, "9999", "{two}");
	write_file(sizeof(file));
	return 0;
}

/* What the key of that container says, which the caller frees; NULL where nothing does. */
static char *read_key(const char *id, const char *key)
{
	const char *const where[] = { "ctr", id, NULL };
	struct bolt *bolt = bolt_open(path);
	struct bolt_bucket bucket;
	char *value = NULL;

	if (bolt && bolt_find(bolt, where, &bucket)) {
		value = bolt_value(bolt, &bucket, key);
		bolt_bucket_free(&bucket);
	}
	bolt_close(bolt);
	return value;
}

static void assert_says(const char *id, const char *key, const char *wanted)
{
	char *value = read_key(id, key);

	if (!wanted)
		assert_null(value);
	else
		assert_string_equal(value, wanted);
	free(value);
}

static void values_are_found(void **state)
{
	(void)state;
	assert_says("0123", "config", "{one}");
	assert_says("9999", "config", "{two}");
	assert_says("9999", "netns", "x");
	assert_says("9999", "nothing", NULL);
	assert_says("5555", "config", NULL);
	assert_says("0", "config", NULL);
}

static void add_pair(void *arg, const char *key, const char *value)
{
	char *text = arg;

	sprintf(text + strlen(text), "%s=%s ", key, value);
}

static void pairs_are_told_in_order(void **state)
{
	const char *const where[] = { "ctr", "0123", NULL }, *const above[] = { "ctr", NULL };
	struct bolt *bolt = bolt_open(path);
	struct bolt_bucket bucket;
	char text[64] = "";

	(void)state;
	assert_true(bolt_find(bolt, where, &bucket));
	bolt_each(bolt, &bucket, add_pair, text);
	bolt_bucket_free(&bucket);
	assert_string_equal(text, "config={one} netns=x ");
	assert_true(bolt_find(bolt, above, &bucket)); /* buckets only */
	bolt_each(bolt, &bucket, add_pair, text);
	bolt_bucket_free(&bucket);
	assert_string_equal(text, "config={one} netns=x ");
	bolt_close(bolt);
}

static void a_commit_is_noticed(void **state)
{
	struct bolt *bolt = bolt_open(path);

	(void)state;
	assert_true(bolt_is_current(bolt));
	put_meta(0, 6);
	write_file(sizeof(file));
	assert_false(bolt_is_current(bolt));
	bolt_close(bolt);
}

static void the_newer_page_that_is_whole_counts(void **state)
{
	(void)state;
	file[PAGE + HEADER + 16] ^= 7; /* the newer one is torn */
	write_file(sizeof(file));
	assert_says("0123", "config", "{one}");
	file[HEADER + 16] ^= 7;
	write_file(sizeof(file));
	errno = 0;
	assert_null(bolt_open(path));
	assert_int_equal(errno, EINVAL);
}

static void other_files_are_refused(void **state)
{
	(void)state;
	errno = 0;
	assert_null(bolt_open("/nonexistent/meta.db"));
	assert_int_equal(errno, ENOENT);
	write_file(0);
	assert_null(bolt_open(path));
	assert_int_equal(errno, EINVAL);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(bolt_open(path)); /* and nobody waits for its writer */
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

/* Everything that a reader does; the result does not matter. */
static void read_all(void)
{
	char text[1 << 16] = "";
	const char *const where[] = { "ctr", "9999", NULL };
	struct bolt *bolt = bolt_open(path);
	struct bolt_bucket bucket;

	if (bolt && bolt_find(bolt, where, &bucket)) {
		bolt_each(bolt, &bucket, add_pair, text);
		bolt_bucket_free(&bucket);
	}
	bolt_close(bolt);
	free(read_key("0123", "config"));
}

static void damage_leads_nowhere(void **state)
{
	(void)state;
	for (size_t i = 2 * PAGE; i < sizeof(file); i++) { /* the first two are guarded by their sum */
		const unsigned char kept = file[i];
		const unsigned char values[] = { kept ^ 0xff, kept ^ 1, kept ^ 0x80 };

		if (i % PAGE > 400) /* nothing is there */
			continue;
		for (size_t n = 0; n < sizeof(values); n++) {
			file[i] = values[n];
			write_file(sizeof(file));
			read_all();
		}
		file[i] = kept;
	}
	for (size_t length = 0; length < sizeof(file); length += 37) {
		write_file(length);
		read_all();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(values_are_found, make_file),
		cmocka_unit_test_setup(pairs_are_told_in_order, make_file),
		cmocka_unit_test_setup(a_commit_is_noticed, make_file),
		cmocka_unit_test_setup(the_newer_page_that_is_whole_counts, make_file),
		cmocka_unit_test_setup(other_files_are_refused, make_file),
		cmocka_unit_test_setup(damage_leads_nowhere, make_file),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
