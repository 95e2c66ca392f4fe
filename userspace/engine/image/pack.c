/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/map.h"
#include "util/strbuf.h"
#include "util/string_list.h"

enum { CHUNK = 1 << 18, XATTR_MAX = 65536, LINK_MAX_BYTES = 4096 };

struct packer {
	struct archive *archive;
	pack_write *write;
	void *arg;
	bool stopped;      /* write said stop */
	bool layer;        /* of an image */
	struct map links;  /* device and inode of a file with several names -> the first of them */
	uint64_t entries;
	char *buffer;      /* CHUNK */
	char *names, *value; /* of extended attributes, XATTR_MAX each */
	struct error *err;
};

struct inode {
	dev_t device;
	ino_t number;
};

static int fail(struct packer *p, int code, const char *what, const char *path)
{
	return error_errno(p->err, code, "cannot %s %s", what, path);
}

static int archive_failed(struct packer *p, const char *path)
{
	const char *text = archive_error_string(p->archive);

	if (p->stopped)
		return error_set(p->err, ECANCELED, "nobody takes the archive any more");
	return error_set(p->err, EIO, "cannot put %s into an archive: %s", path, text ? text : "unknown error");
}

/* ---- entries ---- */

static bool xattr_wanted(const char *name)
{
	return (str_starts(name, "user.") && !str_starts(name, "user.overlay.")) || str_starts(name, "system.posix_acl_") ||
	       !strcmp(name, "security.capability");
}

/* By way of /proc/self/fd, since the descriptor is O_PATH; it leads to the object itself, also where that is a link. */
static void add_xattrs(struct packer *p, int fd, struct archive_entry *entry)
{
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", fd);
	ssize_t length = listxattr(path, p->names, XATTR_MAX);

	for (char *name = p->names; length > 0 && name < p->names + length; name += strlen(name) + 1) {
		ssize_t n = xattr_wanted(name) ? getxattr(path, name, p->value, XATTR_MAX) : -1;

		if (n >= 0)
			archive_entry_xattr_add_entry(entry, name, p->value, (size_t)n);
	}
}

static int add_link_target(struct packer *p, int fd, const char *path, struct archive_entry *entry)
{
	char target[LINK_MAX_BYTES + 1];
	ssize_t n = readlinkat(fd, "", target, LINK_MAX_BYTES);

	if (n < 0)
		return fail(p, errno, "read the link", path);
	target[n] = '\0';
	archive_entry_set_symlink(entry, target);
	return 0;
}

/* A file that has several names is stored once; the others are hard links to it. */
static bool add_hard_link(struct packer *p, const struct stat *st, const char *path, struct archive_entry *entry)
{
	struct inode inode;
	char *first;

	if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
		return false;
	memset(&inode, 0, sizeof(inode)); /* it is compared as bytes */
	inode.device = st->st_dev;
	inode.number = st->st_ino;
	first = map_get(&p->links, &inode, sizeof(inode));
	if (!first) {
		map_put(&p->links, &inode, sizeof(inode), xstrdup(path));
		return false;
	}
	archive_entry_set_hardlink(entry, first);
	archive_entry_set_size(entry, 0);
	return true;
}

