/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NAMES_INTERNAL_H
#define CTRACE_NAMES_INTERNAL_H

/* What the readers of engines' files share. */

#include <json-c/json.h>
#include <stddef.h>

#include "capture/names_read.h"
#include "util/map.h"

struct reading {
	const struct names_job *job;
	names_emit *emit;
	void *arg;
	names_follow *follow;
	void *follow_arg;
	struct map labels; /* the names of those that were told */
	size_t labels_cut, values_cut;
	size_t unread; /* files */
	bool is_named;
};

enum { NAMES_FILE_MAX = 8 << 20 }; /* bytes of a document */

/* A file of JSON, which may be none; NULL then. The caller releases it. Counts in *unread (NULL = nowhere) one that is there and
 * cannot be read. */
json_object *names_json(const char *path, size_t *unread);
json_object *names_parse(const char *text, size_t length); /* NULL where it is no JSON */
void names_cleanup_json(json_object **o);

/* NULL where o is no object, or has none of that name and kind. They belong to o. */
json_object *names_member(json_object *o, const char *key);
const char *names_text(json_object *o, const char *key);

/* What such a file says: the name of the container id, NULL where it has none; and of docker's, whether the container has
 * exited. */
const char *names_find(json_object *content, enum names_source source, const char *id);
bool names_is_over(json_object *content);

/* Whether only the beginning of the value is told. */
bool names_is_cut(const char *key, const char *value);

/* Nothing is told of what is NULL, and of names that are empty; labels are bounded, those beyond counted, and so are values that
 * are too long. */
void names_tell(struct reading *r, const char *key, const char *value);
void names_tell_label(struct reading *r, const char *name, json_object *value);

/* Labels or annotations: what engines wrote there about names, and the rest as labels. */
void names_tell_labels(struct reading *r, json_object *labels);

/* Image, engine and labels of a container as docker describes it, in its file and on its socket. */
void names_tell_docker(struct reading *r, json_object *container, const char *engine);

/* What the databases of containerd and podman know of a container beyond its bundle, from which they are found. root: where
 * the files of the process that was told the bundle are for us. */
void names_read_containerd(struct reading *r, const char *root, const char *bundle);
void names_read_podman(struct reading *r, const char *bundle);

/* What docker or podman answers when it is asked for the container, within a second. False: nothing. */
bool names_read_engine(struct reading *r, const char *root, const char *bundle);

#endif
