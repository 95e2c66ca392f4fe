/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's tar into an empty directory. The first byte says what the rest is: 't' a tar, whose checksums are put right
 * first, or nothing behind the first header would be looked at; anything else a list of entries (struct recipe), of
 * which a tar is made. What must hold: nothing outside of the layer's root changes; what is refused comes with a text;
 * every directory that was implied is told once, by a path inside.
 */
#include "fuzz/fuzz.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/image/tree.h"
#include "engine/image/unpack.h"
#include "fuzz/sandbox.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { BLOCK = 512, CHECKSUM_AT = 148, CHECKSUM_LENGTH = 8, ENTRIES_MAX = 64, TAR_MAX = 1 << 18 };

/* One entry of the list. */
struct recipe {
	uint8_t type;          /* index into types */
	uint8_t path[4];       /* indexes into components; 0 ends it */
	uint8_t target[4];     /* of links */
	uint8_t mode, extra;
};

/* ---- tars ---- */

static void mend_checksums(uint8_t *tar, size_t size)
{
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
		unsigned sum = CHECKSUM_LENGTH * ' ';
		char text[CHECKSUM_LENGTH];

		if (memcmp(tar + at + 257, "ustar", 5) != 0)
			continue; /* no header, or one of before 1988 */
		for (size_t i = 0; i < BLOCK; i++)
			sum += i < CHECKSUM_AT || i >= CHECKSUM_AT + CHECKSUM_LENGTH ? tar[at + i] : 0;
		snprintf(text, sizeof(text), "%06o", sum & 0777777);
		memcpy(tar + at + CHECKSUM_AT, text, sizeof(text));
	}
}

/* Few names, so that entries meet: the same path as a file, a link, a directory and a whiteout. */
static void add_path(struct strbuf *path, const uint8_t components[4], char separator)
{
	static const char *const names[] = { "", "a", "b", "c", "..", ".", "/", "canary", ".wh.a", ".wh.b",
		".wh..wh..opq", ".wh..wh.plnk", ".wh.", ".wh...", "a b", "\xff\n", "root", "proc", "self", "..a" };

	for (size_t i = 0; i < 4 && components[i] % ARRAY_SIZE(names); i++) {
		if (path->length)
			strbuf_putc(path, separator);
		strbuf_puts(path, names[components[i] % ARRAY_SIZE(names)]);
	}
}

static void write_entry(struct archive *a, const struct recipe *r)
{
	static const mode_t types[] = { AE_IFREG, AE_IFDIR, AE_IFLNK, 0 /* hard link */, AE_IFCHR, AE_IFBLK, AE_IFIFO, AE_IFDIR };
	mode_t type = types[r->type % ARRAY_SIZE(types)];
	struct archive_entry *e = archive_entry_new();
	_cleanup_(strbuf_free) struct strbuf path = { 0 }, target = { 0 };

	if (r->extra & 1)
		strbuf_putc(&path, '/');
	add_path(&path, r->path, '/');
	add_path(&target, r->target, '/');
	if (r->extra & 2)
		strbuf_puts(&target, "/..");
	archive_entry_set_pathname(e, path.length ? path.text : ".");
	archive_entry_set_filetype(e, type ? type : AE_IFREG);
	archive_entry_set_perm(e, r->mode * 16);
	archive_entry_set_mtime(e, r->mode, 0);
	archive_entry_set_size(e, type == AE_IFREG ? r->mode % 3 * 4 : 0);
	if (type == AE_IFLNK)
		archive_entry_set_symlink(e, target.length ? target.text : "/");
	else if (!type)
		archive_entry_set_hardlink(e, target.length ? target.text : ".");
	else if (type == AE_IFCHR || type == AE_IFBLK)
		archive_entry_set_rdev(e, (dev_t)(r->extra & 4 ? 0 : 259));
	if (r->extra & 8)
		archive_entry_xattr_add_entry(e, r->extra & 16 ? "trusted.overlay.opaque" : "user.x", "y", 1);
	if (archive_write_header(a, e) >= ARCHIVE_WARN && type == AE_IFREG && archive_entry_size(e))
		archive_write_data(a, "contents", (size_t)archive_entry_size(e));
	archive_entry_free(e);
}

static size_t make_tar(const uint8_t *data, size_t size, uint8_t *tar)
{
	struct archive *a = archive_write_new();
	size_t used = 0;

	archive_write_set_format_pax_restricted(a);
	archive_write_set_bytes_in_last_block(a, 1);
	archive_write_open_memory(a, tar, TAR_MAX, &used);
	for (size_t i = 0; i < ENTRIES_MAX && size >= sizeof(struct recipe); i++) {
		struct recipe r;

		memcpy(&r, data, sizeof(r));
		write_entry(a, &r);
		data += sizeof(r);
		size -= sizeof(r);
	}
	archive_write_close(a);
	archive_write_free(a);
	return used;
}

