/* SPDX-License-Identifier: Apache-2.0 */
/* What containerd and podman keep in databases of theirs: the image of `ctr run IMAGE`, podman's labels and pods. Reading
 * the file needs no socket, whose owner may be slow, or restarting, and to which writing is to be root. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/bolt.h"
#include "capture/names_internal.h"
#include "capture/sqlite_read.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* An engine that starts many containers commits while one of them is looked up. */
enum { ATTEMPTS = 8, PATH_BYTES = 4096 };

/* Reads from an open database; returns an object, which may be NULL. */
typedef json_object *database_read(struct bolt *bolt, const char *space, const char *id);

/* What a reader got of a database that did not change meanwhile. */
static json_object *read_database(struct reading *r, const char *path, const char *space, const char *id,
	database_read *read)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		struct bolt *bolt = bolt_open(path);
		json_object *o = bolt ? read(bolt, space, id) : NULL;
		bool is_true = !bolt || bolt_is_current(bolt);

		r->unread += !bolt && access(path, F_OK) == 0;
		bolt_close(bolt);
		if (is_true)
			return o;
		json_object_put(o);
	}
	r->unread++;
	return NULL;
}

static void add_pair(void *arg, const char *key, const char *value)
{
	json_object_object_add(arg, key, json_object_new_string(value));
}

/* containerd's metadata/buckets.go: v1/NAMESPACE/containers/ID/{image, labels/...} */
static json_object *read_container(struct bolt *bolt, const char *space, const char *id)
{
	const char *const path[] = { "v1", space, "containers", id, NULL };
	const char *const labels_path[] = { "v1", space, "containers", id, "labels", NULL };
	json_object *o = json_object_new_object(), *labels = json_object_new_object();
	struct bolt_bucket bucket;
	char *image;

	json_object_object_add(o, "labels", labels);
	if (!bolt_find(bolt, path, &bucket))
		return o;
	image = bolt_value(bolt, &bucket, "image");
	if (image)
		json_object_object_add(o, "image", json_object_new_string(image));
	free(image);
	bolt_bucket_free(&bucket);
	if (bolt_find(bolt, labels_path, &bucket)) {
		bolt_each(bolt, &bucket, add_pair, labels);
		bolt_bucket_free(&bucket);
	}
	return o;
}

/* Cuts the last part off path and returns it; NULL where there is none. */
static char *cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return NULL;
	*slash = '\0';
	return slash + 1;
}

/* The bundle, STATE/io.containerd.runtime.v2.task/NAMESPACE/ID, has a link "work" to the same below containerd's root. */
void names_read_containerd(struct reading *r, const char *root, const char *bundle)
{
	_cleanup_free_ char *link = xasprintf("%s/work", bundle), *path = NULL;
	_cleanup_(names_cleanup_json) json_object *o = NULL;
	char work[PATH_BYTES];
	ssize_t length = readlink(link, work, sizeof(work) - 1);
	const char *id, *space, *plugin;

	if (length <= 0 || work[0] != '/')
		return;
	work[length] = '\0';
	id = cut_last(work);
	space = cut_last(work);
	plugin = cut_last(work);
	if (!id || !space || !plugin || strcmp(id, r->job->id) != 0 || !str_starts(plugin, "io.containerd.runtime."))
		return;
	path = xasprintf("%s%s/io.containerd.metadata.v1.bolt/meta.db", root, work);
	o = read_database(r, path, space, id, read_container);
	names_tell(r, "image", names_text(o, "image"));
	names_tell_labels(r, names_member(o, "labels"));
}

/* podman's boltdb_state: BUCKET/ID/config is a document. */
static json_object *read_config(struct bolt *bolt, const char *bucket_name, const char *id)
{
	const char *const path[] = { bucket_name, id, NULL };
	struct bolt_bucket bucket;
	json_object *o;
	char *text;

	if (!bolt_find(bolt, path, &bucket))
		return NULL;
	text = bolt_value(bolt, &bucket, "config");
	bolt_bucket_free(&bucket);
	o = text ? json_tokener_parse(text) : NULL;
	free(text);
	return o;
}

/* podman's sqlite_state: the same documents in a column. */
static json_object *query_config(struct sqlite_read *db, const char *query, const char *id)
{
	_cleanup_free_ char *text = sqlite_read_text(db, query, id);

	return text ? json_tokener_parse(text) : NULL;
}

static void tell_podman(struct reading *r, json_object *o, json_object *pod)
{
	json_object *labels = names_member(o, "labels");

	names_tell(r, "name", names_text(o, "name"));
	names_tell(r, "image", names_text(o, "rootfsImageName"));
	names_tell(r, "pod", names_text(pod, "name"));
	names_tell(r, "engine", o ? "podman" : NULL);
	if (json_object_get_boolean(names_member(o, "pause"))) /* libpod's name for a pod's infra container */
		names_tell(r, "sandbox", "true");
	if (json_object_is_type(labels, json_type_object)) {
		json_object_object_foreach(labels, key, value)
		{
			names_tell_label(r, key, value);
		}
	}
}

static bool read_podman_bolt(struct reading *r, const char *storage)
{
	_cleanup_free_ char *path = xasprintf("%s/libpod/bolt_state.db", storage);
	_cleanup_(names_cleanup_json) json_object *o = read_database(r, path, "ctr", r->job->id, read_config), *pod = NULL;
	const char *pod_id = names_text(o, "pod");

	pod = pod_id ? read_database(r, path, "pod", pod_id, read_config) : NULL;
	tell_podman(r, o, pod);
	return o;
}

static bool read_podman_sqlite(struct reading *r, const char *path)
{
	_cleanup_(names_cleanup_json) json_object *o = NULL, *pod = NULL;
	struct sqlite_read *db = sqlite_read_open(path);
	const char *pod_id;

	if (!db) {
		r->unread += access(path, F_OK) == 0;
		return false;
	}
	o = query_config(db, "SELECT JSON FROM ContainerConfig WHERE ID = ?", r->job->id);
	pod_id = names_text(o, "pod");
	pod = pod_id ? query_config(db, "SELECT JSON FROM PodConfig WHERE ID = ?", pod_id) : NULL;
	tell_podman(r, o, pod);
	sqlite_read_close(db);
	return o;
}

/* The bundle is STORAGE/DRIVER-containers/ID/userdata. podman 5 has its database in STORAGE, or where it was told to keep
 * what podman 4 kept in STORAGE/libpod. */
void names_read_podman(struct reading *r, const char *bundle)
{
	static const char *const files[] = { "db.sql", "libpod/db.sql" };
	_cleanup_free_ char *storage = xasprintf("%s/../../..", bundle);
	bool found = false;

	if (!str_ends(bundle, "/userdata") || read_podman_bolt(r, storage))
		return;
	for (size_t i = 0; !found && i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", storage, files[i]);

		found = read_podman_sqlite(r, path);
	}
}
