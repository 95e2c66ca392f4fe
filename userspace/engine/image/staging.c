/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/image/document.h"
#include "engine/image/image_history.h"
#include "engine/image/record.h"
#include "engine/image/references.h"
#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static int make_staging(struct store *store, struct staging *s, struct error *err)
{
	unsigned char random[8] = { 0 };
	_cleanup_close_ int fd = -1;
	size_t used = strlen("tmp/");

	if (getrandom(random, sizeof(random), 0) < 0)
		return error_errno(err, errno, "cannot get random bytes");
	memcpy(s->name, "tmp/", used);
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(s->name + used + 2 * i, 3, "%02x", random[i]);
	if (mkdirat(store_root_fd(store), s->name, 0700) < 0)
		return error_errno(err, errno, "cannot make %s/%s", store_root(store), s->name);
	fd = openat(store_root_fd(store), s->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_errno(err, errno, "cannot lock %s/%s", store_root(store), s->name);
	s->store = store;
	s->fd = steal_fd(&fd);
	return 0;
}

int staging_begin(struct store *store, struct staging *ret, struct error *err)
{
	struct staging s = { .fd = -1 };
	int r = store_lock(store, false, err);

	/* Between mkdir and flock, store_collect (exclusive) must not take it for a leftover. */
	if (r < 0)
		return r;
	r = make_staging(store, &s, err);
	store_unlock(store);
	if (r == 0)
		*ret = s;
	return r;
}

void staging_end(struct staging *s)
{
	if (!s->store)
		return;
	tree_remove(store_root_fd(s->store), s->name);
	cleanup_close(&s->fd);
	s->store = NULL;
}

int staging_directory(struct staging *s, const char *name, struct error *err)
{
	int fd;

	if (mkdirat(s->fd, name, 0755) < 0)
		return error_errno(err, errno, "cannot make %s/%s/%s", store_root(s->store), s->name,
			name);
	fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "cannot open %s/%s/%s", store_root(s->store), s->name,
				name) : fd;
}

int staging_layer(struct staging *s, size_t i, struct error *err)
{
	char name[48];
	int fd;

	snprintf(name, sizeof(name), "layer%zu", i);
	fd = staging_directory(s, name, err);
	if (fd < 0)
		return fd;
	close(fd);
	snprintf(name, sizeof(name), "layer%zu/diff", i);
	return staging_directory(s, name, err);
}

