/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody else's file, which may be damaged: every offset is checked against the page that it is in, and pages read in all
 * are bounded. */
#include "capture/bolt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/hash.h"

/* bbolt's page.go and db.go */
enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_META = 4, ELEMENT_BUCKET = 1, VERSION = 2, DEPTH_MAX = 32,
	PAGE_LEAST = 1024, PAGE_MOST = 64 * 1024, NODE_MAX = 16 << 20, READ_MAX = 64 << 20 };
#define MAGIC 0xED0CDAEDU

struct page_header {
	uint64_t id;
	uint16_t flags, count;
	uint32_t overflow; /* further pages that belong to it */
};

struct meta {
	uint32_t magic, version, page_size, flags;
	uint64_t root, sequence, freelist, high, transaction, checksum;
};

struct leaf_element {
	uint32_t flags, offset, key_length, value_length; /* offset: of the key, from this element */
};

struct branch_element {
	uint32_t offset, key_length;
	uint64_t page;
};

struct bucket_header {
	uint64_t root, sequence;
};

_Static_assert(sizeof(struct page_header) == 16 && sizeof(struct meta) == 64, "as in the file");
_Static_assert(sizeof(struct leaf_element) == 16 && sizeof(struct branch_element) == 16, "as in the file");

struct bolt {
	int fd;
	struct meta meta;
	size_t bytes; /* read in all */
};

struct node {
	const unsigned char *bytes;
	size_t length;
	struct page_header header;
	unsigned char *owned; /* NULL: within another's page */
};

struct slice {
	const unsigned char *at;
	size_t length;
};

/* ---- pages ---- */

static bool is_whole(const struct meta *meta)
{
	return meta->magic == MAGIC && meta->version == VERSION &&
		fnv1a_bytes(FNV1A_BASIS, meta, offsetof(struct meta, checksum)) == meta->checksum &&
		meta->page_size >= PAGE_LEAST && meta->page_size <= PAGE_MOST;
}

static bool read_meta_at(int fd, off_t at, struct meta *ret)
{
	return pread(fd, ret, sizeof(*ret), at + (off_t)sizeof(struct page_header)) == sizeof(*ret) && is_whole(ret);
}

/* The newer of the two that is whole. The second one's place depends on the size of pages, which the first tells. */
static bool read_meta(int fd, struct meta *ret)
{
	struct meta first, second;
	bool has_first = read_meta_at(fd, 0, &first);
	bool has_second = read_meta_at(fd, has_first ? first.page_size : sysconf(_SC_PAGESIZE), &second);

	if (has_first && (!has_second || first.transaction > second.transaction))
		*ret = first;
	else if (has_second)
		*ret = second;
	return has_first || has_second;
}

struct bolt *bolt_open(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct bolt *b;
	struct meta meta;
	struct stat st;

	if (fd < 0)
		return NULL;
	errno = EINVAL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !read_meta(fd, &meta))
		return NULL;
	b = xcalloc(1, sizeof(*b));
	b->meta = meta;
	b->fd = steal_fd(&fd);
	return b;
}

void bolt_close(struct bolt *b)
{
	if (!b)
		return;
	close(b->fd);
	free(b);
}

bool bolt_is_current(struct bolt *b)
{
	struct meta now;

	return read_meta(b->fd, &now) && now.transaction == b->meta.transaction;
}

