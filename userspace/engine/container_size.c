/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_size.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/image/tree.h"
#include "engine/store.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/map.h"

struct walk {
	int root;
	struct string_list ahead; /* directories below the root that were not looked into yet */
	struct map seen;          /* numbers of files with several names */
	uint64_t bytes;
	size_t failed;            /* directories and files that could not be looked at */
	char *first;              /* of these, and why */
	int code;
};

/* The container may change it meanwhile: what is gone, or is no directory any more, is no failure. */
static void add_failure(struct walk *w, const char *path, const char *name, int code)
{
	if (code == ENOENT || code == ENOTDIR || code == ELOOP)
		return;
	if (w->failed++ == 0) {
		w->first = xasprintf("%s%s%s", path, *path && *name ? "/" : "", name);
		w->code = code;
	}
}

static void add_file(struct walk *w, const struct stat *st)
{
	if (st->st_nlink > 1) {
		if (map_get(&w->seen, &st->st_ino, sizeof(st->st_ino)))
			return;
		map_put(&w->seen, &st->st_ino, sizeof(st->st_ino), w);
	}
	w->bytes += (uint64_t)st->st_size;
}

static void look_at(struct walk *w, int dir, const char *path, const char *name)
{
	struct stat st;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		add_failure(w, path, name, errno);
	else if (S_ISDIR(st.st_mode))
		string_list_add(&w->ahead, xasprintf("%s%s%s", path, *path ? "/" : "", name));
	else
		add_file(w, &st);
}

/* Links are not followed. */
static void look_into(struct walk *w, const char *path)
{
	int fd = tree_open_nolinks(w->root, path, O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (fd < 0)
		add_failure(w, path, "", -fd);
	else if (!dir)
		close(fd);
	for (errno = 0; dir && (d = readdir(dir)); errno = 0)
		look_at(w, dirfd(dir), path, d->d_name);
	if (dir && errno)
		add_failure(w, path, "", errno);
}

int directory_size(const char *directory, uint64_t *ret, struct error *err)
{
	_cleanup_close_ int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walk w = { .root = root };

	if (root < 0)
		return error_errno(err, errno, "cannot open %s", directory);
	look_into(&w, "");
	while (w.ahead.count) {
		_cleanup_free_ char *path = w.ahead.items[--w.ahead.count];

		look_into(&w, path);
	}
	string_list_free(&w.ahead);
	map_free(&w.seen);
	*ret = w.bytes;
	if (w.failed)
		error_errno(err, w.code, "%zu of the files and directories below %s could not be looked at, the first of them %.64s%s",
			w.failed, directory, w.first, strlen(w.first) > 64 ? "..." : "");
	free(w.first);
	return w.failed ? -w.code : 0;
}

static uint64_t image_size(const struct state *s)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	_cleanup_(store_image_free) struct store_image image = { 0 };

	if (!state_has(s->image_id) || store_open(s->store_root, &store, NULL) < 0 ||
		store_find(store, s->image_id, NULL, &image, NULL) < 0)
		return 0;
	return image.size;
}

int container_size(const struct state *s, uint64_t *ret_own, uint64_t *ret_all, struct error *err)
{
	_cleanup_free_ char *upper = xasprintf("%s/upper", s->storage);
	int r;

	*ret_own = *ret_all = 0;
	if (!state_has(s->storage))
		return 0;
	r = directory_size(upper, ret_own, err);
	if (r == 0)
		*ret_all = *ret_own + image_size(s);
	return r;
}
