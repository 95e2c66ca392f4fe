/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database of containerd or podman, of any bytes. Its two meta pages and the numbers of its pages are put right first, or
 * little of it would be looked at. What must hold: texts end within what was read, and are not more than that; the same file
 * says the same again; a commit is noticed, and what it makes of pages that are still being read leads nowhere.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/bolt.h"
#include "capture/names_internal.h"
#include "fuzz/sandbox.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/hash.h"

/* bbolt's page.go and db.go */
enum { HEADER = 16, OVERFLOW_AT = 12, META_PAGE_SIZE = 8, META_TRANSACTION = 48, META_SUM = 56, META_BYTES = 64,
	PAGE_LEAST = 1024, PAGE_MOST = 64 * 1024, READ_MAX = 64 << 20, LABELS_MAX = 64 };

#define CONTAINER_ID "00000000000000000000000000000000000000000000000000000000000c0de0"

/* Both engines' databases are the one file, which is found as theirs are. */
static const struct {
	const char *path, *link; /* link NULL: a directory */
} places[] = {
	{ "storage", NULL },
	{ "storage/libpod", NULL },
	{ "storage/overlay-containers", NULL },
	{ "storage/overlay-containers/" CONTAINER_ID, NULL },
	{ "storage/overlay-containers/" CONTAINER_ID "/userdata", NULL },
	{ "data", NULL },
	{ "data/io.containerd.metadata.v1.bolt", NULL },
	{ "data/io.containerd.metadata.v1.bolt/meta.db", "../../storage/libpod/bolt_state.db" },
	{ "bundle", NULL },
	{ "bundle/work", "/data/io.containerd.runtime.v2.task/default/web" },
};

struct database {
	char root[32];
	char path[96];
	int fd; /* for its writer */
	uint8_t *bytes;
	size_t size, page_size;
};

/* ---- the file ---- */

static void make_places(struct database *d, int directory)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int r = places[i].link ? symlinkat(places[i].link, directory, places[i].path) :
			mkdirat(directory, places[i].path, 0700);

		require(r == 0 || errno == EEXIST);
	}
	snprintf(d->root, sizeof(d->root), "/proc/self/fd/%d", directory);
	snprintf(d->path, sizeof(d->path), "%s/storage/libpod/bolt_state.db", d->root);
	d->fd = open(d->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(d->fd >= 0);
}

static void write_file(const struct database *d)
{
	require(ftruncate(d->fd, (off_t)d->size) == 0);
	require(pwrite(d->fd, d->bytes, d->size, 0) == (ssize_t)d->size);
}