static bool open_node(struct node *ret, const unsigned char *bytes, size_t length)
{
	struct page_header header;

	if (length < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (!(header.flags & (PAGE_BRANCH | PAGE_LEAF)) ||
		header.count > (length - sizeof(header)) / sizeof(struct leaf_element)) /* branches' are as long */
		return false;
	*ret = (struct node){ .bytes = bytes, .length = length, .header = header };
	return true;
}

static bool read_node(struct bolt *b, uint64_t page, struct node *ret)
{
	uint64_t at = page * b->meta.page_size;
	struct page_header header;
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t length;

	if (page >= b->meta.high || pread(b->fd, &header, sizeof(header), (off_t)at) != sizeof(header) ||
		header.id != page || header.overflow >= NODE_MAX / b->meta.page_size)
		return false;
	length = (header.overflow + (size_t)1) * b->meta.page_size;
	b->bytes += length;
	if (b->bytes > READ_MAX)
		return false;
	bytes = xmalloc(length);
	if (pread(b->fd, bytes, length, (off_t)at) != (ssize_t)length || !open_node(ret, bytes, length))
		return false;
	ret->owned = steal_ptr(bytes);
	return true;
}

static void close_node(struct node *node)
{
	free(node->owned);
}

static bool slice_of(const struct node *node, size_t at, size_t length, struct slice *ret)
{
	if (at > node->length || length > node->length - at)
		return false;
	*ret = (struct slice){ node->bytes + at, length };
	return true;
}

static size_t element_at(uint16_t i)
{
	return sizeof(struct page_header) + i * sizeof(struct leaf_element);
}

static bool leaf_pair(const struct node *node, uint16_t i, struct slice *ret_key, struct slice *ret_value, bool *ret_bucket)
{
	struct leaf_element e;

	memcpy(&e, node->bytes + element_at(i), sizeof(e));
	*ret_bucket = e.flags & ELEMENT_BUCKET;
	return slice_of(node, element_at(i) + e.offset, e.key_length, ret_key) &&
		slice_of(node, element_at(i) + e.offset + e.key_length, e.value_length, ret_value);
}

static bool branch_pair(const struct node *node, uint16_t i, struct slice *ret_key, uint64_t *ret_page)
{
	struct branch_element e;

	memcpy(&e, node->bytes + element_at(i), sizeof(e));
	*ret_page = e.page;
	return slice_of(node, element_at(i) + e.offset, e.key_length, ret_key);
}

/* ---- trees ---- */

static int compare(const struct slice *a, const char *key)
{
	size_t length = strlen(key);
	int r = memcmp(a->at, key, a->length < length ? a->length : length);

	return r ? r : a->length < length ? -1 : a->length > length;
}

static bool open_root(struct bolt *b, const struct bolt_bucket *bucket, struct node *ret)
{
	return bucket->root ? read_node(b, bucket->root, ret) : open_node(ret, bucket->page, bucket->length);
}

/* The page below which the key is: that of the last element that is not after it. */
static bool child_for(const struct node *node, const char *key, uint64_t *ret_page)
{
	struct slice found;
	uint64_t page;

	for (uint16_t i = 0; i < node->header.count; i++) {
		if (!branch_pair(node, i, &found, &page))
			return false;
		if (i && compare(&found, key) > 0)
			break;
		*ret_page = page;
	}
	return node->header.count > 0;
}

static bool take_value(const struct node *leaf, const char *key, bool wants_bucket, unsigned char **ret, size_t *ret_length)
{
	for (uint16_t i = 0; i < leaf->header.count; i++) {
		struct slice found, value;
		bool is_bucket;

		if (!leaf_pair(leaf, i, &found, &value, &is_bucket))
			return false;
		if (compare(&found, key) != 0)
			continue;
		if (is_bucket != wants_bucket)
			return false;
		*ret = xmalloc(value.length + 1);
		memcpy(*ret, value.at, value.length);
		(*ret)[value.length] = '\0';
		*ret_length = value.length;
		return true;
	}
	return false;
}

static bool look_up(struct bolt *b, const struct bolt_bucket *bucket, const char *key, bool wants_bucket,
	unsigned char **ret, size_t *ret_length)
{
	struct node node;
	bool found = open_root(b, bucket, &node);

	for (int depth = 0; found && node.header.flags & PAGE_BRANCH; depth++) {
		uint64_t page;
		bool has_child = depth < DEPTH_MAX && child_for(&node, key, &page);

		close_node(&node);
		found = has_child && read_node(b, page, &node);
	}
	if (!found)
		return false;
	found = take_value(&node, key, wants_bucket, ret, ret_length);
	close_node(&node);
	return found;
}

char *bolt_value(struct bolt *b, const struct bolt_bucket *bucket, const char *key)
{
	unsigned char *value;
	size_t length;

	return look_up(b, bucket, key, false, &value, &length) ? (char *)value : NULL;
}

static bool enter(struct bolt *b, const struct bolt_bucket *in, const char *name, struct bolt_bucket *ret)
{
	_cleanup_free_ unsigned char *value = NULL;
	struct bucket_header header;
	size_t length;

	if (!look_up(b, in, name, true, &value, &length) || length < sizeof(header))
		return false;
	memcpy(&header, value, sizeof(header));
	*ret = (struct bolt_bucket){ .root = header.root };
	if (header.root)
		return true;
	ret->length = length - sizeof(header);
	ret->page = xmalloc(ret->length + 1);
	memcpy(ret->page, value + sizeof(header), ret->length);
	return true;
}

bool bolt_find(struct bolt *b, const char *const *path, struct bolt_bucket *ret)
{
	struct bolt_bucket at = { .root = b->meta.root }, next;

	for (; *path; path++) {
		bool found = enter(b, &at, *path, &next);

		bolt_bucket_free(&at);
		if (!found)
			return false;
		at = next;
	}
	*ret = at;
	return true;
}

void bolt_bucket_free(struct bolt_bucket *bucket)
{
	free(bucket->page);
	bucket->page = NULL;
}

/* Pairs lie beside each other: more of them than the page has room for are damage, of which a small file could make gigabytes. */
static void tell_leaf(const struct node *leaf, bolt_pair *pair, void *arg)
{
	size_t told = 0;

	for (uint16_t i = 0; i < leaf->header.count; i++) {
		struct slice key, value;
		bool is_bucket;
		_cleanup_free_ char *key_text = NULL, *value_text = NULL;

		if (!leaf_pair(leaf, i, &key, &value, &is_bucket))
			return;
		told += key.length + value.length;
		if (told > leaf->length)
			return;
		if (is_bucket)
			continue;
		key_text = xstrndup((const char *)key.at, key.length);
		value_text = xstrndup((const char *)value.at, value.length);
		pair(arg, key_text, value_text);
	}
}

static void each_below(struct bolt *b, const struct node *node, int depth, bolt_pair *pair, void *arg)
{
	if (node->header.flags & PAGE_LEAF) {
		tell_leaf(node, pair, arg);
		return;
	}
	for (uint16_t i = 0; depth < DEPTH_MAX && i < node->header.count; i++) {
		struct node child;
		struct slice key;
		uint64_t page;

		if (!branch_pair(node, i, &key, &page) || !read_node(b, page, &child))
			return;
		each_below(b, &child, depth + 1, pair, arg);
		close_node(&child);
	}
}

void bolt_each(struct bolt *b, const struct bolt_bucket *bucket, bolt_pair *pair, void *arg)
{
	struct node root;

	if (!open_root(b, bucket, &root))
		return;
	each_below(b, &root, 0, pair, arg);
	close_node(&root);
}
