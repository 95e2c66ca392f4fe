/* SPDX-License-Identifier: Apache-2.0 */
/* Mount option "tmpcopyup": a tmpfs that starts as a copy of the directory it covers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"

enum { DEPTH_MAX = 128, COPY_CHUNK = 1 << 20, XATTR_MAX = 65536 };

static int copy_directory(int from, int to, int depth, struct error *err);

/* Labels and file capabilities; a file system that has none of a kind says so, and that is fine. */
static void copy_xattrs(int from, int to)
{
	_cleanup_free_ char *names = xmalloc(XATTR_MAX), *value = xmalloc(XATTR_MAX);
	ssize_t length = flistxattr(from, names, XATTR_MAX);

	for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
		ssize_t n = fgetxattr(from, name, value, XATTR_MAX);

		if (n >= 0)
			fsetxattr(to, name, value, (size_t)n, 0);
	}
}

static int copy_attributes(int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	/* the owner first: changing it clears the set-id bits */
	return fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0 ||
		       futimens(to, times) < 0
		       ? -errno
		       : 0;
}

/* From data to hole: a tmpfs is memory, and sparse files may be larger than it. */
static int copy_content(int in, int out, off_t size)
{
	off_t start = 0, end;

	while (start < size && (start = lseek(in, start, SEEK_DATA)) >= 0) {
		end = lseek(in, start, SEEK_HOLE);
		if (end < 0 || lseek(out, start, SEEK_SET) < 0)
			return -errno;
		while (start < end) {
			size_t length = end - start < COPY_CHUNK ? (size_t)(end - start) : COPY_CHUNK;
			ssize_t n = sendfile(out, in, &start, length);

			if (n < 0 && errno != EINTR)
				return -errno;
			if (n == 0)
				break;
		}
		start = end;
	}
	/* ENXIO: no data any more, but maybe a hole */
	if (start < 0 && errno != ENXIO)
		return -errno;
	return ftruncate(out, size) < 0 ? -errno : 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	_cleanup_close_ int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_close_ int out = in < 0 ? -1
		: openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (in < 0 || out < 0)
		return -errno;
	r = copy_content(in, out, st->st_size);
	if (r == 0)
		r = copy_attributes(out, st);
	/* after the owner: a change of it takes file capabilities away */
	copy_xattrs(in, out);
	return r;
}

static int copy_link(int from, int to, const char *name, const struct stat *st)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (symlinkat(text, to, name) < 0 ||
		fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_subdirectory(int from, int to, const char *name, const struct stat *st, int depth,
	struct error *err)
{
	_cleanup_close_ int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int out = -1;
	int r;

	if (in < 0 || mkdirat(to, name, 0700) < 0)
		return error_errno(err, errno, "tmpcopyup: cannot copy %s", name);
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return error_errno(err, errno, "tmpcopyup: cannot copy %s", name);
	r = copy_directory(in, out, depth + 1, err);
	if (r == 0 && copy_attributes(out, st) < 0)
		r = error_errno(err, errno, "tmpcopyup: cannot copy the attributes of %s", name);
	copy_xattrs(in, out);
	return r;
}

static int copy_entry(int from, int to, const char *name, int depth, struct error *err)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "tmpcopyup: cannot stat %s", name);
	if (S_ISDIR(st.st_mode))
		return copy_subdirectory(from, to, name, &st, depth, err);
	if (S_ISREG(st.st_mode))
		r = copy_file(from, to, name, &st);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(from, to, name, &st);
	else if (mknodat(to, name, st.st_mode, st.st_rdev) < 0 ||
		 fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	else
		r = 0;
	return r < 0 ? error_errno(err, -r, "tmpcopyup: cannot copy %s", name) : 0;
}

static int copy_directory(int from, int to, int depth, struct error *err)
{
	_cleanup_closedir_ DIR *d = file_open_directory(from, ".", 0);
	struct dirent *e;
	int r = 0;

	if (!d)
		return error_errno(err, errno, "tmpcopyup: cannot list a directory");
	if (depth > DEPTH_MAX)
		return error_set(err, ELOOP, "tmpcopyup: directories are nested deeper than %d",
			DEPTH_MAX);
	while (r == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = copy_entry(from, to, e->d_name, depth, err);
	}
	return r;
}

int copy_up(int from, int to, struct error *err)
{
	struct stat st;
	int r = copy_directory(from, to, 0, err);

	/* both may be O_PATH */
	if (r == 0 && (fstat(from, &st) < 0 || fchownat(to, ".", st.st_uid, st.st_gid, 0) < 0 ||
			      fchmodat(to, ".", st.st_mode & 07777, 0) < 0))
		r = error_errno(err, errno, "tmpcopyup: cannot copy a directory's attributes");
	return r;
}
