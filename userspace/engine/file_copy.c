/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/file_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"

enum { COPY_DEPTH_MAX = 512, XATTR_MAX = 65536, CHUNK = 1 << 20, LINK_MAX_BYTES = 4096 };

static int copy_attributes(int from, int to)
{
	_cleanup_free_ char *names = xmalloc(XATTR_MAX), *value = xmalloc(XATTR_MAX);
	ssize_t length = flistxattr(from, names, XATTR_MAX);

	for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
		ssize_t n;

		/* overlayfs keeps its own there */
		if (!strncmp(name, "trusted.", 8))
			continue;
		n = fgetxattr(from, name, value, XATTR_MAX);
		if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) < 0 && errno != EOPNOTSUPP)
			return -errno;
	}
	return 0;
}

/* Owner before mode and attributes: chown(2) takes setuid bits and capabilities away. */
static int copy_ownership(int from, int to, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r;

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_attributes(from, to);
	if (r == 0 && futimens(to, times) < 0)
		r = -errno;
	return r;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	_cleanup_close_ int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), to = -1;
	ssize_t n;

	if (from < 0)
		return -errno;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	while ((n = sendfile(to, from, NULL, CHUNK)) > 0)
		;
	return n < 0 ? -errno : copy_ownership(from, to, st);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char target[LINK_MAX_BYTES + 1];
	ssize_t n = readlinkat(from_dir, name, target, LINK_MAX_BYTES);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0 ||
		fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_node(int to_dir, const char *name, const struct stat *st)
{
	if (S_ISSOCK(st->st_mode))
		return 0;
	if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0 ||
		fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

static int copy_directory(int from, int to, int depth);

static int copy_child_directory(int from_dir, int to_dir, const char *name, const struct stat *st,
	int depth)
{
	_cleanup_close_ int from = -1, to = -1;
	int r;

	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0 || to < 0)
		return -errno;
	r = depth < COPY_DEPTH_MAX ? copy_directory(from, to, depth + 1) : -ELOOP;
	return r < 0 ? r : copy_ownership(from, to, st);
}

static int copy_entry(int from, int to, const char *name, int depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return copy_child_directory(from, to, name, &st, depth);
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, &st);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st);
	return copy_node(to, name, &st);
}

static int copy_directory(int from, int to, int depth)
{
	_cleanup_closedir_ DIR *dir = file_open_directory(from, ".", 0);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = copy_entry(from, to, entry->d_name, depth);
	}
	return r;
}

int file_copy_tree(int from, int to, struct error *err)
{
	struct stat st;
	int r = copy_directory(from, to, 0);

	if (r == 0)
		r = fstat(from, &st) < 0 ? -errno : copy_ownership(from, to, &st);
	return r < 0 ? error_errno(err, -r, "cannot copy a directory of the image") : 0;
}
