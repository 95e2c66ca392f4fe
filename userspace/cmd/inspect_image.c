/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inspect_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/listing.h"
#include "cmd/words.h"
#include "engine/image/image_history.h"
#include "engine/image/reference.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static void add_text(json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value ? value : ""));
}

/* null where there is none, as docker has it. */
static void add_list(json_object *o, const char *key, char *const *items)
{
	json_object *list = items && *items ? json_object_new_array() : NULL;

	for (; items && *items; items++)
		json_object_array_add(list, json_object_new_string(*items));
	json_object_object_add(o, key, list);
}

/* {"80/tcp": {}} */
static void add_set(json_object *o, const char *key, char *const *items)
{
	json_object *set = items && *items ? json_object_new_object() : NULL;

	for (; items && *items; items++)
		json_object_object_add(set, *items, json_object_new_object());
	if (set)
		json_object_object_add(o, key, set);
}

/* Its names, of all that the store lists: tags, and repositories with the manifest's digest. */
static void add_names(json_object *o, struct store *store, const struct store_image *image)
{
	json_object *tags = json_object_new_array(), *digests = json_object_new_array();
	struct store_image *list = NULL;
	size_t count = 0;

	store_list(store, &list, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		struct reference ref;
		char *familiar, *cut;

		if (strcmp(list[i].id, image->id) != 0 || !*list[i].reference)
			continue;
		if (reference_parse(list[i].reference, &ref, NULL) < 0) { /* oci:DIR */
			json_object_array_add(tags, json_object_new_string(list[i].reference));
			continue;
		}
		familiar = reference_familiar(&ref);
		if (!ref.digest)
			json_object_array_add(tags, json_object_new_string(familiar));
		cut = ref.digest ? strchr(familiar, '@') : strrchr(familiar, ':');
		if (cut && *list[i].digest) {
			_cleanup_free_ char *full = xasprintf("%.*s@%s", (int)(cut - familiar), familiar, list[i].digest);

			json_object_array_add(digests, json_object_new_string(full));
		}
		free(familiar);
		reference_free(&ref);
	}
	store_images_free(list, count);
	json_object_object_add(o, "RepoTags", tags);
	json_object_object_add(o, "RepoDigests", digests);
}

static json_object *config(const struct store_config *c)
{
	json_object *o = json_object_new_object(), *labels = c->label_count ? json_object_new_object() : NULL;

	for (size_t i = 0; i < c->label_count; i++)
		add_text(labels, c->labels[i].key, c->labels[i].value);
	add_text(o, "User", c->user);
	add_set(o, "ExposedPorts", c->exposed_ports);
	add_list(o, "Env", c->env);
	add_list(o, "Cmd", c->cmd);
	add_set(o, "Volumes", c->volumes);
	add_text(o, "WorkingDir", c->working_dir);
	add_list(o, "Entrypoint", c->entrypoint);
	json_object_object_add(o, "Labels", labels);
	if (*c->stop_signal)
		add_text(o, "StopSignal", c->stop_signal);
	return o;
}

static json_object *graph(const struct store_image *image)
{
	json_object *o = json_object_new_object(), *data = json_object_new_object();
	struct strbuf lower = { 0 };

	for (size_t i = image->layer_count; i-- > 0;)
		strbuf_printf(&lower, "%s%s", image->layers[i], i ? ":" : "");
	listing_add(data, "LowerDir", strbuf_steal(&lower));
	json_object_object_add(o, "Data", data);
	add_text(o, "Name", "overlay");
	return o;
}

/* "linux/arm/v7" in its parts. */
static void add_platform(json_object *o, const char *platform)
{
	_cleanup_free_ char *copy = xstrdup(platform);
	char *rest = copy, *os = strsep(&rest, "/"), *architecture = strsep(&rest, "/");

	add_text(o, "Architecture", architecture);
	if (rest)
		add_text(o, "Variant", rest);
	add_text(o, "Os", os);
}

static json_object *root(struct store *store, const struct store_image *image)
{
	json_object *o = json_object_new_object(), *layers = image_diff_ids(store, image->id);

	add_text(o, "Type", "layers");
	if (layers)
		json_object_object_add(o, "Layers", layers);
	return o;
}

json_object *inspect_image_json(struct store *store, const struct store_image *image)
{
	json_object *o = json_object_new_object();

	add_text(o, "Id", image->id);
	add_names(o, store, image);
	listing_add(o, "Created", words_time(image->created_s * 1000000000));
	add_platform(o, image->platform);
	json_object_object_add(o, "Size", json_object_new_int64((int64_t)image->size));
	json_object_object_add(o, "VirtualSize", json_object_new_int64((int64_t)image->size));
	json_object_object_add(o, "Config", config(&image->config));
	json_object_object_add(o, "GraphDriver", graph(image));
	json_object_object_add(o, "RootFS", root(store, image));
	return o;
}
