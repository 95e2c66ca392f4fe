/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/map.h"
#include "util/strbuf.h"

enum { LINKS_MAX = 40 }; /* as in the kernel's path walk */

/* Directories get their times at the end: what is made in them changes them. */
struct directory {
	char *path;
	struct timespec times[2];
};

struct unpacker {
	int root;
	struct archive *archive;
	struct archive_entry *entry;
	unpack_read *read;
	void *arg;
	const struct unpack_options *options; /* NULL: a layer */
	const char *what;		      /* "the layer" */
	struct unpacked *result;
	struct map implied; /* path -> index + 1 in result->implied */
	struct directory *directories;
	size_t directory_count, directory_capacity;
	char *parent_path; /* of the cached descriptor */
	int parent;	   /* -1: none */
	bool parent_stale; /* something was replaced, maybe on the way to the cached one */
	bool stopped;	   /* read said stop */
	struct error *err;
};

void unpacked_free(struct unpacked *u)
{
	for (size_t i = 0; i < u->implied_count; i++)
		free(u->implied[i]);
	free(u->implied);
	*u = (struct unpacked){ 0 };
}

static int fail(struct unpacker *u, int code, const char *path, const char *what)
{
	if (code == ENOSPC || code == EDQUOT)
		return error_set(u->err, code, "no space left on device while unpacking \"%s\": free some space%s",
			path, u->options ? "" : ", or set CTRACE_ROOT to a larger file system");
	return error_errno(u->err, code, "cannot %s \"%s\" of %s", what, path, u->what);
}

static int refuse(struct unpacker *u, const char *path, const char *why)
{
	return error_set(u->err, EPERM, "%s is refused: entry \"%s\" %s", u->what, path, why);
}

/* ---- paths ---- */

/* The path without leading "/", "./", empty and "." components; ".." is an attempt to leave. */
static int clean_path(struct unpacker *u, const char *path, char **ret)
{
	_cleanup_(strbuf_free) struct strbuf out = { 0 };

	if (!path)
		return error_set(u->err, EBADMSG, "%s's tar is damaged: an entry has no name", u->what);
	if (strlen(path) > UNPACK_PATH_MAX)
		return error_set(u->err, E2BIG, "%s has a path of %zu bytes, at most %d are "
			"unpacked", u->what, strlen(path), UNPACK_PATH_MAX);
	for (const char *p = path; *p;) {
		size_t length = strcspn(p, "/");

		if (length == 2 && !strncmp(p, "..", 2))
			return refuse(u, path, "leaves it with \"..\" (path traversal)");
		if (length && !(length == 1 && *p == '.')) {
			if (out.length)
				strbuf_putc(&out, '/');
			strbuf_add(&out, p, length);
		}
		p += length + (p[length] == '/');
	}
	*ret = strbuf_steal(&out);
	return 0;
}

/* Splits a clean path; the caller frees *ret_directory. The name points into the path. */
static const char *split(const char *path, char **ret_directory)
{
	const char *slash = strrchr(path, '/');

	*ret_directory = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
	return slash ? slash + 1 : path;
}

static void forget_parent(struct unpacker *u)
{
	cleanup_close(&u->parent);
	u->parent = -1;
	free(steal_ptr(u->parent_path));
	u->parent_stale = false;
}

static int set_opaque(struct unpacker *u, int fd, const char *path)
{
	if (fsetxattr(fd, LAYER_OPAQUE_XATTR, "y", 1, 0) < 0)
		return fail(u, errno, path, "mark as opaque the directory");
	return 0;
}

/* mkdir that also turns a whiteout of the same name into an opaque directory: the layer deletes what
 * lies below and starts afresh. Returns -EEXIST for whatever else is there. */
