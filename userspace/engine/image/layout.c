/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/image/document.h"
#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"

#define REF_NAME "org.opencontainers.image.ref.name"

struct layout {
	char *path, *tag;
	int fd;
};

static int check_version(struct layout *layout, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	const char *version;

	if (document_read(layout->fd, "oci-layout", 4096, &object, NULL) < 0)
		return error_set(err, EINVAL, "%s is no OCI image layout (no oci-layout file)",
			layout->path);
	version = document_string(object, "imageLayoutVersion", "");
	if (strncmp(version, "1.", 2) != 0)
		return error_set(err, ENOTSUP, "%s has the unknown layout version \"%s\"", layout->path,
			version);
	return 0;
}

int layout_open(const char *path, const char *tag, struct layout **ret, struct error *err)
{
	struct layout *layout = xcalloc(1, sizeof(*layout));
	int r;

	layout->path = xstrdup(path);
	layout->tag = tag ? xstrdup(tag) : NULL;
	layout->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = layout->fd < 0 ? error_errno(err, errno, "cannot open the image layout %s", path) :
			     check_version(layout, err);
	if (r < 0) {
		layout_close(layout);
		return r;
	}
	*ret = layout;
	return 0;
}

void layout_close(struct layout *layout)
{
	if (!layout)
		return;
	cleanup_close(&layout->fd);
	free(layout->path);
	free(layout->tag);
	free(layout);
}

static const char *ref_name(struct json_object *entry)
{
	return document_string(document_object(entry, "annotations"), REF_NAME, "");
}

static bool has_name(struct json_object *list, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!strcmp(ref_name(json_object_array_get_idx(list, i)), name))
			return true;
	return false;
}

/* The entries of one name, or all when there is no name to go by. */
static struct json_object *entries_named(struct json_object *list, const char *name)
{
	struct json_object *kept = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		if (!name || !strcmp(ref_name(entry), name))
			json_object_array_add(kept, json_object_get(entry));
	}
	return kept;
}

int layout_index(struct layout *layout, struct registry_document *ret, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	const char *name = layout->tag;
	struct json_object *list;
	int r = document_read(layout->fd, "index.json", MANIFEST_LIMIT, &object, err);

	if (r < 0) {
		error_prefix(err, "image layout %s", layout->path);
		return r;
	}
	list = document_array(object, "manifests");
	if (!list || document_array(object, "layers"))
		return error_set(err, EBADMSG, "%s/index.json lists no manifests", layout->path);
	if (name && !has_name(list, name))
		return error_set(err, ENOENT, "image layout %s has no image named \"%s\"", layout->path,
			name);
	if (!name && has_name(list, "latest"))
		name = "latest";
	json_object_object_add(object, "manifests", entries_named(list, name));
	ret->bytes = xstrdup(json_object_to_json_string(object));
	ret->length = strlen(ret->bytes);
	return 0;
}

/* blobs/ALGORITHM/HEX; the digest is valid, so the path is harmless. */
static char *blob_path(const struct descriptor *d)
{
	char *path = xasprintf("blobs/%s", d->digest);

	*strchr(path, ':') = '/';
	return path;
}

int layout_document(struct layout *layout, const struct descriptor *d, size_t limit,
	struct registry_document *ret, struct error *err)
{
	_cleanup_free_ char *path = blob_path(d);
	int r = document_read_file(layout->fd, path, limit, &ret->bytes, &ret->length, err);

	if (r < 0)
		error_prefix(err, "image layout %s", layout->path);
	return r;
}

int file_stream(int dir_fd, const char *path, http_sink *sink, void *arg, struct error *err)
{
	off_t size;
	_cleanup_close_ int fd = document_open(dir_fd, path, &size, err);
	_cleanup_free_ char *buffer = NULL;
	enum { BUFFER = 256 << 10 };
	ssize_t n;

	if (fd < 0)
		return fd;
	buffer = xmalloc(BUFFER);
	while ((n = read(fd, buffer, BUFFER)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "cannot read %s", path);
		if (sink(arg, buffer, (size_t)n) < 0)
			return error_set(err, ECANCELED, "cancelled while reading %s", path);
	}
	return 0;
}

int layout_blob(struct layout *layout, const struct descriptor *d, http_sink *sink, void *arg,
	struct error *err)
{
	_cleanup_free_ char *path = blob_path(d);
	int r = file_stream(layout->fd, path, sink, arg, err);

	if (r < 0)
		error_prefix(err, "image layout %s", layout->path);
	return r;
}