/* What became shorter meanwhile is filled up with zeros by libarchive. */
static int add_contents(struct packer *p, int fd, const char *path, uint64_t size)
{
	_cleanup_free_ char *self = xasprintf("/proc/self/fd/%d", fd);
	_cleanup_close_ int file = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (file < 0)
		return fail(p, errno, "open", path);
	while (size) {
		ssize_t n = read(file, p->buffer, size < CHUNK ? (size_t)size : CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(p, errno, "read", path);
		if (n == 0)
			break;
		if (archive_write_data(p->archive, p->buffer, (size_t)n) < 0)
			return archive_failed(p, path);
		size -= (uint64_t)n;
	}
	return 0;
}

static int add_entry(struct packer *p, int fd, const struct stat *st, const char *path)
{
	struct archive_entry *entry = archive_entry_new();
	bool link = false;
	int r = 0;

	archive_entry_set_pathname(entry, path);
	archive_entry_copy_stat(entry, st);
	archive_entry_unset_atime(entry); /* a header each that nobody needs */
	archive_entry_unset_ctime(entry);
	archive_entry_set_dev(entry, 0); /* of this host: they would be told as SCHILY.dev and SCHILY.ino */
	archive_entry_set_ino(entry, 0);
	archive_entry_set_nlink(entry, 1);
	if (S_ISLNK(st->st_mode))
		r = add_link_target(p, fd, path, entry);
	if (r == 0) {
		link = add_hard_link(p, st, path, entry);
		if (!link)
			add_xattrs(p, fd, entry);
		if (archive_write_header(p->archive, entry) < ARCHIVE_WARN)
			r = archive_failed(p, path);
	}
	archive_entry_free(entry);
	return r == 0 && S_ISREG(st->st_mode) && !link ? add_contents(p, fd, path, (uint64_t)st->st_size) : r;
}

/* ---- what a layer says about those below it ---- */

static int add_mark(struct packer *p, const char *path)
{
	struct archive_entry *entry = archive_entry_new();
	int r = 0;

	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_size(entry, 0);
	archive_entry_set_mtime(entry, 0, 0); /* the node's own is the time of unpacking */
	if (archive_write_header(p->archive, entry) < ARCHIVE_WARN)
		r = archive_failed(p, path);
	archive_entry_free(entry);
	return r;
}

static int add_whiteout(struct packer *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	int directory = slash ? (int)(slash + 1 - path) : 0;
	_cleanup_free_ char *mark = xasprintf("%.*s" LAYER_WHITEOUT "%s", directory, path, path + directory);

	return add_mark(p, mark);
}

static int add_opaque_mark(struct packer *p, int fd, const char *path)
{
	_cleanup_free_ char *self = xasprintf("/proc/self/fd/%d", fd), *mark = NULL;

	if (getxattr(self, LAYER_OPAQUE_XATTR, p->value, XATTR_MAX) != 1 || *p->value != 'y')
		return 0;
	mark = xasprintf("%s%s" LAYER_OPAQUE_MARK, path, *path ? "/" : "");
	return add_mark(p, mark);
}

static bool is_plain_root(const struct stat *st)
{
	return (st->st_mode & 07777) == 0755 && st->st_uid == 0 && st->st_gid == 0;
}

/* ---- the tree ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In order, so that the same tree gives the same archive. */
static int list_names(struct packer *p, int fd, const char *path, struct string_list *names)
{
	_cleanup_closedir_ DIR *dir = file_open_directory(fd, ".", 0);
	struct dirent *child;

	if (!dir)
		return fail(p, errno, "read the directory", path);
	while (names->count <= PACK_ENTRIES_MAX && (child = readdir(dir))) {
		if (strcmp(child->d_name, ".") != 0 && strcmp(child->d_name, "..") != 0)
			string_list_add(names, xstrdup(child->d_name));
	}
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return 0;
}

static int add_object(struct packer *p, int fd, const char *path, int depth);

static int add_children(struct packer *p, int fd, const char *path, int depth)
{
	_cleanup_(string_list_free) struct string_list names = { 0 };
	int r;

	if (depth == PACK_DEPTH_MAX)
		return error_set(p->err, E2BIG, "%s is nested in more than %d directories", path, PACK_DEPTH_MAX);
	r = list_names(p, fd, path, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		_cleanup_free_ char *below = xasprintf("%s%s%s", path, *path ? "/" : "", names.items[i]);
		_cleanup_close_ int object = openat(fd, names.items[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (object >= 0)
			r = add_object(p, object, below, depth + 1);
		else if (errno != ENOENT) /* it was removed meanwhile */
			r = fail(p, errno, "open", below);
	}
	return r;
}

static int add_object(struct packer *p, int fd, const char *path, int depth)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return fail(p, errno, "look at", path);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (++p->entries > PACK_ENTRIES_MAX)
		return error_set(p->err, E2BIG, "there are more than %d files", PACK_ENTRIES_MAX);
	if (p->layer && tree_is_whiteout(&st))
		return add_whiteout(p, path);
	if (*path)
		r = add_entry(p, fd, &st, path);
	else
		r = p->layer && !is_plain_root(&st) ? add_entry(p, fd, &st, "./") : 0;
	if (r == 0 && p->layer && S_ISDIR(st.st_mode))
		r = add_opaque_mark(p, fd, path);
	return r == 0 && S_ISDIR(st.st_mode) ? add_children(p, fd, path, depth) : r;
}

/* ---- the stream ---- */

int output_stream_write(void *arg, const void *bytes, size_t length)
{
	struct output_stream *out = arg;
	const char *p = bytes;

	while (length) {
		ssize_t n = write(out->fd, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			out->failed = errno;
			return -errno;
		}
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

static la_ssize_t write_callback(struct archive *a, void *arg, const void *bytes, size_t length)
{
	struct packer *p = arg;
	int r = p->write(p->arg, bytes, length);

	if (r == 0)
		return (la_ssize_t)length;
	p->stopped = true;
	archive_set_error(a, -r, "stopped");
	return -1;
}

static int open_archive(struct packer *p)
{
	p->archive = archive_write_new();
	if (!p->archive)
		return error_set(p->err, ENOMEM, "libarchive offers no writer");
	archive_write_set_format_pax(p->archive);
	archive_write_set_bytes_in_last_block(p->archive, 1);
	if (archive_write_open(p->archive, p, NULL, write_callback, NULL) != ARCHIVE_OK)
		return archive_failed(p, "anything");
	return 0;
}

static int pack(int top, const char *name, bool layer, pack_write *write, void *arg, struct error *err)
{
	struct packer p = { .write = write, .arg = arg, .layer = layer, .err = err, .buffer = xmalloc(CHUNK),
		.names = xmalloc(XATTR_MAX), .value = xmalloc(XATTR_MAX) };
	int r = open_archive(&p);

	if (r == 0)
		r = add_object(&p, top, name, 0);
	if (r == 0 && archive_write_close(p.archive) != ARCHIVE_OK)
		r = archive_failed(&p, name);
	if (r < 0 && p.archive) {
		p.stopped = true;
		archive_write_fail(p.archive); /* no end mark: what was written is no whole archive */
	}
	archive_write_free(p.archive);
	for (size_t i = 0; i < p.links.count; i++)
		free(p.links.entries[i].value);
	map_free(&p.links);
	free(p.buffer);
	free(p.names);
	free(p.value);
	return r;
}

int pack_tree(int top, const char *name, pack_write *write, void *arg, struct error *err)
{
	return pack(top, name, false, write, arg, err);
}

int pack_layer(int top, pack_write *write, void *arg, struct error *err)
{
	return pack(top, "", true, write, arg, err);
}
