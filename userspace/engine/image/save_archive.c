/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/save_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/image/digest.h"
#include "engine/image/document.h"
#include "engine/image/image_history.h"
#include "engine/image/platform.h"
#include "engine/image/record.h"
#include "engine/image/reference.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/map.h"
#include "util/strbuf.h"
#include "util/string_list.h"

#define OCI "application/vnd.oci.image."

/* An image, and the names it is saved with: canonical, each with a tag. */
struct item {
	struct store_image image;
	struct string_list names;
};

struct blob {
	char digest[DIGEST_SIZE];
	uint64_t size;
};

struct saver {
	struct store *store;
	const char *platform;
	struct item *items;
	size_t count, capacity;
	struct archive *out;
	pack_write *write;
	void *arg;
	bool stopped;         /* write said stop */
	struct map layers;    /* path -> its struct blob: images share them */
	struct map written;   /* digests of the blobs that the archive has */
	struct json_object *manifest; /* what manifest.json will be */
	struct json_object *index;    /* the manifests of index.json */
	struct error *err;
};

/* ---- which images ---- */

static struct item *item_of(struct saver *s, struct store_image *image)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!strcmp(s->items[i].image.id, image->id)) {
			store_image_free(image);
			return &s->items[i];
		}
	}
	array_grow(s->items, s->count, s->capacity);
	s->items[s->count] = (struct item){ .image = *image };
	return &s->items[s->count++];
}

/* The tag is part of the name; what has a digest, or is a file's, gives the saved image none. */
static bool is_tagged_name(const char *reference)
{
	struct reference ref;
	bool tagged;

	if (!*reference || str_starts(reference, "oci:") || str_starts(reference, "docker-archive:") ||
		reference_parse(reference, &ref, NULL) < 0)
		return false;
	tagged = ref.tag != NULL;
	reference_free(&ref);
	return tagged;
}

static int add_image(struct saver *s, const char *key)
{
	struct store_image image = { 0 };
	_cleanup_free_ char *name = NULL;
	struct item *item;
	int r = store_find(s->store, key, s->platform, &image, s->err);

	if (r < 0)
		return r;
	name = xstrdup(image.reference);
	item = item_of(s, &image);
	if (is_tagged_name(name) && !string_list_has(&item->names, name))
		string_list_add(&item->names, steal_ptr(name));
	return 0;
}

/* "docker.io/library/app:" for "app"; NULL for a name that has a tag or a digest, and for what is no name. */
static char *repository_of(const char *key)
{
	const char *slash = strrchr(key, '/'), *last = slash ? slash + 1 : key;
	char *repository = NULL;
	struct reference ref;

	if (strpbrk(last, ":@") || reference_parse(key, &ref, NULL) < 0)
		return NULL;
	repository = xasprintf("%s/%s:", ref.domain, ref.path);
	reference_free(&ref);
	return repository;
}

/* A name without a tag means all that the repository has here; -ENOENT: there is none. */
static int add_repository(struct saver *s, const char *key)
{
	_cleanup_free_ char *repository = repository_of(key);
	_cleanup_(string_list_free) struct string_list found = { 0 };
	struct store_image *images = NULL;
	size_t count = 0;
	int r = repository ? store_list(s->store, &images, &count, s->err) : -ENOENT;

	for (size_t i = 0; i < count; i++) {
		if (str_starts(images[i].reference, repository) && !string_list_has(&found, images[i].reference))
			string_list_add(&found, xstrdup(images[i].reference));
	}
	store_images_free(images, count);
	if (r == 0 && !found.count)
		return -ENOENT;
	for (size_t i = 0; r == 0 && i < found.count; i++)
		r = add_image(s, found.items[i]);
	return r;
}

static int find_images(struct saver *s, char *const *keys, size_t count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		r = add_repository(s, keys[i]);
		if (r == -ENOENT)
			r = add_image(s, keys[i]);
	}
	return r;
}

/* ---- the archive ---- */