/* ---- what is around the layer ---- */

struct place {
	int around; /* holds the layer's root and the canary */
	int root;
	struct stat canary, directory;
};

static int count_entries(int fd)
{
	_cleanup_closedir_ DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int n = 0;

	while (dir && readdir(dir))
		n++;
	return n - 2;
}

static void place_make(struct place *p, int around)
{
	_cleanup_close_ int fd = -1;

	p->around = around;
	require(mkdirat(around, "root", 0755) == 0 && mkdirat(around, "canary", 0700) == 0);
	fd = openat(around, "canary/file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, "sings", 5) == 5);
	p->root = openat(around, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(p->root >= 0);
	require(fstatat(around, "canary/file", &p->canary, 0) == 0 && fstatat(around, "canary", &p->directory, 0) == 0);
}

static void require_same(const struct stat *a, const struct stat *b)
{
	require(a->st_ino == b->st_ino && a->st_mode == b->st_mode && a->st_nlink == b->st_nlink);
	require(a->st_uid == b->st_uid && a->st_gid == b->st_gid && a->st_size == b->st_size);
	require(a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec);
	require(a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec);
}

static void place_check(const struct place *p)
{
	struct stat canary, directory;

	require(count_entries(p->around) == 2);
	require(fstatat(p->around, "canary/file", &canary, AT_SYMLINK_NOFOLLOW) == 0);
	require(fstatat(p->around, "canary", &directory, AT_SYMLINK_NOFOLLOW) == 0);
	require_same(&p->canary, &canary);
	require_same(&p->directory, &directory);
}

static void place_remove(struct place *p)
{
	close(p->root);
	require(tree_remove(p->around, "root") == 0 && tree_remove(p->around, "canary") == 0);
}

/* ---- unpacking ---- */

struct feed {
	const uint8_t *bytes;
	size_t length;
};

/* In pieces of odd size. */
static ssize_t feed_read(void *arg, const void **ret_bytes)
{
	struct feed *f = arg;
	size_t n = f->length < 1000 ? f->length : 1000;

	*ret_bytes = f->bytes;
	f->bytes += n;
	f->length -= n;
	return (ssize_t)n;
}

static void check_unpacked(const struct unpacked *u)
{
	require(!u->implied_count || u->entries);
	for (size_t i = 0; i < u->implied_count; i++) {
		const char *path = u->implied[i];

		require(*path && *path != '/' && strncmp(path, "../", 3) != 0 && !strstr(path, "/../"));
		for (size_t j = 0; j < i; j++)
			require(strcmp(u->implied[j], path) != 0);
	}
}

/* how: NULL for a layer. */
static void unpack(const uint8_t *tar, size_t size, const struct unpack_options *how, int around)
{
	struct feed feed = { tar, size };
	struct unpacked u = { 0 };
	struct error err = { 0 };
	struct place p;
	int r;

	place_make(&p, around);
	r = how ? unpack_archive(p.root, how, feed_read, &feed, &u, &err) : unpack_tar(p.root, feed_read, &feed, &u, &err);
	place_check(&p);
	if (r < 0)
		require(err.code == -r && err.text[0] && !u.implied);
	else
		check_unpacked(&u);
	unpacked_free(&u);
	place_remove(&p);
}

/* As a layer, as a copy into a container, as one of a container onto the host. */
static void unpack_each(const uint8_t *tar, size_t size, int around)
{
	static const struct unpack_options into = { .what = "the archive", .compressed = true };
	static const struct unpack_options out = { .what = "the copy", .foreign = true };

	unpack(tar, size, NULL, around);
	unpack(tar, size, &into, around);
	unpack(tar, size, &out, around);
}

SANDBOX_FIRST

void fuzz_unpack(const uint8_t *data, size_t size)
{
	_cleanup_free_ uint8_t *tar = NULL;
	int around = sandbox_once();

	if (around < 0 || !size)
		return;
	if (data[0] == 't') {
		tar = memcpy(xmalloc(size), data + 1, size - 1);
		mend_checksums(tar, size - 1);
		unpack_each(tar, size - 1, around);
	} else {
		tar = xmalloc(TAR_MAX);
		unpack_each(tar, make_tar(data + 1, size - 1, tar), around);
	}
}

FUZZ_TARGET(fuzz_unpack)
