/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/image/document.h"
#include "engine/image/platform.h"
#include "engine/image/record.h"
#include "engine/image/source.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/strbuf.h"

struct store {
	char *root;
	int fd, lock_fd;
};

enum { INDEX_LIMIT = 16 << 20, HOLDERS_MAX = 65536, ID_PREFIX_MIN = 3 };

static char *default_root(void)
{
	const char *base = getenv("CTRACE_ROOT");

	if (base && *base)
		return xstrdup(base);
	if (geteuid() == 0)
		return xstrdup("/var/lib/ctrace");
	base = getenv("XDG_DATA_HOME");
	if (base && *base == '/')
		return xasprintf("%s/ctrace", base);
	base = getenv("HOME");
	return xasprintf("%s/.local/share/ctrace", base && *base ? base : "/nonexistent");
}

/* mkdir -p; layers hold setuid files of any origin, so only the owner may pass the root. */
static int make_root(const char *path, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(path);

	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, c ? 0755 : 0700) < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot make the image store %s", path);
		*p = c;
		if (!c)
			return 0;
	}
}

static int make_directories(const struct store *store, struct error *err)
{
	static const char *const names[] = { "images", "layers", "holds", "tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdirat(store->fd, names[i], 0700) < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot make %s/%s", store->root, names[i]);
	return 0;
}