static la_ssize_t write_callback(struct archive *a, void *arg, const void *bytes, size_t length)
{
	struct saver *s = arg;
	int r = s->write(s->arg, bytes, length);

	if (r == 0)
		return (la_ssize_t)length;
	s->stopped = true;
	archive_set_error(a, -r, "stopped");
	return -1;
}

static int out_failed(struct saver *s)
{
	if (s->stopped)
		return error_set(s->err, ECANCELED, "nobody takes the archive any more");
	return error_set(s->err, EIO, "cannot write the archive: %s", archive_error_string(s->out));
}

static int begin_member(struct saver *s, const char *path, uint64_t size)
{
	struct archive_entry *entry = archive_entry_new();
	int status;

	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)size);
	archive_entry_set_mtime(entry, 0, 0); /* the same images, the same archive */
	status = archive_write_header(s->out, entry);
	archive_entry_free(entry);
	return status < ARCHIVE_WARN ? out_failed(s) : 0;
}

static int write_member(struct saver *s, const char *path, const void *bytes, size_t length)
{
	int r = begin_member(s, path, length);

	return r == 0 && archive_write_data(s->out, bytes, length) < 0 ? out_failed(s) : r;
}

static char *blob_path(const struct blob *b)
{
	return xasprintf("blobs/sha256/%s", b->digest + strlen("sha256:"));
}

/* True for the first time. */
static bool note_blob(struct saver *s, const struct blob *b)
{
	return !map_put(&s->written, b->digest, strlen(b->digest), s);
}

static int write_json_blob(struct saver *s, struct json_object *object, struct blob *ret)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	_cleanup_free_ char *path = NULL;

	ret->size = strlen(text);
	digest_bytes(NULL, text, ret->size, ret->digest);
	path = blob_path(ret);
	return note_blob(s, ret) ? write_member(s, path, text, ret->size) : 0;
}

/* ---- layers ---- */

/* What a packed layer is fed to: once to learn its size and digest, which its header needs, and once to write it. */
struct measure {
	struct digest digest;
	uint64_t size;
	struct saver *out; /* NULL: nothing is written */
};

static int take_bytes(void *arg, const void *bytes, size_t length)
{
	struct measure *m = arg;

	digest_update(&m->digest, bytes, length);
	m->size += length;
	return m->out && archive_write_data(m->out->out, bytes, length) < 0 ? -EIO : 0;
}

static int pass(struct saver *s, int fd, struct saver *out, struct blob *ret)
{
	struct measure m = { .out = out };
	int r;

	digest_start(&m.digest, NULL);
	r = pack_layer(fd, take_bytes, &m, s->err);
	if (r == 0)
		digest_finish(&m.digest, ret->digest);
	digest_free(&m.digest);
	ret->size = m.size;
	return r == -ECANCELED && out ? out_failed(s) : r;
}

/* Who removes a layer moves it away first: what is still in its place was whole all the time. */
static int check_in_place(struct saver *s, int fd, const char *path)
{
	struct stat ours, there;

	if (fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
		return 0;
	return error_set(s->err, ESTALE, "layer %s was removed meanwhile", path);
}

static int write_layer(struct saver *s, const char *path, struct blob *ret)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *name = NULL;
	struct blob again;
	int r;

	if (fd < 0)
		return error_errno(s->err, errno, "cannot open layer %s", path);
	r = pass(s, fd, NULL, ret);
	if (r < 0 || !note_blob(s, ret))
		return r;
	name = blob_path(ret);
	r = begin_member(s, name, ret->size);
	if (r == 0)
		r = pass(s, fd, s, &again);
	if (r == 0 && strcmp(again.digest, ret->digest) != 0)
		r = error_set(s->err, ESTALE, "layer %s changed while it was read", path);
	return r == 0 ? check_in_place(s, fd, path) : r;
}

