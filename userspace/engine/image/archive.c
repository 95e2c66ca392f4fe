/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/image/digest.h"
#include "engine/image/document.h"
#include "engine/image/layout.h"
#include "engine/image/origin.h"
#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/map.h"
#include "util/strbuf.h"

enum { ENTRIES_MAX = 10000, NAME_LENGTH_MAX = 1024 };

/* A member of the archive: a file of the scratch directory, or a link to another member. */
struct member {
	char file[16]; /* "m12" in the scratch directory; "" for a link */
	char *link;    /* clean path of the target */
};

struct docker_archive {
	char *path;
	int scratch;
	struct map members; /* clean path -> struct member */
	struct json_object *manifest; /* the chosen image's object of manifest.json */
	struct json_object *list;     /* all of manifest.json */
};

static char *link_target(const char *path, const char *target, bool hard)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory =
		hard || !slash ? xstrdup("") : xstrndup(path, (size_t)(slash - path));

	return tree_join(directory, target);
}

static int write_member(struct docker_archive *a, struct archive *tar, struct member *m,
	struct error *err)
{
	_cleanup_close_ int fd = -1;

	snprintf(m->file, sizeof(m->file), "m%zu", a->members.count);
	fd = openat(a->scratch, m->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_errno(err, errno, "cannot write to the image store");
	if (archive_read_data_into_fd(tar, fd) == ARCHIVE_OK)
		return 0;
	if (errno == ENOSPC)
		return error_set(err, ENOSPC, "no space left on device while reading %s: free some space, "
			"or set CTRACE_ROOT to a larger file system", a->path);
	return error_set(err, EBADMSG, "%s is damaged: %s", a->path, archive_error_string(tar));
}

static void drop_member(struct member *m)
{
	if (m)
		free(m->link);
	free(m);
}

static int add_member(struct docker_archive *a, struct archive *tar, struct archive_entry *entry,
	struct error *err)
{
	const char *name = archive_entry_pathname(entry);
	const char *hard = archive_entry_hardlink(entry), *soft = archive_entry_symlink(entry);
	mode_t type = archive_entry_filetype(entry);
	_cleanup_free_ char *path = NULL;
	struct member *m;
	int r = 0;

	if (!name || strlen(name) > NAME_LENGTH_MAX || a->members.count >= ENTRIES_MAX)
		return error_set(err, E2BIG, "%s has too many entries or too long names", a->path);
	if (!hard && !soft && type != AE_IFREG)
		return 0;
	path = tree_join("", name);
	m = xcalloc(1, sizeof(*m));
	if (hard || soft)
		m->link = link_target(path, hard ? hard : soft, hard != NULL);
	else
		r = write_member(a, tar, m, err);
	drop_member(map_put(&a->members, path, strlen(path), m));
	return r;
}

static int read_members(struct docker_archive *a, int fd, struct error *err)
{
	struct archive *tar = archive_read_new();
	struct archive_entry *entry;
	int status, r = 0;

	archive_read_support_format_tar(tar);
	archive_read_support_filter_gzip(tar);
	archive_read_support_filter_bzip2(tar);
	archive_read_support_filter_xz(tar);
	archive_read_support_filter_zstd(tar);
	if (archive_read_open_fd(tar, fd, 256 << 10) != ARCHIVE_OK)
		r = error_set(err, EBADMSG, "%s is no docker archive: %s", a->path, archive_error_string(tar));
	while (r == 0) {
		status = archive_read_next_header(tar, &entry);
		if (status == ARCHIVE_EOF)
			break;
		r = status < ARCHIVE_WARN ? error_set(err, EBADMSG, "%s is no docker archive: %s",
						    a->path, archive_error_string(tar)) :
					    add_member(a, tar, entry, err);
	}
	archive_read_free(tar);
	return r;
}

/* The scratch file of a member, through links; NULL when it is not there. */
static const char *find_member(const struct docker_archive *a, const char *name)
{
	_cleanup_free_ char *path = tree_join("", name);

	for (int hops = 0; hops < 8; hops++) {
		struct member *m = map_get(&a->members, path, strlen(path));

		if (!m)
			return NULL;
		if (*m->file)
			return m->file;
		free(path);
		path = xstrdup(m->link);
	}
	return NULL;
}

/* "app" and "docker.io/library/app:latest" are the same name. */
static bool same_name(const char *a, const char *b)
{
	struct reference x, y;
	bool same = false;

	if (reference_parse(a, &x, NULL) < 0)
		return false;
	if (reference_parse(b, &y, NULL) == 0) {
		_cleanup_free_ char *left = reference_canonical(&x), *right = reference_canonical(&y);

		same = !strcmp(left, right);
		reference_free(&y);
	}
	reference_free(&x);
	return same;
}

static bool has_tag(struct json_object *image, const char *tag)
{
	struct json_object *tags = document_array(image, "RepoTags");

	for (size_t i = 0; tags && i < json_object_array_length(tags); i++) {
		const char *t = document_item(tags, i);

		if (t && same_name(t, tag))
			return true;
	}
	return false;
}

size_t docker_archive_count(const struct docker_archive *a)
{
	return json_object_array_length(a->list);
}

struct json_object *docker_archive_names(const struct docker_archive *a, size_t i)
{
	return document_array(json_object_array_get_idx(a->list, i), "RepoTags");
}

void docker_archive_take(struct docker_archive *a, size_t i)
{
	a->manifest = json_object_array_get_idx(a->list, i);
}

int docker_archive_choose(struct docker_archive *a, const char *tag, struct error *err)
{
	size_t count = docker_archive_count(a);

	for (size_t i = 0; i < count; i++) {
		struct json_object *image = json_object_array_get_idx(a->list, i);

		if (tag ? has_tag(image, tag) : count == 1)
			a->manifest = image;
	}
	if (a->manifest)
		return 0;
	if (tag)
		return error_set(err, ENOENT, "%s has no image named \"%s\"", a->path, tag);
	return error_set(err, EINVAL, "%s has %zu images: name one, docker-archive:%s:NAME:TAG", a->path,
		count, a->path);
}

/* manifest.json is an array; the parser takes objects only, so it is given one. */
static int read_manifest(struct docker_archive *a, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	_cleanup_free_ char *bytes = NULL, *wrapped = NULL;
	const char *file = find_member(a, "manifest.json");
	size_t length;
	int r;

	if (!file)
		return error_set(err, EBADMSG, "%s is no docker archive: it has no manifest.json%s", a->path,
			find_member(a, "oci-layout") ? ", but an OCI layout: unpack it, and ctrace pull oci:DIR" : "");
	r = document_read_file(a->scratch, file, MANIFEST_LIMIT, &bytes, &length, err);
	if (r < 0)
		return r;
	wrapped = xasprintf("{\"images\":%s}", bytes);
	r = document_parse(wrapped, strlen(wrapped), "manifest.json", &object, err);
	if (r < 0) {
		error_prefix(err, "%s", a->path);
		return r;
	}
	a->list = json_object_get(document_array(object, "images"));
	if (!a->list)
		return error_set(err, EBADMSG, "%s: manifest.json is no list", a->path);
	return 0;
}

int docker_archive_open(const char *path, int scratch_fd, struct docker_archive **ret, struct error *err)
{
	_cleanup_close_ int file = path ? open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC) : -1;
	struct docker_archive *a;
	struct stat st;
	int r;