bool staging_has_layer(struct store *store, const char *chain)
{
	_cleanup_free_ char *path = xasprintf("layers/%s/diff", chain);

	return faccessat(store_root_fd(store), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- implied directories ---- */

static int open_diff(struct staging *s, const struct staged_image *image, size_t i)
{
	_cleanup_free_ char *path = image->fresh[i] ?
		xasprintf("%s/layer%zu/diff", s->name, i) : xasprintf("layers/%s/diff", image->chains[i]);

	return openat(store_root_fd(s->store), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void copy_xattrs(int from, int to)
{
	char names[4096], value[4096];
	ssize_t length = flistxattr(from, names, sizeof(names));

	for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
		ssize_t size;

		if (str_starts(name, "trusted.overlay."))
			continue;
		size = fgetxattr(from, name, value, sizeof(value));
		if (size >= 0)
			fsetxattr(to, name, value, (size_t)size, 0);
	}
}

static int copy_metadata(int from, int to)
{
	struct timespec times[2];
	struct stat st;

	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
		fchmod(to, st.st_mode & 07777) < 0)
		return -errno;
	copy_xattrs(from, to);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return futimens(to, times) < 0 ? -errno : 0;
}

/* The nearest layer below that has the directory decides. */
static int settle_directory(struct staging *s, const struct staged_image *image, size_t layer, int diff,
	const char *path)
{
	_cleanup_close_ int to = tree_open_nolinks(diff, path, O_RDONLY | O_DIRECTORY);

	if (to < 0)
		return 0; /* a later entry replaced it */
	for (size_t i = layer; i-- > 0;) {
		_cleanup_close_ int below = open_diff(s, image, i), from = -1;

		if (below < 0)
			return -errno;
		from = tree_open_nolinks(below, path, O_RDONLY | O_DIRECTORY);
		if (from >= 0)
			return copy_metadata(from, to);
		if (from != -ENOENT)
			return 0; /* a whiteout, a file or a link: the directory is new here */
	}
	return 0;
}

int staging_settle(struct staging *s, const struct staged_image *image, struct error *err)
{
	for (size_t i = 0; i < image->count; i++) {
		_cleanup_close_ int diff = -1;

		if (!image->fresh[i] || !image->unpacked[i].implied_count)
			continue;
		diff = open_diff(s, image, i);
		for (size_t n = 0; diff >= 0 && n < image->unpacked[i].implied_count; n++) {
			const char *path = image->unpacked[i].implied[n];
			int r = settle_directory(s, image, i, diff, path);

			if (r < 0)
				return error_errno(err, -r, "cannot set the mode of \"%s\"", path);
		}
	}
	return 0;
}

/* ---- commit ---- */

/* A layer's size is kept beside it, so that images which share it need not count its files. */
static int write_size(struct staging *s, size_t i, uint64_t bytes, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = json_object_new_object();
	char name[48];

	snprintf(name, sizeof(name), "layer%zu/layer.json", i);
	json_object_object_add(object, "size", json_object_new_int64((int64_t)bytes));
	return document_write(s->fd, name, object, err);
}

static int place_layer(struct staging *s, const struct staged_image *image, size_t i, struct error *err)
{
	_cleanup_free_ char *to = xasprintf("layers/%s", image->chains[i]);
	char from[48];
	int r;

	if (staging_has_layer(s->store, image->chains[i]))
		return 0;
	if (!image->fresh[i])
		return error_set(err, ESTALE, "layer %s was removed during the pull", image->chains[i]);
	r = write_size(s, i, image->unpacked[i].bytes, err);
	if (r < 0)
		return r;
	snprintf(from, sizeof(from), "layer%zu", i);
	if (renameat(s->fd, from, store_root_fd(s->store), to) < 0)
		return error_errno(err, errno, "cannot move a layer to %s/%s", store_root(s->store), to);
	return 0;
}

static int write_record(struct staging *s, const struct staged_image *image, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *record = NULL;
	_cleanup_free_ char *path = record_path(image->plan->id);
	const struct image_config *config = &image->plan->config;
	uint64_t size = 0;
	char platform[100];
	int r;

	for (size_t i = 0; i < image->count; i++)
		size += image_history_layer_size(s->store, image->chains[i]);
	record = record_new(image->plan->id, platform_format(&config->platform, platform),
		config->created_s, size, image->chains, image->count, json_object_get(config->config));
	r = image_history_write(s->store, image->plan->id, config->history, config->diff_ids, err);
	return r == 0 ? document_write(store_root_fd(s->store), path, record, err) : r;
}

/* A name that stands for the image already stays as it is: it may have a digest, by which a registry knows it. */
static int set_names(struct staging *s, const struct staged_image *image, const char *platform, struct error *err)
{
	int r = 0;

	for (char *const *name = image->names; r == 0 && *name; name++) {
		_cleanup_(store_image_free) struct store_image old = { 0 };

		if (store_find(s->store, *name, platform, &old, NULL) == 0 && !strcmp(old.id, image->plan->id))
			continue;
		r = references_set(s->store, &(struct reference_entry){ .reference = *name, .platform = platform,
			.id = image->plan->id, .digest = "", .stamp = "" }, err);
	}
	return r;
}

static int commit_locked(struct staging *s, const struct staged_image *image, struct error *err)
{
	_cleanup_free_ char *stamp = source_stamp(image->source);
	char platform[100];
	int r = 0;

	for (size_t i = 0; r == 0 && i < image->count; i++)
		r = place_layer(s, image, i, err);
	if (r == 0)
		r = write_record(s, image, err);
	if (r < 0)
		return r;
	platform_format(&image->plan->config.platform, platform);
	if (image->names)
		return set_names(s, image, platform, err);
	return references_set(s->store,
		&(struct reference_entry){ .reference = image->source->key, .platform = platform,
			.id = image->plan->id, .digest = image->plan->digest, .stamp = stamp }, err);
}

int staging_commit(struct staging *s, const struct staged_image *image, struct error *err)
{
	int r = store_lock(s->store, true, err);

	if (r < 0)
		return r;
	r = commit_locked(s, image, err);
	store_unlock(s->store);
	return r;
}
