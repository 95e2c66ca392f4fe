/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/image/digest.h"
#include "engine/image/layer.h"
#include "engine/image/pack.h"
#include "engine/image/ring.h"
#include "engine/image/tree.h"
#include "util/array.h"
#include "util/strbuf.h"

static char root[] = "/tmp/ctrace-test-layer.XXXXXX";
static int root_fd;
static char tar[1 << 16], blob[1 << 16];
static size_t tar_length, blob_length;

static int setup(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root_fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(root_fd);
	return tree_remove(AT_FDCWD, root);
}

/* A tar of files "name" or, with a slash at the end, directories. */
static size_t make_tar(char *out, size_t size, bool gzip, const char *const *names)
{
	struct archive *a = archive_write_new();
	size_t used = 0;

	archive_write_set_format_pax_restricted(a);
	archive_write_set_bytes_in_last_block(a, 1);
	if (gzip) {
		archive_write_add_filter_gzip(a);
		archive_write_set_options(a, "gzip:!timestamp"); /* the same bytes every time */
	}
	archive_write_open_memory(a, out, size, &used);
	for (; *names; names++) {
		bool dir = str_ends(*names, "/");
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, *names);
		archive_entry_set_filetype(e, dir ? AE_IFDIR : AE_IFREG);
		archive_entry_set_perm(e, dir ? 0755 : 0644);
		archive_entry_set_uid(e, geteuid());
		archive_entry_set_gid(e, getegid());
		archive_entry_set_mtime(e, 1000000, 0);
		archive_entry_set_size(e, dir ? 0 : 4);
		archive_write_header(a, e);
		if (!dir)
			archive_write_data(a, "data", 4);
		archive_entry_free(e);
	}
	archive_write_close(a);
	archive_write_free(a);
	return used;
}

/* Feeds n bytes at a time. */
static int unpack_blob(size_t n, const char *diff_id, int64_t size, const char *digest, struct error *err)
{
	struct descriptor d = { (char *)"", (char *)digest, size };
	struct layer_progress progress = { 0 };
	struct layer *layer = layer_begin(root_fd, &d, diff_id, 1 << 30, &progress);
	struct unpacked u = { 0 };
	int r;

	for (size_t i = 0; i < blob_length; i += n)
		if (layer_feed(layer, blob + i, blob_length - i < n ? blob_length - i : n) < 0)
			break;
	r = layer_end(layer, true, &u, err);
	unpacked_free(&u);
	return r;
}

static void make(const char *const *names, bool gzip, char diff_id[DIGEST_SIZE], char digest[DIGEST_SIZE])
{
	tar_length = make_tar(tar, sizeof(tar), false, names);
	blob_length = make_tar(blob, sizeof(blob), gzip, names);
	digest_bytes(NULL, tar, tar_length, diff_id);
	digest_bytes(NULL, blob, blob_length, digest);
}