static int open_root(struct store *store, const char *path, struct error *err)
{
	int r = make_root(path, err);

	if (r < 0)
		return r;
	store->root = realpath(path, NULL);
	store->fd = store->root ? open(store->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (store->fd < 0)
		return error_errno(err, errno, "cannot open the image store %s", path);
	r = make_directories(store, err);
	if (r < 0)
		return r;
	store->lock_fd = openat(store->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock_fd < 0)
		return error_errno(err, errno, "cannot open %s/lock", store->root);
	return 0;
}

int store_open(const char *root, struct store **ret_store, struct error *err)
{
	_cleanup_free_ char *path = root ? xstrdup(root) : default_root();
	struct store *store = xcalloc(1, sizeof(*store));
	int r;

	store->fd = store->lock_fd = -1;
	r = open_root(store, path, err);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	cleanup_close(&store->fd);
	cleanup_close(&store->lock_fd);
	free(store->root);
	free(store);
}

void cleanup_store(struct store **store)
{
	store_close(*store);
}

const char *store_root(const struct store *store)
{
	return store->root;
}

int store_root_fd(const struct store *store)
{
	return store->fd;
}

int store_lock(struct store *store, bool exclusive, struct error *err)
{
	while (flock(store->lock_fd, exclusive ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "cannot lock %s/lock", store->root);
	return 0;
}

void store_unlock(struct store *store)
{
	flock(store->lock_fd, LOCK_UN);
}

/* ---- lookup ---- */

static int read_references(struct store *store, struct json_object **ret, struct error *err)
{
	int r = document_read(store->fd, "references.json", INDEX_LIMIT, ret, err);

	if (r == -ENOENT) {
		*ret = json_object_new_object();
		return 0;
	}
	if (r < 0)
		error_prefix(err, "image store %s", store->root);
	return r;
}

static bool same_repository(const char *reference, const struct reference *wanted)
{
	_cleanup_free_ char *name = xasprintf("%s/%s", wanted->domain, wanted->path);
	size_t length = strlen(name);

	return str_starts(reference, name) && (reference[length] == ':' || reference[length] == '@');
}

static bool entry_matches(struct json_object *entry, const struct source *source)
{
	const char *reference = document_string(entry, "reference", "");

	if (!strcmp(reference, source->key))
		return true;
	return source->kind == SOURCE_REGISTRY && source->reference.digest &&
	       !strcmp(document_string(entry, "digest", ""), source->reference.digest) &&
	       same_repository(reference, &source->reference);
}

/* A wish that was spoken must be met; the host's own platform is only preferred. */
static int entry_score(struct json_object *entry, const struct platform *wish, bool must)
{
	struct platform offer;
	int score;

	if (platform_parse(document_string(entry, "platform", "none/none"), &offer, NULL) < 0)
		return must ? 0 : 1;
	score = platform_match(wish, &offer);
	return score ? score + 1 : must ? 0 : 1;
}

static struct json_object *find_entry(struct json_object *references, const struct source *source,
	const struct platform *wish, bool must)
{
	struct json_object *list = document_array(references, "references"), *best = NULL;
	_cleanup_free_ char *stamp = source_stamp(source);
	int best_score = 0;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		int score;

		if (!entry_matches(entry, source) ||
			strcmp(document_string(entry, "stamp", ""), stamp) != 0)
			continue;
		score = entry_score(entry, wish, must);
		if (score > best_score) {
			best_score = score;
			best = entry;
		}
	}
	return best;
}

static int load_entry(struct store *store, const char *id, struct json_object *entry,
	struct store_image *ret_image, struct error *err)
{
	int r = record_load(store, id, ret_image, err);

	if (r < 0)
		return r;
	ret_image->reference = xstrdup(entry ? document_string(entry, "reference", "") : "");
	ret_image->digest = xstrdup(entry ? document_string(entry, "digest", "") : "");
	return 0;
}

/* Hex digits of an id or of a prefix of one, or NULL when the key is neither. */
static const char *id_prefix(const char *key)
{
	const char *hex = str_starts(key, "sha256:") ? key + 7 : key;
	size_t length = strlen(hex);

	return length >= ID_PREFIX_MIN && length <= 64 &&
			strspn(hex, "0123456789abcdef") == length ? hex : NULL;
}

static int find_by_id(struct store *store, const char *key, char **ret_id, struct error *err)
{
	const char *prefix = id_prefix(key);
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ char *found = NULL;
	struct dirent *d;

	if (!prefix)
		return -ENOENT;
	dir = file_open_directory(store->fd, "images", 0);
	if (!dir)
		return error_errno(err, errno, "cannot open %s/images", store->root);
	while ((d = readdir(dir))) {
		if (!str_starts(d->d_name, prefix) || !str_ends(d->d_name, ".json"))
			continue;
		if (found)
			return error_set(err, EINVAL,
				"image id \"%s\" is ambiguous: give more digits", key);
		found = xasprintf("sha256:%.*s", (int)strlen(d->d_name) - 5, d->d_name);
	}
	if (!found)
		return -ENOENT;
	*ret_id = steal_ptr(found);
	return 0;
}

/* The id of the image that key names; *ret_entry is the reference's entry, NULL when found by id. */
static int resolve(struct store *store, const char *key, const char *platform,
	struct json_object *references, char **ret_id, struct json_object **ret_entry,
	struct error *err)
{
	_cleanup_(source_free) struct source source = { 0 };
	struct platform wish;
	struct error problem = { 0 };
	int r, parsed;

	r = platform_parse(platform, &wish, err);
	if (r < 0)
		return r;
	parsed = source_parse(key, &source, &problem);
	*ret_entry = parsed < 0 ? NULL : find_entry(references, &source, &wish, platform != NULL);
	if (*ret_entry) {
		*ret_id = xstrdup(document_string(*ret_entry, "id", ""));
		return 0;
	}
	r = find_by_id(store, key, ret_id, err);
	if (r != -ENOENT)
		return r;
	if (parsed == -EINVAL && !id_prefix(key)) {
		if (err)
			*err = problem;
		return parsed;
	}
	return error_set(err, ENOENT, "no such image: %s", key);
}

int store_find(struct store *store, const char *key, const char *platform,
	struct store_image *ret_image, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *references = NULL;
	_cleanup_free_ char *id = NULL;
	struct json_object *entry;
	int r = read_references(store, &references, err);

	if (r == 0)
		r = resolve(store, key, platform, references, &id, &entry, err);
	return r < 0 ? r : load_entry(store, id, entry, ret_image, err);
}

/* ---- list ---- */

struct listing {
	struct store_image *images;
	size_t count, capacity;
};

static void add_image(struct listing *l, struct store *store, const char *id,
	struct json_object *entry)
{
	array_grow(l->images, l->count, l->capacity);
	/* An image that another ctrace removes meanwhile is simply not listed. */
	if (load_entry(store, id, entry, &l->images[l->count], NULL) == 0)
		l->count++;
}

static bool is_listed(const struct listing *l, const char *id)
{
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->images[i].id, id))
			return true;
	return false;
}

