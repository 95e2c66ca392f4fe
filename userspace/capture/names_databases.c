/* SPDX-License-Identifier: Apache-2.0 */
/* What containerd and podman keep in databases of theirs: the image of `ctr run IMAGE`, podman's labels and pods. Reading
 * the file needs no socket, whose owner may be slow, or restarting, and to which writing is to be root. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/bolt.h"
#include "capture/names_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* An engine that starts many containers commits while one of them is looked up. */
enum { ATTEMPTS = 8, PATH_BYTES = 4096 };

/* Reads from an open database; returns an object, which may be NULL. */
typedef json_object *database_read(struct bolt *bolt, const char *space, const char *id);

/* What a reader got of a database that did not change meanwhile. */
static json_object *read_database(const char *path, const char *space, const char *id, database_read *read)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		struct bolt *bolt = bolt_open(path);
		json_object *o = bolt ? read(bolt, space, id) : NULL;
		bool is_true = !bolt || bolt_is_current(bolt);

		bolt_close(bolt);
		if (is_true)
			return o;
		json_object_put(o);
	}
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
	o = read_database(path, space, id, read_container);
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

/* The bundle is STORAGE/DRIVER-containers/ID/userdata. */
void names_read_podman(struct reading *r, const char *bundle)
{
	_cleanup_free_ char *path = xasprintf("%s/../../../libpod/bolt_state.db", bundle);
	_cleanup_(names_cleanup_json) json_object *o = NULL, *pod = NULL;
	json_object *labels;
	const char *pod_id;

	if (!str_ends(bundle, "/userdata"))
		return;
	o = read_database(path, "ctr", r->job->id, read_config);
	pod_id = names_text(o, "pod");
	labels = names_member(o, "labels");
	pod = pod_id ? read_database(path, "pod", pod_id, read_config) : NULL;
	names_tell(r, "name", names_text(o, "name"));
	names_tell(r, "image", names_text(o, "rootfsImageName"));
	names_tell(r, "pod", names_text(pod, "name"));
	if (json_object_is_type(labels, json_type_object)) {
		json_object_object_foreach(labels, key, value)
		{
			names_tell_label(r, key, value);
		}
	}
}