static int save_layer(struct saver *s, const char *path, const struct blob **ret)
{
	struct blob *b = map_get(&s->layers, path, strlen(path));
	int r;

	if (!b) {
		b = xcalloc(1, sizeof(*b));
		r = write_layer(s, path, b);
		if (r < 0) {
			free(b);
			return r;
		}
		map_put(&s->layers, path, strlen(path), b);
	}
	*ret = b;
	return 0;
}

/* ---- documents ---- */

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *descriptor(const char *media_type, const struct blob *b)
{
	struct json_object *object = json_object_new_object();

	add_string(object, "mediaType", media_type);
	add_string(object, "digest", b->digest);
	json_object_object_add(object, "size", json_object_new_int64((int64_t)b->size));
	return object;
}

static void add_created(struct json_object *config, int64_t created_s)
{
	time_t seconds = (time_t)created_s;
	char text[32];
	struct tm tm;

	if (created_s && gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		add_string(config, "created", text);
}

/* diff_ids: this takes them. */
static int make_config(struct saver *s, const struct store_image *image, struct json_object *diff_ids, struct json_object **ret)
{
	struct json_object *config = json_object_new_object(), *rootfs = json_object_new_object();
	struct json_object *kept = NULL, *history = image_history_list(s->store, image->id);
	struct platform platform;
	int r = platform_parse(image->platform, &platform, s->err);

	add_string(rootfs, "type", "layers");
	json_object_object_add(rootfs, "diff_ids", diff_ids);
	json_object_object_add(config, "rootfs", rootfs);
	if (history)
		json_object_object_add(config, "history", history);
	if (r == 0)
		r = record_config(s->store, image->id, &kept, s->err);
	if (r < 0) {
		json_object_put(config);
		return r;
	}
	add_string(config, "architecture", platform.architecture);
	add_string(config, "os", platform.os);
	if (*platform.variant)
		add_string(config, "variant", platform.variant);
	add_created(config, image->created_s);
	json_object_object_add(config, "config", kept);
	*ret = config;
	return 0;
}

/* The entry of manifest.json, docker's table of contents. layers: this takes it. */
static void list_for_docker(struct saver *s, const struct item *item, const struct blob *config, struct json_object *layers)
{
	struct json_object *entry = json_object_new_object(), *tags = item->names.count ? json_object_new_array() : NULL;
	_cleanup_free_ char *path = blob_path(config);

	for (size_t i = 0; i < item->names.count; i++) {
		struct reference ref;

		if (reference_parse(item->names.items[i], &ref, NULL) == 0) {
			_cleanup_free_ char *familiar = reference_familiar(&ref);

			json_object_array_add(tags, json_object_new_string(familiar));
			reference_free(&ref);
		}
	}
	add_string(entry, "Config", path);
	json_object_object_add(entry, "RepoTags", tags);
	json_object_object_add(entry, "Layers", layers);
	json_object_array_add(s->manifest, entry);
}

/* The entries of index.json: one per name, or one without. */
static void list_in_index(struct saver *s, const struct item *item, const struct blob *manifest)
{
	for (size_t i = 0; i == 0 || i < item->names.count; i++) {
		struct json_object *entry = descriptor(OCI "manifest.v1+json", manifest);

		if (item->names.count) {
			struct json_object *annotations = json_object_new_object();

			add_string(annotations, "io.containerd.image.name", item->names.items[i]);
			add_string(annotations, "org.opencontainers.image.ref.name", strrchr(item->names.items[i], ':') + 1);
			json_object_object_add(entry, "annotations", annotations);
		}
		json_object_array_add(s->index, entry);
	}
}

static struct json_object *new_document(const char *media_type)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "schemaVersion", json_object_new_int(2));
	add_string(object, "mediaType", media_type);
	return object;
}

/* The configuration and the manifest. The three lists are of the layers, lowest first; this takes them. */
static int save_documents(struct saver *s, const struct item *item, struct json_object *diff_ids, struct json_object *descriptors,
	struct json_object *paths)
{
	_cleanup_(cleanup_json) struct json_object *config = NULL, *manifest = new_document(OCI "manifest.v1+json");
	struct blob config_blob, manifest_blob;
	int r = make_config(s, &item->image, diff_ids, &config);

