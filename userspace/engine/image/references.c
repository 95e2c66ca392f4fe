/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/references.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/image/document.h"
#include "engine/image/image_history.h"
#include "engine/image/record.h"
#include "engine/image/reference.h"
#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/map.h"
#include "util/strbuf.h"

enum { REFERENCES_LIMIT = 16 << 20, RECORD_LIMIT = 16 << 20 };

static int load(struct store *store, struct json_object **ret, struct error *err)
{
	int r = document_read(store_root_fd(store), "references.json", REFERENCES_LIMIT, ret, err);

	if (r < 0 && r != -ENOENT) {
		error_prefix(err, "image store %s", store_root(store));
		return r;
	}
	if (r == -ENOENT)
		*ret = json_object_new_object();
	if (!document_array(*ret, "references")) {
		json_object_object_add(*ret, "schema", json_object_new_int(1));
		json_object_object_add(*ret, "references", json_object_new_array());
	}
	return 0;
}

static int save(struct store *store, struct json_object *references, struct error *err)
{
	return document_write(store_root_fd(store), "references.json", references, err);
}

static bool entry_is(struct json_object *entry, const char *key, const char *value)
{
	return !strcmp(document_string(entry, key, ""), value);
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *new_entry(const struct reference_entry *e)
{
	struct json_object *entry = json_object_new_object();

	add_string(entry, "reference", e->reference);
	add_string(entry, "platform", e->platform);
	add_string(entry, "id", e->id);
	add_string(entry, "digest", e->digest);
	add_string(entry, "stamp", e->stamp);
	return entry;
}

/* platform NULL: of every one. */
static void forget(struct json_object *list, const char *reference, const char *platform)
{
	for (size_t i = json_object_array_length(list); i-- > 0;) {
		struct json_object *old = json_object_array_get_idx(list, i);

		if (entry_is(old, "reference", reference) && (!platform || entry_is(old, "platform", platform)))
			json_object_array_del_idx(list, i, 1);
	}
}

int references_set(struct store *store, const struct reference_entry *e, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *references = NULL;
	struct json_object *list;
	int r = load(store, &references, err);

	if (r < 0)
		return r;
	list = document_array(references, "references");
	forget(list, e->reference, e->platform);
	json_object_array_add(list, new_entry(e));
	return save(store, references, err);
}

/* ---- one more name ---- */

/* A digest is one of its repository's: of another, nobody has ever asked for it. */
static bool same_repository(const struct reference *a, const char *other)
{
	struct reference b;
	bool same;

	if (reference_parse(other, &b, NULL) < 0)
		return false;
	same = !strcmp(a->domain, b.domain) && !strcmp(a->path, b.path);
	reference_free(&b);
	return same;
}

/* The entries of the source, all its platforms, by another name. */
static struct json_object *renamed_entries(struct json_object *list, const struct store_image *source, const struct reference *target,
	const char *name)
{
	struct json_object *renamed = json_object_new_array();

	if (!*source->reference)
		json_object_array_add(renamed, new_entry(&(struct reference_entry){ name, source->platform, source->id, "", "" }));
	for (size_t i = 0; *source->reference && i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		bool same = same_repository(target, source->reference);

		if (entry_is(entry, "reference", source->reference))
			json_object_array_add(renamed, new_entry(&(struct reference_entry){ name, document_string(entry, "platform", ""),
				document_string(entry, "id", ""), same ? document_string(entry, "digest", "") : "", "" }));
	}
	return renamed;
}

static int tag_locked(struct store *store, const char *key, const struct reference *target, struct error *err)
{
	_cleanup_(store_image_free) struct store_image source = { 0 };
	_cleanup_(cleanup_json) struct json_object *references = NULL, *renamed = NULL;
	_cleanup_free_ char *name = reference_canonical(target);
	struct json_object *list;
	int r = store_find(store, key, NULL, &source, err);

	if (r == 0)
		r = load(store, &references, err);
	if (r < 0)
		return r;
	list = document_array(references, "references");
	renamed = renamed_entries(list, &source, target, name);
	forget(list, name, NULL);
	for (size_t i = 0; i < json_object_array_length(renamed); i++)
		json_object_array_add(list, json_object_get(json_object_array_get_idx(renamed, i)));
	return save(store, references, err);
}

int references_tag(struct store *store, const char *key, const char *target, struct error *err)
{
	struct reference ref;
	int r = reference_parse(target, &ref, err);

	if (r < 0)
		return r;
	r = ref.digest ? error_set(err, EINVAL, "%s: a name that is given cannot have a digest", target) : store_lock(store, true, err);
	if (r == 0) {
		r = tag_locked(store, key, &ref, err);
		store_unlock(store);
	}
	reference_free(&ref);
	return r;
}

/* ---- collection ---- */

/* Adds the layers of one image's record to the set of those that are needed. */
static int note_layers(struct store *store, const char *name, struct map *needed, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *record = NULL;
	_cleanup_free_ char *path = xasprintf("images/%s", name);
	struct json_object *layers;
	int r = document_read(store_root_fd(store), path, RECORD_LIMIT, &record, err);

	if (r < 0)
		return r;
	layers = document_array(record, "layers");
	for (size_t i = 0; layers && i < json_object_array_length(layers); i++) {
		const char *chain = document_item(layers, i);

		if (chain)
			map_put(needed, chain, strlen(chain), needed);
	}
	return 0;
}

static int needed_layers(struct store *store, struct map *needed, struct error *err)
{
	_cleanup_closedir_ DIR *dir = file_open_directory(store_root_fd(store), "images", 0);
	struct dirent *d;
	int r = 0;

	if (!dir)
		return error_errno(err, errno, "cannot open %s/images", store_root(store));
	while (r == 0 && (d = readdir(dir)))
		if (str_ends(d->d_name, ".json"))
			r = note_layers(store, d->d_name, needed, err);
	return r;
}

/* Moves layers that no image needs into tmp/, from where they are removed without the lock. */
static int detach_layers(struct store *store, references_told *tell, void *arg, struct error *err)
{
	struct map needed = { 0 };
	int r = needed_layers(store, &needed, err);
	_cleanup_closedir_ DIR *dir = r < 0 ? NULL : file_open_directory(store_root_fd(store), "layers", 0);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		_cleanup_free_ char *from = xasprintf("layers/%s", d->d_name);
		_cleanup_free_ char *to = xasprintf("tmp/dead-%s", d->d_name);
		_cleanup_free_ char *told = xasprintf("sha256:%s", d->d_name);

		if (d->d_name[0] == '.' || map_get(&needed, d->d_name, strlen(d->d_name)))
			continue;
		if (renameat(store_root_fd(store), from, store_root_fd(store), to) == 0 && tell)
			tell(arg, "Deleted", told);
	}
	map_free(&needed);
	return r;
}