static uint32_t number_at(const uint8_t *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static void mend_meta(uint8_t *meta, size_t page_size)
{
	const uint32_t begin[] = { 0xED0CDAED, 2, (uint32_t)page_size };
	uint64_t sum;

	memcpy(meta, begin, sizeof(begin));
	sum = fnv1a_bytes(FNV1A_BASIS, meta, META_SUM);
	memcpy(meta + META_SUM, &sum, sizeof(sum));
}

static void mend(struct database *d)
{
	uint32_t said = d->size >= HEADER + META_BYTES ? number_at(d->bytes + HEADER + META_PAGE_SIZE) : 0;

	d->page_size = said >= PAGE_LEAST && said <= PAGE_MOST && said <= d->size / 2 ? said : PAGE_LEAST;
	for (size_t at = 0; at + d->page_size <= d->size && at <= d->page_size; at += d->page_size)
		mend_meta(d->bytes + at + HEADER, d->page_size);
	for (uint64_t page = 0; (page + 1) * d->page_size <= d->size;) {
		uint8_t *at = d->bytes + page * d->page_size;

		memcpy(at, &page, sizeof(page));
		page += 1 + (uint64_t)number_at(at + OVERFLOW_AT); /* what belongs to it has no number of its own */
	}
}

/* The owner commits: what was on a page is now on the one before, and the older meta page is the newer one. */
static void commit(struct database *d)
{
	uint64_t newer[2] = { 0 };

	if (d->size < 3 * d->page_size)
		return;
	memmove(d->bytes + 2 * d->page_size, d->bytes + 3 * d->page_size, d->size - 3 * d->page_size);
	for (int i = 0; i < 2; i++)
		memcpy(&newer[i], d->bytes + i * d->page_size + HEADER + META_TRANSACTION, sizeof(newer[i]));
	newer[0] = (newer[0] > newer[1] ? newer[0] : newer[1]) + 1;
	for (int i = 0; i < 2; i++)
		memcpy(d->bytes + i * d->page_size + HEADER + META_TRANSACTION, &newer[0], sizeof(newer[0]));
	mend(d);
	write_file(d);
}

/* ---- what is read ---- */

struct heard {
	uint64_t sum; /* over all that was told */
	size_t bytes, labels; /* of the bucket that is being read, and of the container */
	struct database *commits_at_first; /* NULL: nobody writes meanwhile */
};

static void hear(struct heard *h, const char *key, const char *value)
{
	h->bytes += strlen(key) + strlen(value);
	h->sum = fnv1a_bytes(h->sum, key, strlen(key) + 1);
	h->sum = fnv1a_bytes(h->sum, value, strlen(value) + 1);
}

static void hear_pair(void *arg, const char *key, const char *value)
{
	struct heard *h = arg;

	hear(h, key, value);
	require(h->bytes <= READ_MAX);
	if (h->commits_at_first)
		commit(h->commits_at_first);
	h->commits_at_first = NULL;
}

static void hear_value(struct bolt *bolt, const struct bolt_bucket *bucket, const char *key, struct heard *h)
{
	char *value = bolt_value(bolt, bucket, key);

	hear(h, key, value ? value : "");
	free(value);
}

static void read_buckets(struct bolt *bolt, struct heard *h)
{
	static const char *const paths[][6] = { { NULL }, { "ctr", NULL }, { "ctr", CONTAINER_ID, NULL }, { "pod", NULL },
		{ "v1", "default", "containers", NULL }, { "v1", "default", "containers", "web", NULL },
		{ "v1", "default", "containers", "web", "labels", NULL } };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct bolt_bucket bucket;

		if (!bolt_find(bolt, paths[i], &bucket))
			continue;
		hear_value(bolt, &bucket, "config", h);
		hear_value(bolt, &bucket, "image", h);
		h->bytes = 0;
		bolt_each(bolt, &bucket, hear_pair, h);
		bolt_bucket_free(&bucket);
	}
}

static void hear_name(void *arg, const struct names_job *job, const char *key, const char *value)
{
	struct heard *h = arg;

	require(!strcmp(job->id, "web") || !strcmp(job->id, CONTAINER_ID));
	require(*key && (*value || !strncmp(key, "label.", 6))); /* a label may be empty */
	h->labels += !strncmp(key, "label.", 6);
	require(h->labels <= LABELS_MAX);
	hear(h, key, value);
}

static void read_names(const struct database *d, struct heard *h)
{
	_cleanup_free_ char *containerd = xasprintf("%s/bundle", d->root);
	_cleanup_free_ char *podman = xasprintf("%s/storage/overlay-containers/" CONTAINER_ID "/userdata", d->root);
	struct names_job web = { .id = (char *)"web" }, code = { .id = (char *)CONTAINER_ID };
	struct reading r = { .job = &web, .emit = hear_name, .arg = h };

	names_read_containerd(&r, d->root, containerd);
	map_free(&r.labels);
	r = (struct reading){ .job = &code, .emit = hear_name, .arg = h };
	h->labels = 0;
	names_read_podman(&r, podman);
	map_free(&r.labels);
}

static void read_all(struct database *d)
{
	struct heard first = { 0 }, again = { 0 }, changing = { .commits_at_first = d };
	struct bolt *bolt = bolt_open(d->path), *other = bolt_open(d->path);

	require(!bolt == !other);
	read_names(d, &first);
	read_names(d, &again);
	if (bolt) {
		read_buckets(bolt, &first);
		read_buckets(other, &again);
		require(bolt_is_current(bolt));
		read_buckets(bolt, &changing);
		require(bolt_is_current(bolt) == (changing.commits_at_first != NULL));
		commit(d);
		require(d->size < 3 * d->page_size || !bolt_is_current(bolt));
		read_buckets(other, &changing);
	}
	require(first.sum == again.sum);
	bolt_close(bolt);
	bolt_close(other);
}

SANDBOX_FIRST

void fuzz_bolt(const uint8_t *data, size_t size)
{
	static struct database database;
	int directory = sandbox_once();

	if (directory < 0)
		return;
	if (!database.path[0])
		make_places(&database, directory);
	database.bytes = memcpy(xmalloc(size ? size : 1), data, size);
	database.size = size;
	mend(&database);
	write_file(&database);
	read_all(&database);
	free(database.bytes);
}

FUZZ_TARGET(fuzz_bolt)