static int make_directory(struct unpacker *u, int parent, const char *name, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (mkdirat(parent, name, 0755) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !tree_is_whiteout(&st))
		return -EEXIST;
	if (unlinkat(parent, name, 0) < 0 || mkdirat(parent, name, 0755) < 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : set_opaque(u, fd, path);
}

static void note_implied(struct unpacker *u, const char *path)
{
	struct unpacked *r = u->result;

	if (map_get(&u->implied, path, strlen(path))) /* it was there before, and replaced */
		return;
	array_grow(r->implied, r->implied_count, r->implied_capacity);
	r->implied[r->implied_count++] = xstrdup(path);
	map_put(&u->implied, path, strlen(path), (void *)r->implied_count);
}

/* The tar does list it, behind what is in it: its own metadata count. The last one takes its place. */
static void forget_implied(struct unpacker *u, const char *path)
{
	size_t index = (size_t)map_remove(&u->implied, path, strlen(path));
	struct unpacked *r = u->result;
	char *last;

	if (!index)
		return;
	last = r->implied[--r->implied_count];
	free(r->implied[index - 1]);
	r->implied[index - 1] = last;
	if (index - 1 == r->implied_count)
		return;
	map_put(&u->implied, last, strlen(last), (void *)index);
}

static int imply_directories(struct unpacker *u, const char *directory, int depth);

/* Something is in the way of a directory. A symlink may point to what only a layer below has; what it
 * points to inside the root is made then. */
static int imply_target(struct unpacker *u, int parent, const char *name, const char *above,
	const char *path, int depth)
{
	_cleanup_close_ int fd = tree_open(u->root, path, O_RDONLY | O_DIRECTORY);
	_cleanup_free_ char *joined = NULL;
	char target[UNPACK_PATH_MAX];
	ssize_t length;

	if (fd >= 0)
		return 0;
	length = fd == -ENOENT ? readlinkat(parent, name, target, sizeof(target) - 1) : -1;
	if (length < 0)
		return fail(u, -fd, path, "open the directory");
	if (depth == LINKS_MAX)
		return fail(u, ELOOP, path, "open the directory");
	target[length] = '\0';
	joined = tree_join(above, target);
	return imply_directories(u, joined, depth + 1);
}

/* One directory, whose parent exists. */
static int imply_directory(struct unpacker *u, const char *path, int depth)
{
	_cleanup_close_ int parent = -1;
	_cleanup_free_ char *above = NULL;
	const char *name = split(path, &above);
	int r;

	parent = tree_open(u->root, above, O_RDONLY | O_DIRECTORY);
	if (parent < 0)
		return fail(u, -parent, path, "open the parent of");
	r = make_directory(u, parent, name, path);
	if (r == -EEXIST)
		return imply_target(u, parent, name, above, path, depth);
	if (r < 0)
		return fail(u, -r, path, "make the directory");
	note_implied(u, path);
	return 0;
}

/* Makes the missing directories of a path, from the top. */
static int imply_directories(struct unpacker *u, const char *directory, int depth)
{
	_cleanup_free_ char *path = xstrdup(directory);

	for (char *p = path;; p++) {
		char c = *p;
		int r;

		if (c && c != '/')
			continue;
		*p = '\0';
		r = imply_directory(u, path, depth);
		if (r < 0 || !c)
			return r;
		*p = c;
	}
}

/* The directory as a descriptor that the unpacker keeps, or a negative errno. */
static int open_parent(struct unpacker *u, const char *directory)
{
	int fd, r;

	if (u->parent >= 0 && !u->parent_stale && !strcmp(u->parent_path, directory))
		return u->parent;
	fd = tree_open(u->root, directory, O_RDONLY | O_DIRECTORY);
	if (fd == -ENOENT || fd == -ENOTDIR) {
		r = imply_directories(u, directory, 0);
		if (r < 0)
			return r;
		fd = tree_open(u->root, directory, O_RDONLY | O_DIRECTORY);
	}
	if (fd < 0)
		return fail(u, -fd, directory, "open the directory");
	forget_parent(u);
	u->parent_path = xstrdup(directory);
	u->parent = fd;
	return fd;
}

/* ---- metadata ---- */

static bool is_foreign(const struct unpacker *u)
{
	return u->options && u->options->foreign;
}

static bool xattr_wanted(const struct unpacker *u, const char *name)
{
	if (is_foreign(u))
		return str_starts(name, "user.") && !str_starts(name, "user.overlay.");
	return !str_starts(name, "trusted.overlay.") && !str_starts(name, "user.overlay.");
}

static int set_xattrs(struct unpacker *u, const char *self, const char *path)
{
	const char *key;
	const void *value;
	size_t size;

	if (archive_entry_xattr_reset(u->entry) > UNPACK_XATTRS_MAX)
		return error_set(u->err, E2BIG, "entry \"%s\" of %s has more than %d extended "
			"attributes", path, u->what, UNPACK_XATTRS_MAX);
	while (archive_entry_xattr_next(u->entry, &key, &value, &size) == ARCHIVE_OK) {
		if (!key || !xattr_wanted(u, key) || setxattr(self, key, value, size, 0) == 0)
			continue;
		/* A file system without, say, user.* loses them, as tar does; capabilities decide
		 * what a program may do and are never lost in silence. */
		if ((errno == EOPNOTSUPP || errno == EPERM) && strcmp(key, "security.capability") != 0)
			continue;
		return fail(u, errno, path, "set an extended attribute of");
	}
	return 0;
}

static void entry_times(struct archive_entry *entry, struct timespec times[2])
{
	times[1].tv_sec = archive_entry_mtime(entry);
	times[1].tv_nsec = archive_entry_mtime_nsec(entry);
	if (times[1].tv_nsec < 0 || times[1].tv_nsec > 999999999)
		times[1].tv_nsec = 0;
	times[0] = times[1];
}

/* Of the object that was made, by its descriptor: who lives in the directory may have put another in its place. By way
 * of /proc/self/fd, because O_PATH, which symlinks and device nodes need, allows no more; it leads to the object itself,
 * also where that is a symlink. Owner before mode and attributes: chown clears setuid bits and capabilities. */
static int set_metadata(struct unpacker *u, int fd, const char *path)
{
	mode_t type = archive_entry_filetype(u->entry);
	mode_t mode = archive_entry_perm(u->entry) & (is_foreign(u) ? 01777 : 07777);
	struct timespec times[2];
	char self[32];
	int r;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (!is_foreign(u) && fchownat(fd, "", (uid_t)archive_entry_uid(u->entry),
		    (gid_t)archive_entry_gid(u->entry), AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return fail(u, errno, path, "change the owner of");
	if (type != AE_IFLNK && chmod(self, mode) < 0)
		return fail(u, errno, path, "change the mode of");
	r = set_xattrs(u, self, path);
	if (r < 0)
		return r;
	entry_times(u->entry, times);
	if (utimensat(AT_FDCWD, self, times, 0) < 0)
		return fail(u, errno, path, "set the time of");
	return 0;
}

/* The same for what has no descriptor yet. */
static int set_metadata_of(struct unpacker *u, int parent, const char *name, const char *path)
{
	_cleanup_close_ int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(u, errno, path, "open");
	if ((st.st_mode & S_IFMT) != archive_entry_filetype(u->entry))
		return fail(u, EBUSY, path, "set the owner and mode of");
	return set_metadata(u, fd, path);
}

static void defer_times(struct unpacker *u, const char *path)
{
	struct directory *d;

	array_grow(u->directories, u->directory_count, u->directory_capacity);
	d = &u->directories[u->directory_count++];
	d->path = xstrdup(path);
	entry_times(u->entry, d->times);
}

static void set_directory_times(struct unpacker *u)
{
	for (size_t i = 0; i < u->directory_count; i++) {
		struct directory *d = &u->directories[i];
		/* A later entry may have replaced the directory by something else. */
		_cleanup_close_ int fd =
			tree_open(u->root, d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

		if (fd >= 0)
			futimens(fd, d->times);
	}
}

/* ---- entries ---- */

/* Neither a directory nor what is none may take the place of the other, links to a directory included. */
static int check_kind(struct unpacker *u, int parent, const char *name, const char *path, bool directory)
{
	struct stat st;

	if (!u->options || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode) == directory)
		return 0;
	return error_set(u->err, EEXIST, "cannot overwrite %sdirectory \"%s\" with %sdirectory", directory ? "non-" : "",
		path, directory ? "" : "non-");
}

/* Clears the way for an entry that is no directory. */
static int remove_existing(struct unpacker *u, int parent, const char *name, const char *path)
{
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(u, errno, path, "look at");
	u->parent_stale = S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode);
	r = tree_remove(parent, name);
	return r < 0 ? fail(u, -r, path, "replace") : 0;
}

static int add_directory(struct unpacker *u, int parent, const char *name, const char *path)
{
	struct stat st;
	int r = make_directory(u, parent, name, path);

	if (r == -EEXIST) {
		if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return fail(u, errno, path, "look at");
		r = 0;
		if (!S_ISDIR(st.st_mode)) {
			u->parent_stale = true;
			if (unlinkat(parent, name, 0) < 0 || mkdirat(parent, name, 0755) < 0)
				r = -errno;
		}
	}
	if (r < 0)
		return fail(u, -r, path, "make the directory");
	forget_implied(u, path);
	r = set_metadata_of(u, parent, name, path);
	if (r == 0)
		defer_times(u, path);
	return r;
}

static int write_block(int fd, const char *bytes, size_t length, off_t offset)
{
	while (length) {
		ssize_t n = pwrite(fd, bytes, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		length -= (size_t)n;
		offset += n;
	}
	return 0;
}

static int archive_failed(struct unpacker *u)
{
	const char *text = archive_error_string(u->archive);

	if (u->stopped)
		return error_set(u->err, ECANCELED, "%s ended before its tar did", u->what);
	return error_set(u->err, EBADMSG, "%s's tar is damaged: %s", u->what, text ? text : "cut short");
}

static int write_contents(struct unpacker *u, int fd, const char *path)
{
	const void *block;
	size_t length;
	la_int64_t offset;
	int status, r;

	while ((status = archive_read_data_block(u->archive, &block, &length, &offset)) == ARCHIVE_OK) {
		r = write_block(fd, block, length, offset);
		if (r < 0)
			return fail(u, -r, path, "write");
		u->result->bytes += length;
	}
	if (status != ARCHIVE_EOF)
		return archive_failed(u);
	/* The end of a sparse file may be a hole. */
	if (archive_entry_sparse_count(u->entry) && ftruncate(fd, archive_entry_size(u->entry)) < 0)
		return fail(u, errno, path, "extend");
	return 0;
}

static int add_file(struct unpacker *u, int parent, const char *name, const char *path)
{
	_cleanup_close_ int fd = openat(parent, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return fail(u, errno, path, "make the file");
	r = write_contents(u, fd, path);
	return r < 0 ? r : set_metadata(u, fd, path);
}

/* A hard link shares its inode's metadata, so there is nothing to set; it must point into this layer
 * and not at one of the whiteouts that were made here. */
static int add_hard_link(struct unpacker *u, int parent, const char *name, const char *path)
{
	_cleanup_free_ char *target = NULL, *directory = NULL;
	_cleanup_close_ int fd = -1;
	const char *target_name;
	struct stat st;
	int r = clean_path(u, archive_entry_hardlink(u->entry), &target);

	if (r < 0)
		return r;
	target_name = split(target, &directory);
	fd = tree_open(u->root, directory, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || fstatat(fd, target_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || tree_is_whiteout(&st))
		return error_set(u->err, EBADMSG, "%s has a hard link \"%s\" to \"%s\", which is "
			"not in it", u->what, path, target);
	if (!strcmp(target, path))
		return 0;
	r = remove_existing(u, parent, name, path);
	if (r < 0)
		return r;
	if (linkat(fd, target_name, parent, name, 0) < 0)
		return fail(u, errno, path, "make the hard link");
	return 0;
}

static int add_node(struct unpacker *u, int parent, const char *name, const char *path)
{
	mode_t type = archive_entry_filetype(u->entry);
	dev_t device = makedev((unsigned)archive_entry_rdevmajor(u->entry),
		(unsigned)archive_entry_rdevminor(u->entry));

	if (mknodat(parent, name, type | 0600, type == AE_IFIFO ? 0 : device) < 0)
		return fail(u, errno, path, "make the device node");
	return set_metadata_of(u, parent, name, path);
}

static int add_symlink(struct unpacker *u, int parent, const char *name, const char *path)
{
	const char *target = archive_entry_symlink(u->entry);

	if (!target || symlinkat(target, parent, name) < 0)
		return fail(u, target ? errno : EBADMSG, path, "make the symbolic link");
	return set_metadata_of(u, parent, name, path);
}

/* ---- whiteouts ---- */

static int add_opaque(struct unpacker *u, int parent, const char *directory)
{
	return set_opaque(u, parent, *directory ? directory : "/");
}

/* name: what the lower layers lose. Something of that name in this layer already hides it, but a
 * directory would still show the lower one's entries. */
static int add_whiteout(struct unpacker *u, int parent, const char *name, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return refuse(u, path, "is a whiteout without a name");
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT || mknodat(parent, name, S_IFCHR, makedev(0, 0)) < 0)
			return fail(u, errno, path, "make the whiteout");
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail(u, errno, path, "open the directory") : set_opaque(u, fd, path);
}

static int add_entry(struct unpacker *u, int parent, const char *name, const char *path)
{
	mode_t type = archive_entry_filetype(u->entry);
	int r = check_kind(u, parent, name, path, type == AE_IFDIR && !archive_entry_hardlink(u->entry));

	if (r < 0)
		return r;
	if (archive_entry_hardlink(u->entry))
		return add_hard_link(u, parent, name, path);
	if (type == AE_IFDIR)
		return add_directory(u, parent, name, path);
	if (type == AE_IFSOCK || (type == AE_IFCHR && !archive_entry_rdevmajor(u->entry) &&
					 !archive_entry_rdevminor(u->entry)))
		return 0;
	if (is_foreign(u) && (type == AE_IFCHR || type == AE_IFBLK)) {
		u->result->left_out++;
		return 0;
	}
	r = remove_existing(u, parent, name, path);
	if (r < 0)
		return r;
	switch (type) {
	case AE_IFREG:
		return add_file(u, parent, name, path);
	case AE_IFLNK:
		return add_symlink(u, parent, name, path);
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		return add_node(u, parent, name, path);
	}
	return error_set(u->err, EBADMSG, "entry \"%s\" of %s has an unknown type", path, u->what);
}

static int add_root(struct unpacker *u)
{
	if (archive_entry_hardlink(u->entry) || archive_entry_filetype(u->entry) != AE_IFDIR)
		return refuse(u, "/", "replaces the root by something else");
	if (u->options)
		return 0;
	defer_times(u, "");
	return set_metadata(u, u->root, "/");
}

static int handle_entry(struct unpacker *u)
{
	_cleanup_free_ char *path = NULL, *directory = NULL;
	const char *name;
	int parent, r = clean_path(u, archive_entry_pathname(u->entry), &path);

	if (r < 0)
		return r;
	if (!*path)
		return add_root(u);
	name = split(path, &directory);
	/* aufs' own bookkeeping, which old images carry. */
	if (!u->options && str_starts(name, ".wh..wh.") && strcmp(name, LAYER_OPAQUE_MARK) != 0)
		return 0;
	parent = open_parent(u, directory);
	if (parent < 0)
		return parent;
	if (u->options)
		return add_entry(u, parent, name, path);
	if (!strcmp(name, LAYER_OPAQUE_MARK))
		return add_opaque(u, parent, directory);
	if (str_starts(name, LAYER_WHITEOUT))
		return add_whiteout(u, parent, name + strlen(LAYER_WHITEOUT), path);
	return add_entry(u, parent, name, path);
}

/* ---- the stream ---- */

static la_ssize_t read_callback(struct archive *a, void *arg, const void **bytes)
{
	struct unpacker *u = arg;
	ssize_t n = u->read(u->arg, bytes);

	if (n < 0) {
		u->stopped = true;
		archive_set_error(a, EPIPE, "stopped");
	}
	return n;
}

static int open_archive(struct unpacker *u)
{
	u->archive = archive_read_new();
	if (!u->archive)
		return error_set(u->err, ENOMEM, "libarchive offers no reader");
	archive_read_support_format_tar(u->archive);
	archive_read_support_format_empty(u->archive);
	if (u->options && u->options->compressed) {
		archive_read_support_filter_gzip(u->archive);
		archive_read_support_filter_bzip2(u->archive);
		archive_read_support_filter_xz(u->archive);
		archive_read_support_filter_zstd(u->archive);
	}
	if (archive_read_open(u->archive, u, NULL, read_callback, NULL) != ARCHIVE_OK)
		return archive_failed(u);
	return 0;
}

/* ARCHIVE_WARN is accepted: names that are not in the locale's character set come with it, as the
 * bytes that they are. The programs never call setlocale: in a UTF-8 locale libarchive would
 * rewrite names to NFC. */
static int handle_entries(struct unpacker *u)
{
	int status, r = 0;

	while (r == 0) {
		status = archive_read_next_header(u->archive, &u->entry);
		if (status == ARCHIVE_EOF)
			return 0;
		if (status < ARCHIVE_WARN)
			return archive_failed(u);
		if (++u->result->entries > UNPACK_ENTRIES_MAX)
			return error_set(u->err, E2BIG, "%s has more than %d entries",
				u->what, UNPACK_ENTRIES_MAX);
		r = handle_entry(u);
	}
	return r;
}

static int unpack(int root_fd, const struct unpack_options *options, unpack_read *read, void *arg,
	struct unpacked *ret, struct error *err)
{
	struct unpacked result = { 0 };
	struct unpacker u = {
		.root = root_fd, .read = read, .arg = arg, .options = options,
		.what = options ? options->what : "the layer", .result = &result, .parent = -1, .err = err,
	};
	int r = open_archive(&u);

	if (r == 0)
		r = handle_entries(&u);
	if (r == 0)
		set_directory_times(&u);
	archive_read_free(u.archive);
	forget_parent(&u);
	for (size_t i = 0; i < u.directory_count; i++)
		free(u.directories[i].path);
	free(u.directories);
	map_free(&u.implied);
	if (r < 0)
		unpacked_free(&result);
	else
		*ret = result;
	return r;
}

int unpack_tar(int root_fd, unpack_read *read, void *arg, struct unpacked *ret, struct error *err)
{
	return unpack(root_fd, NULL, read, arg, ret, err);
}

int unpack_archive(int root_fd, const struct unpack_options *options, unpack_read *read, void *arg,
	struct unpacked *ret, struct error *err)
{
	return unpack(root_fd, options, read, arg, ret, err);
}