/* A staging directory whose lock can be had has lost its owner. Its new name keeps others from trying
 * too. */
static void detach_leftovers(struct store *store)
{
	_cleanup_closedir_ DIR *dir = file_open_directory(store_root_fd(store), "tmp", 0);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		_cleanup_close_ int fd = -1;
		_cleanup_free_ char *dead = xasprintf("dead-%s", d->d_name);

		if (d->d_name[0] == '.' || str_starts(d->d_name, "dead-"))
			continue;
		fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			renameat(dirfd(dir), d->d_name, dirfd(dir), dead);
	}
}

static void remove_dead(struct store *store)
{
	_cleanup_closedir_ DIR *dir = file_open_directory(store_root_fd(store), "tmp", 0);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (str_starts(d->d_name, "dead-"))
			tree_remove(dirfd(dir), d->d_name);
}

int store_collect(struct store *store, struct error *err)
{
	int r = store_lock(store, true, err);

	if (r < 0)
		return r;
	detach_leftovers(store);
	r = detach_layers(store, NULL, NULL, err);
	store_unlock(store);
	remove_dead(store);
	return r;
}

/* ---- removal ---- */

static size_t count_references(struct json_object *list, const char *id)
{
	size_t count = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		count += entry_is(json_object_array_get_idx(list, i), "id", id);
	return count;
}

/* Drops the entries that key stands for and tells about them. by_id: all of the image's. */
static void drop_entries(struct json_object *list, const struct store_image *image, bool by_id,
	references_told *tell, void *arg)
{
	for (size_t i = json_object_array_length(list); i-- > 0;) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		if (!entry_is(entry, "id", image->id) ||
			(!by_id && !entry_is(entry, "reference", image->reference)))
			continue;
		tell(arg, "Untagged", document_string(entry, "reference", ""));
		json_object_array_del_idx(list, i, 1);
	}
}

static int check_holders(struct store *store, const struct store_image *image, const char *key,
	struct error *err)
{
	char **holders = NULL;
	int r = store_holders(store, image->id, &holders, err);

	if (r == 0 && *holders)
		r = error_set(err, EBUSY, "cannot remove %s: container %.12s uses its image %.12s", key,
			*holders, image->id + strlen("sha256:"));
	store_strings_free(holders);
	return r;
}

static int remove_locked(struct store *store, const char *key, bool force, references_told *tell,
	void *arg, struct error *err)
{
	_cleanup_(store_image_free) struct store_image image = { 0 };
	_cleanup_(cleanup_json) struct json_object *references = NULL;
	_cleanup_free_ char *path = NULL;
	struct json_object *list;
	bool by_id, last;
	size_t count;
	int r = store_find(store, key, NULL, &image, err);

	if (r == 0)
		r = load(store, &references, err);
	if (r < 0)
		return r;
	list = document_array(references, "references");
	count = count_references(list, image.id);
	by_id = !*image.reference;
	if (by_id && count > 1 && !force)
		return error_set(err, EBUSY, "cannot remove %s: %zu references name it; remove them one "
			"by one, or use --force", key, count);
	last = by_id || count <= 1;
	r = last ? check_holders(store, &image, key, err) : 0;
	if (r < 0)
		return r;
	drop_entries(list, &image, by_id, tell, arg);
	r = save(store, references, err);
	if (r < 0 || !last)
		return r;
	path = record_path(image.id);
	if (unlinkat(store_root_fd(store), path, 0) < 0)
		return error_errno(err, errno, "cannot remove %s/%s", store_root(store), path);
	image_history_remove(store, image.id);
	tell(arg, "Deleted", image.id);
	return detach_layers(store, tell, arg, err);
}

int references_remove(struct store *store, const char *key, bool force, references_told *tell,
	void *arg, struct error *err)
{
	int r = store_lock(store, true, err);

	if (r < 0)
		return r;
	r = remove_locked(store, key, force, tell, arg, err);
	store_unlock(store);
	remove_dead(store);
	return r;
}