	if (r == 0)
		r = write_json_blob(s, config, &config_blob);
	if (r < 0) {
		json_object_put(descriptors);
		json_object_put(paths);
		return r;
	}
	json_object_object_add(manifest, "config", descriptor(OCI "config.v1+json", &config_blob));
	json_object_object_add(manifest, "layers", descriptors);
	list_for_docker(s, item, &config_blob, paths);
	r = write_json_blob(s, manifest, &manifest_blob);
	if (r == 0)
		list_in_index(s, item, &manifest_blob);
	return r;
}

static int save_image(struct saver *s, const struct item *item)
{
	struct json_object *diff_ids = json_object_new_array(), *descriptors = json_object_new_array();
	struct json_object *paths = json_object_new_array();
	int r = 0;

	for (size_t i = 0; r == 0 && i < item->image.layer_count; i++) {
		const struct blob *b;
		_cleanup_free_ char *path = NULL;

		r = save_layer(s, item->image.layers[i], &b);
		if (r < 0)
			break;
		path = blob_path(b);
		json_object_array_add(diff_ids, json_object_new_string(b->digest));
		json_object_array_add(descriptors, descriptor(OCI "layer.v1.tar", b));
		json_object_array_add(paths, json_object_new_string(path));
	}
	if (r == 0)
		return save_documents(s, item, diff_ids, descriptors, paths);
	json_object_put(diff_ids);
	json_object_put(descriptors);
	json_object_put(paths);
	return r;
}

static int write_document(struct saver *s, const char *path, struct json_object *object)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	return write_member(s, path, text, strlen(text));
}

static int write_contents_table(struct saver *s)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	_cleanup_(cleanup_json) struct json_object *index = new_document(OCI "index.v1+json");
	int r;

	json_object_object_add(index, "manifests", json_object_get(s->index));
	r = write_document(s, "index.json", index);
	if (r == 0)
		r = write_document(s, "manifest.json", s->manifest);
	return r == 0 ? write_member(s, "oci-layout", version, strlen(version)) : r;
}

static int write_archive(struct saver *s)
{
	int r = 0;

	s->out = archive_write_new();
	if (!s->out)
		return error_set(s->err, ENOMEM, "libarchive offers no writer");
	archive_write_set_format_pax_restricted(s->out);
	archive_write_set_bytes_in_last_block(s->out, 1);
	if (archive_write_open(s->out, s, NULL, write_callback, NULL) != ARCHIVE_OK)
		return out_failed(s);
	for (size_t i = 0; r == 0 && i < s->count; i++)
		r = save_image(s, &s->items[i]);
	if (r == 0)
		r = write_contents_table(s);
	if (r == 0 && archive_write_close(s->out) != ARCHIVE_OK)
		r = out_failed(s);
	if (r < 0) {
		s->stopped = true;
		archive_write_fail(s->out); /* no end mark: what was written is no whole archive */
	}
	return r;
}

int save_archive(struct store *store, char *const *keys, size_t count, const char *platform, pack_write *write, void *arg,
	struct error *err)
{
	struct saver s = { .store = store, .platform = platform, .write = write, .arg = arg, .err = err,
		.manifest = json_object_new_array(), .index = json_object_new_array() };
	int r = find_images(&s, keys, count);

	if (r == 0)
		r = write_archive(&s);
	archive_write_free(s.out);
	for (size_t i = 0; i < s.count; i++) {
		store_image_free(&s.items[i].image);
		string_list_free(&s.items[i].names);
	}
	free(s.items);
	for (size_t i = 0; i < s.layers.count; i++)
		free(s.layers.entries[i].value);
	map_free(&s.layers);
	map_free(&s.written);
	json_object_put(s.manifest);
	json_object_put(s.index);
	return r;
}