static int add_unreferenced(struct listing *l, struct store *store, struct error *err)
{
	_cleanup_closedir_ DIR *dir = file_open_directory(store->fd, "images", 0);
	struct dirent *d;

	if (!dir)
		return error_errno(err, errno, "cannot open %s/images", store->root);
	while ((d = readdir(dir))) {
		_cleanup_free_ char *id = NULL;

		if (strlen(d->d_name) != 69 || !str_ends(d->d_name, ".json"))
			continue;
		id = xasprintf("sha256:%.64s", d->d_name);
		if (!is_listed(l, id))
			add_image(l, store, id, NULL);
	}
	return 0;
}

static int compare_images(const void *a, const void *b)
{
	const struct store_image *x = a, *y = b;

	if (x->created_s != y->created_s)
		return x->created_s > y->created_s ? -1 : 1;
	if (strcmp(x->reference, y->reference) != 0)
		return strcmp(x->reference, y->reference);
	return strcmp(x->id, y->id);
}

int store_list(struct store *store, struct store_image **ret_images, size_t *ret_count,
	struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *references = NULL;
	struct listing l = { 0 };
	struct json_object *list;
	int r = read_references(store, &references, err);

	if (r < 0)
		return r;
	list = document_array(references, "references");
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		add_image(&l, store, document_string(entry, "id", ""), entry);
	}
	r = add_unreferenced(&l, store, err);
	if (r < 0) {
		store_images_free(l.images, l.count);
		return r;
	}
	if (l.count)
		qsort(l.images, l.count, sizeof(*l.images), compare_images);
	*ret_images = l.images;
	*ret_count = l.count;
	return 0;
}

/* ---- holds ---- */

static int hold_path(const char *image_id, const char *container_id, char **ret, struct error *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(container_id);

	if (!str_starts(image_id, "sha256:") || !digest_valid(image_id))
		return error_set(err, EINVAL, "\"%s\" is no image id", image_id);
	if (!length || length > 200 || strspn(container_id, allowed) != length || *container_id == '.')
		return error_set(err, EINVAL, "\"%s\" is no container id", container_id);
	*ret = xasprintf("holds/%s/%s", image_id + 7, container_id);
	return 0;
}

static int make_hold(struct store *store, const char *image_id, const char *path, struct error *err)
{
	_cleanup_free_ char *record = record_path(image_id);
	_cleanup_free_ char *dir = xstrndup(path, strlen("holds/") + 64);
	_cleanup_close_ int fd = -1;

	if (faccessat(store->fd, record, F_OK, 0) < 0)
		return error_set(err, ENOENT, "image %s has been removed", image_id);
	if (mkdirat(store->fd, dir, 0700) < 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make %s/%s", store->root, dir);
	fd = openat(store->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? error_errno(err, errno, "cannot make %s/%s", store->root, path) : 0;
}

int store_hold(struct store *store, const char *image_id, const char *container_id,
	struct error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = hold_path(image_id, container_id, &path, err);

	if (r == 0)
		r = store_lock(store, false, err);
	if (r < 0)
		return r;
	r = make_hold(store, image_id, path, err);
	store_unlock(store);
	return r;
}

int store_release(struct store *store, const char *image_id, const char *container_id,
	struct error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = hold_path(image_id, container_id, &path, err);

	if (r < 0)
		return r;
	if (unlinkat(store->fd, path, 0) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot remove %s/%s", store->root, path);
	*strrchr(path, '/') = '\0';
	unlinkat(store->fd, path, AT_REMOVEDIR); /* succeeds for the last one only */
	return 0;
}

int store_holders(struct store *store, const char *image_id, char ***ret_containers,
	struct error *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_closedir_ DIR *dir = NULL;
	char **names = NULL;
	size_t count = 0, capacity = 0;
	struct dirent *d;
	int r = hold_path(image_id, "x", &path, err);

	if (r < 0)
		return r;
	*strrchr(path, '/') = '\0';
	dir = file_open_directory(store->fd, path, 0);
	while (dir && count < HOLDERS_MAX && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		array_grow(names, count, capacity);
		names[count++] = xstrdup(d->d_name);
	}
	array_grow(names, count, capacity);
	names[count] = NULL;
	*ret_containers = names;
	return 0;
}

void store_strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}
