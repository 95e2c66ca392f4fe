/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/strbuf.h"

static int open_below(int root_fd, const char *path, int flags, unsigned long long resolve)
{
	struct open_how how = {
		.flags = (unsigned long long)(flags | O_CLOEXEC),
		.resolve = resolve,
	};
	long fd = -1;

	/* -EAGAIN: something was renamed while ".." of a symlink was followed. */
	for (int i = 0; i < 16; i++) {
		fd = syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

int tree_open(int root_fd, const char *path, int flags)
{
	return open_below(root_fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int tree_open_nolinks(int root_fd, const char *path, int flags)
{
	return open_below(root_fd, path, flags,
		RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

bool tree_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* One level of the walk of tree_remove, kept on the heap: a layer may nest deeper than a stack. */
struct level {
	DIR *dir;
	char *name; /* in the directory above */
};

struct walk {
	struct level *levels;
	size_t count, capacity;
};

/* Goes into name below dir_fd. */
static int descend(struct walk *w, int dir_fd, const char *name)
{
	DIR *dir = file_open_directory(dir_fd, name, O_NOFOLLOW);

	if (!dir)
		return -errno;
	array_grow(w->levels, w->count, w->capacity);
	w->levels[w->count++] = (struct level){ dir, xstrdup(name) };
	return 0;
}

/* Leaves the innermost directory, which is empty now, and removes it. */
static int ascend(struct walk *w, int dir_fd)
{
	struct level *level = &w->levels[--w->count];
	int above = w->count ? dirfd(w->levels[w->count - 1].dir) : dir_fd, r = 0;

	closedir(level->dir);
	if (unlinkat(above, level->name, AT_REMOVEDIR) < 0)
		r = -errno;
	free(level->name);
	return r;
}

static int remove_entry(struct walk *w, int fd, const char *name)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* unlink says EISDIR on Linux, EPERM by POSIX. */
	return errno == EISDIR || errno == EPERM ? descend(w, fd, name) : -errno;
}

static int remove_below(struct walk *w, int dir_fd)
{
	int r = 0;

	while (r == 0 && w->count) {
		DIR *dir = w->levels[w->count - 1].dir;
		struct dirent *d;

		errno = 0;
		d = readdir(dir);
		r = d ? remove_entry(w, dirfd(dir), d->d_name) : errno ? -errno : ascend(w, dir_fd);
	}
	return r;
}

int tree_remove(int dir_fd, const char *name)
{
	struct walk w = { 0 };
	int r = remove_entry(&w, dir_fd, name);

	if (r == 0)
		r = remove_below(&w, dir_fd);
	while (w.count) {
		w.count--;
		closedir(w.levels[w.count].dir);
		free(w.levels[w.count].name);
	}
	free(w.levels);
	return r;
}

char *tree_join(const char *directory, const char *path)
{
	_cleanup_free_ char *joined =
		*path == '/' ? xstrdup(path) : xasprintf("%s/%s", directory, path);
	struct strbuf out = { 0 };

	for (const char *p = joined; *p;) {
		size_t length = strcspn(p, "/");

		if (length == 2 && !strncmp(p, "..", 2)) {
			char *slash = out.text ? strrchr(out.text, '/') : NULL;

			out.length = slash ? (size_t)(slash - out.text) : 0;
			if (out.text)
				out.text[out.length] = '\0';
		} else if (length && !(length == 1 && *p == '.')) {
			if (out.length)
				strbuf_putc(&out, '/');
			strbuf_add(&out, p, length);
		}
		p += length + (p[length] == '/');
	}
	return strbuf_steal(&out);
}
