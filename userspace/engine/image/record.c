/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/document.h"
#include "engine/image/reference.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { RECORD_LIMIT = 16 << 20 };

char *record_path(const char *image_id)
{
	return xasprintf("images/%s.json", image_id + strlen("sha256:"));
}

/* A JSON array of strings as a NULL-terminated list; NULL and null give an empty one. */
static char **string_list(struct json_object *array)
{
	size_t length = array ? json_object_array_length(array) : 0, count = 0;
	char **list = xcalloc(length + 1, sizeof(*list));

	for (size_t i = 0; i < length; i++) {
		const char *s = document_item(array, i);

		if (s)
			list[count++] = xstrdup(s);
	}
	return list;
}

/* The keys of a JSON object used as a set. add: appended to keys without a '/'. */
static char **key_list(struct json_object *object, const char *add)
{
	size_t count = 0, length = object ? (size_t)json_object_object_length(object) : 0;
	char **list = xcalloc(length + 1, sizeof(*list));

	if (object) {
		json_object_object_foreach(object, key, value) {
			(void)value;
			list[count++] = xasprintf("%s%s", key, strchr(key, '/') ? "" : add);
		}
	}
	return list;
}

static void load_labels(struct store_config *config, struct json_object *labels)
{
	if (!labels)
		return;
	config->labels = xcalloc((size_t)json_object_object_length(labels) + 1,
		sizeof(*config->labels));
	json_object_object_foreach(labels, key, value) {
		struct store_label *label = &config->labels[config->label_count++];

		label->key = xstrdup(key);
		label->value = xstrdup(json_object_is_type(value, json_type_string) ?
				json_object_get_string(value) : "");
	}
}

static void load_config(struct store_config *config, struct json_object *object)
{
	config->entrypoint = string_list(document_array(object, "Entrypoint"));
	config->cmd = string_list(document_array(object, "Cmd"));
	config->env = string_list(document_array(object, "Env"));
	config->user = xstrdup(document_string(object, "User", ""));
	config->working_dir = xstrdup(document_string(object, "WorkingDir", ""));
	config->stop_signal = xstrdup(document_string(object, "StopSignal", ""));
	config->exposed_ports = key_list(document_object(object, "ExposedPorts"), "/tcp");
	config->volumes = key_list(document_object(object, "Volumes"), "");
	load_labels(config, document_object(object, "Labels"));
}

static bool chain_valid(const char *hex)
{
	return hex && strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64;
}

static int load_layers(struct store *store, struct store_image *image, struct json_object *array,
	struct error *err)
{
	size_t length = array ? json_object_array_length(array) : 0;

	image->layers = xcalloc(length + 1, sizeof(*image->layers));
	for (size_t i = 0; i < length; i++) {
		const char *hex = document_item(array, i);

		if (!chain_valid(hex))
			return error_set(err, EIO, "image store %s: the record of %s is damaged",
				store_root(store), image->id);
		image->layers[image->layer_count++] =
			xasprintf("%s/layers/%s/diff", store_root(store), hex);
	}
	return 0;
}

static int read_record(struct store *store, const char *image_id, struct json_object **ret, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (!str_starts(image_id, "sha256:") || !digest_valid(image_id))
		return error_set(err, EIO, "image store %s: \"%s\" is no image id", store_root(store),
			image_id);
	path = record_path(image_id);
	r = document_read(store_root_fd(store), path, RECORD_LIMIT, ret, err);
	if (r < 0 && r != -ENOENT)
		error_prefix(err, "image store %s", store_root(store));
	return r;
}

int record_config(struct store *store, const char *image_id, struct json_object **ret, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	int r = read_record(store, image_id, &object, err);

	if (r == 0)
		*ret = json_object_get(document_object(object, "config"));
	return r;
}

int record_load(struct store *store, const char *image_id, struct store_image *ret_image,
	struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	struct store_image image = { 0 };
	int r = read_record(store, image_id, &object, err);

	if (r < 0)
		return r;
	image.id = xstrdup(image_id);
	image.platform = xstrdup(document_string(object, "platform", ""));
	image.created_s = document_size(object, "created");
	if (image.created_s < 0)
		image.created_s = 0;
	image.size = (uint64_t)document_size(object, "size");
	load_config(&image.config, document_object(object, "config"));
	r = load_layers(store, &image, document_array(object, "layers"), err);
	if (r < 0) {
		store_image_free(&image);
		return r;
	}
	*ret_image = image;
	return 0;
}

struct json_object *record_new(const char *image_id, const char *platform, int64_t created_s,
	uint64_t size, char *const *layers, size_t layer_count, struct json_object *config)
{
	struct json_object *object = json_object_new_object(), *array = json_object_new_array();

	for (size_t i = 0; i < layer_count; i++)
		json_object_array_add(array, json_object_new_string(layers[i]));
	json_object_object_add(object, "schema", json_object_new_int(1));
	json_object_object_add(object, "id", json_object_new_string(image_id));
	json_object_object_add(object, "platform", json_object_new_string(platform));
	json_object_object_add(object, "created", json_object_new_int64(created_s));
	json_object_object_add(object, "size", json_object_new_int64((int64_t)size));
	json_object_object_add(object, "layers", array);
	json_object_object_add(object, "config", config ? config : json_object_new_object());
	return object;
}

static void free_config(struct store_config *config)
{
	store_strings_free(config->entrypoint);
	store_strings_free(config->cmd);
	store_strings_free(config->env);
	store_strings_free(config->exposed_ports);
	store_strings_free(config->volumes);
	free(config->user);
	free(config->working_dir);
	free(config->stop_signal);
	for (size_t i = 0; i < config->label_count; i++) {
		free(config->labels[i].key);
		free(config->labels[i].value);
	}
	free(config->labels);
}

void store_image_free(struct store_image *image)
{
	free(image->id);
	free(image->reference);
	free(image->digest);
	free(image->platform);
	free_config(&image->config);
	store_strings_free(image->layers);
	*image = (struct store_image){ 0 };
}

void store_images_free(struct store_image *images, size_t count)
{
	for (size_t i = 0; i < count; i++)
		store_image_free(&images[i]);
	free(images);
}