static bool exists(const char *name)
{
	return faccessat(root_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static const char *const plain[] = { "dir/", "dir/file", "implied/deep/file", "top", NULL };

static void test_plain_and_gzip(void **state)
{
	char diff_id[DIGEST_SIZE], digest[DIGEST_SIZE];
	struct error err = { 0 };
	struct stat st;

	(void)state;
	for (int gzip = 0; gzip < 2; gzip++) {
		make(plain, gzip, diff_id, digest);
		if (unpack_blob(gzip ? 1 : 7, diff_id, (int64_t)blob_length, digest, &err) < 0)
			fail_msg("%s", err.text);
		assert_true(exists("dir/file") && exists("implied/deep/file") && exists("top"));
	}
	/* A directory's time survives what is made in it. */
	assert_int_equal(fstatat(root_fd, "dir", &st, 0), 0);
	assert_int_equal(st.st_mtime, 1000000);
}

/* "docker import" of nothing makes such layers: a blob without a byte, or a gzip stream of none. */
static void test_no_bytes(void **state)
{
	static const unsigned char gzip_of_nothing[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	char diff_id[DIGEST_SIZE], digest[DIGEST_SIZE];
	struct error err = { 0 };

	(void)state;
	digest_bytes(NULL, "", 0, diff_id);
	blob_length = 0;
	if (unpack_blob(1, diff_id, 0, diff_id, &err) < 0)
		fail_msg("%s", err.text);
	blob_length = sizeof(gzip_of_nothing);
	memcpy(blob, gzip_of_nothing, blob_length);
	digest_bytes(NULL, blob, blob_length, digest);
	if (unpack_blob(7, diff_id, (int64_t)blob_length, digest, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_verification(void **state)
{
	char diff_id[DIGEST_SIZE], digest[DIGEST_SIZE], wrong[DIGEST_SIZE];
	struct error err = { 0 };

	(void)state;
	digest_bytes(NULL, "x", 1, wrong);
	make(plain, true, diff_id, digest);
	assert_int_equal(unpack_blob(100, wrong, (int64_t)blob_length, digest, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "diff id"));
	assert_int_equal(unpack_blob(100, diff_id, (int64_t)blob_length, wrong, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "wrong digest"));
	assert_int_equal(unpack_blob(100, diff_id, (int64_t)blob_length + 1, digest, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "truncated"));
	assert_int_equal(unpack_blob(100, diff_id, (int64_t)blob_length - 1, digest, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "too long"));
	/* Corrupt in the middle: the digest is the better explanation, without one gzip is. */
	blob[blob_length / 2] ^= 0x55;
	assert_int_equal(unpack_blob(100, diff_id, (int64_t)blob_length, digest, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "wrong digest"));
	assert_int_equal(unpack_blob(100, diff_id, -1, NULL, &err), -EBADMSG);
}

static void test_whiteouts(void **state)
{
	static const char *const names[] = { "d/.wh.gone", "both/", "both/x", ".wh.both", ".wh.later",
		"later/", "file", ".wh.file", "o/.wh..wh..opq", ".wh..wh.plnk", NULL };
	char diff_id[DIGEST_SIZE], digest[DIGEST_SIZE];
	struct error err = { 0 };
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	make(names, false, diff_id, digest);
	if (unpack_blob(1000, diff_id, (int64_t)blob_length, digest, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(fstatat(root_fd, "d/gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(tree_is_whiteout(&st));
	/* What the layer itself brings stays, whatever the order. */
	assert_true(exists("both/x") && exists("later") && exists("file"));
	assert_int_equal(fstatat(root_fd, "file", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_false(exists(".wh.both") || exists("o/.wh..wh..opq") || exists(".wh..wh.plnk"));
}

static void refuse(const char *name, int code, const char *word)
{
	const char *names[] = { name, NULL };
	char diff_id[DIGEST_SIZE], digest[DIGEST_SIZE];
	struct error err = { 0 };

	make(names, false, diff_id, digest);
	if (unpack_blob(1000, diff_id, (int64_t)blob_length, digest, &err) != code)
		fail_msg("%s: %s", name, err.text);
	if (!strstr(err.text, word))
		fail_msg("%s: \"%s\" does not say \"%s\"", name, err.text, word);
}

static void test_refused(void **state)
{
	char *longest = xmalloc(5001);

	(void)state;
	refuse("../x", -EPERM, "path traversal");
	refuse("a/../../x", -EPERM, "path traversal");
	refuse("/..", -EPERM, "path traversal");
	refuse("d/.wh...", -EPERM, "whiteout");
	refuse(".wh.", -EPERM, "whiteout");
	memset(longest, 'a', 5000);
	for (size_t i = 100; i < 5000; i += 100)
		longest[i] = '/';
	longest[5000] = '\0';
	refuse(longest, -E2BIG, "5000 bytes");
	free(longest);
}

/* Names are bytes: neither invalid UTF-8 nor decomposed letters change. */
static void test_names_are_bytes(void **state)
{
	static const char *const names[] = { "e\xcc\x81", "\xc3\xa9", "bad\xff", NULL };
	char diff_id[DIGEST_SIZE], digest[DIGEST_SIZE];
	struct error err = { 0 };

	(void)state;
	make(names, false, diff_id, digest);
	if (unpack_blob(1000, diff_id, (int64_t)blob_length, digest, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; names[i]; i++)
		assert_true(exists(names[i]));
}

static void *write_ring(void *arg)
{
	for (unsigned i = 0; i < 1000; i++)
		if (ring_write(arg, &i, sizeof(i)) < 0)
			return arg;
	ring_close(arg);
	return NULL;
}

/* What the tar lists behind its contents is not implied: its own mode counts. */
static void test_listed_late(void **state)
{
	static const char *const late[] = { "a/b/file", "c/file", "a/", NULL };
	char diff_id[DIGEST_SIZE], digest[DIGEST_SIZE];
	struct descriptor d = { (char *)"", digest, -1 };
	struct layer_progress progress = { 0 };
	struct unpacked u = { 0 };
	struct error err = { 0 };
	struct layer *layer;

	(void)state;
	make(late, false, diff_id, digest);
	layer = layer_begin(root_fd, &d, diff_id, 1 << 30, &progress);
	assert_int_equal(layer_feed(layer, blob, blob_length), 0);
	if (layer_end(layer, true, &u, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(u.implied_count, 2);
	assert_true(!strcmp(u.implied[0], "c") || !strcmp(u.implied[1], "c"));
	assert_true(!strcmp(u.implied[0], "a/b") || !strcmp(u.implied[1], "a/b"));
	unpacked_free(&u);
}

/* ---- and back: what was unpacked is packed to what unpacks to the same ---- */

struct bytes {
	char data[1 << 16];
	size_t length;
};

static int keep(void *arg, const void *bytes, size_t length)
{
	struct bytes *b = arg;

	assert_true(b->length + length <= sizeof(b->data));
	memcpy(b->data + b->length, bytes, length);
	b->length += length;
	return 0;
}

static void pack(struct bytes *ret)
{
	struct error err = { 0 };

	ret->length = 0;
	if (pack_layer(root_fd, keep, ret, &err) < 0)
		fail_msg("%s", err.text);
}

/* Names of the entries, each with a blank behind it. */
static char *list_names(const struct bytes *b)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	struct strbuf names = { 0 };

	archive_read_support_format_tar(a);
	archive_read_open_memory(a, b->data, b->length);
	while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
		strbuf_printf(&names, "%s%s%s ", archive_entry_pathname(e), archive_entry_hardlink(e) ? "->" : "",
			archive_entry_hardlink(e) ? archive_entry_hardlink(e) : "");
		if (strstr(archive_entry_pathname(e), ".wh."))
			assert_true(archive_entry_filetype(e) == AE_IFREG && archive_entry_mtime(e) == 0);
	}
	archive_read_free(a);
	return strbuf_steal(&names);
}

static void unpack_bytes(const struct bytes *b)
{
	char digest[DIGEST_SIZE];
	struct error err = { 0 };

	memcpy(blob, b->data, b->length);
	blob_length = b->length;
	digest_bytes(NULL, blob, blob_length, digest);
	if (unpack_blob(4096, digest, (int64_t)blob_length, digest, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_packed_again(void **state)
{
	static const char *const names[] = { "b/", "b/2", "a/", "a/.wh..wh..opq", "a/new", ".wh.gone", "b/.wh.10", NULL };
	static struct bytes first, second;
	char diff_id[DIGEST_SIZE], digest[DIGEST_SIZE];
	struct error err = { 0 };
	char *listed, value[8];
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	make(names, false, diff_id, digest);
	if (unpack_blob(4096, diff_id, (int64_t)blob_length, digest, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(linkat(root_fd, "b/2", root_fd, "b/1", 0), 0);
	assert_int_equal(fchmodat(root_fd, "a/new", 04711, 0), 0);
	assert_int_equal(fchmod(root_fd, 0755), 0);
	pack(&first);
	listed = list_names(&first);
	assert_string_equal(listed, "a/ a/.wh..wh..opq a/new b/ b/1 b/.wh.10 b/2->b/1 .wh.gone ");
	free(listed);

	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(setup(NULL), 0);
	unpack_bytes(&first);
	assert_int_equal(fstatat(root_fd, "gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(tree_is_whiteout(&st));
	assert_int_equal(fstatat(root_fd, "a/new", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 04711);
	assert_int_equal(fgetxattr(openat(root_fd, "a", O_RDONLY), "trusted.overlay.opaque", value, sizeof(value)), 1);
	fchmod(root_fd, 0755);
	pack(&second);
	assert_int_equal(first.length, second.length);
	assert_memory_equal(first.data, second.data, first.length);
	/* A root of its own is in it. */
	assert_int_equal(fchmod(root_fd, 01770), 0);
	pack(&second);
	listed = list_names(&second);
	assert_true(str_starts(listed, "./ a/ "));
	free(listed);
}

static void test_ring(void **state)
{
	struct ring *ring = ring_new(37);
	pthread_t thread;
	unsigned char got[4000 + 64];
	size_t used = 0;
	void *aborted;
	ssize_t n;

	(void)state;
	pthread_create(&thread, NULL, write_ring, ring);
	while ((n = ring_read(ring, got + used, 64)) > 0)
		used += (size_t)n;
	pthread_join(thread, &aborted);
	assert_null(aborted);
	assert_int_equal(used, 4000);
	for (unsigned i = 0; i < 1000; i++)
		assert_memory_equal(got + 4 * i, &i, 4);
	ring_free(ring);
	/* A writer that waits for room is woken by an abort. */
	ring = ring_new(37);
	pthread_create(&thread, NULL, write_ring, ring);
	ring_abort(ring);
	pthread_join(thread, &aborted);
	assert_non_null(aborted);
	assert_int_equal(ring_read(ring, got, 1), -EPIPE);
	ring_free(ring);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plain_and_gzip), TEST(test_no_bytes), TEST(test_verification), TEST(test_whiteouts),
		TEST(test_refused), TEST(test_names_are_bytes), TEST(test_listed_late), TEST(test_packed_again),
		cmocka_unit_test(test_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