	if (path && file < 0)
		return error_errno(err, errno, "cannot open %s", path);
	if (path && fstat(file, &st) == 0 && S_ISDIR(st.st_mode))
		return error_errno(err, EISDIR, "cannot read %s", path);
	a = xcalloc(1, sizeof(*a));
	a->path = xstrdup(path ? path : "stdin");
	a->scratch = scratch_fd;
	r = read_members(a, path ? file : STDIN_FILENO, err);
	if (r == 0)
		r = read_manifest(a, err);
	if (r < 0) {
		docker_archive_close(a);
		return r;
	}
	*ret = a;
	return 0;
}

void docker_archive_close(struct docker_archive *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->members.count; i++)
		drop_member(a->members.entries[i].value);
	map_free(&a->members);
	json_object_put(a->list);
	free(a->path);
	free(a);
}

static int plan_layers(struct docker_archive *a, struct json_object *layers, struct image_plan *plan,
	struct error *err)
{
	size_t count = layers ? json_object_array_length(layers) : 0; /* docker writes null for none */

	if (count > LAYERS_MAX)
		return error_set(err, EBADMSG, "%s has %zu layers, at most %d are unpacked", a->path,
			count, LAYERS_MAX);
	plan->manifest.layers = xcalloc(count, sizeof(*plan->manifest.layers));
	for (; plan->manifest.layer_count < count; plan->manifest.layer_count++) {
		struct descriptor *d = &plan->manifest.layers[plan->manifest.layer_count];
		const char *name = document_item(layers, plan->manifest.layer_count), *file;
		struct stat st;

		file = name ? find_member(a, name) : NULL;
		if (!file || fstatat(a->scratch, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return error_set(err, EBADMSG, "%s: layer %s is missing", a->path,
				name ? name : "without a name");
		/* Nothing states the file's digest; the diff id is checked in any case. */
		d->size = st.st_size;
		d->media_type = xstrdup("");
	}
	return 0;
}

int docker_archive_plan(struct docker_archive *a, struct image_plan *plan, struct error *err)
{
	struct json_object *layers = document_array(a->manifest, "Layers");
	const char *name = document_string(a->manifest, "Config", NULL);
	const char *file = name ? find_member(a, name) : NULL;
	_cleanup_free_ char *bytes = NULL;
	size_t length;
	int r;

	if (!file)
		return error_set(err, EBADMSG, "%s: manifest.json names no configuration", a->path);
	r = plan_layers(a, layers, plan, err);
	if (r == 0)
		r = document_read_file(a->scratch, file, CONFIG_LIMIT, &bytes, &length, err);
	if (r < 0)
		return r;
	digest_bytes(NULL, bytes, length, plan->id);
	plan->digest = xstrdup("");
	return image_config_parse(bytes, length, name, plan->manifest.layer_count, &plan->config, err);
}

int docker_archive_layer(struct docker_archive *a, size_t i, http_sink *sink, void *arg,
	struct error *err)
{
	const char *name = document_item(document_array(a->manifest, "Layers"), i);

	return file_stream(a->scratch, find_member(a, name), sink, arg, err);
}
