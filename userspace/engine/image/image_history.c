/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/image_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/image/document.h"
#include "engine/image/manifest.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { LAYER_LIMIT = 4096 };

static char *history_path(const char *image_id)
{
	return xasprintf("images/%s.history", image_id + strlen("sha256:"));
}

int image_history_write(struct store *store, const char *image_id, struct json_object *history, char *const *diff_ids,
	struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = json_object_new_object();
	struct json_object *layers = json_object_new_array();
	_cleanup_free_ char *path = history_path(image_id);

	json_object_object_add(object, "history", history ? json_object_get(history) : json_object_new_array());
	for (; *diff_ids; diff_ids++)
		json_object_array_add(layers, json_object_new_string(*diff_ids));
	json_object_object_add(object, "diff_ids", layers);
	return document_write(store_root_fd(store), path, object, err);
}

static struct json_object *read_list(struct store *store, const char *image_id, const char *key)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	_cleanup_free_ char *path = history_path(image_id);

	if (document_read(store_root_fd(store), path, CONFIG_LIMIT, &object, NULL) < 0)
		return NULL;
	return json_object_get(document_array(object, key));
}

struct json_object *image_diff_ids(struct store *store, const char *image_id)
{
	return read_list(store, image_id, "diff_ids");
}

struct json_object *image_history_list(struct store *store, const char *image_id)
{
	return read_list(store, image_id, "history");
}

void image_history_remove(struct store *store, const char *image_id)
{
	_cleanup_free_ char *path = history_path(image_id);

	unlinkat(store_root_fd(store), path, 0);
}

uint64_t image_history_layer_size(struct store *store, const char *chain)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	_cleanup_free_ char *path = xasprintf("layers/%s/layer.json", chain);
	int64_t size;

	if (document_read(store_root_fd(store), path, LAYER_LIMIT, &object, NULL) < 0)
		return 0;
	size = document_size(object, "size");
	return size > 0 ? (uint64_t)size : 0;
}

/* image->layers are ".../layers/CHAIN/diff". */
uint64_t image_layer_size(struct store *store, const struct store_image *image, size_t i)
{
	const char *end = strrchr(image->layers[i], '/');
	_cleanup_free_ char *chain = xstrndup(end - 64, 64);

	return image_history_layer_size(store, chain);
}

static struct history_step *add_step(struct image_history *h, const char *created_by, const char *comment, int64_t created_s)
{
	struct history_step *step = &h->steps[h->count++];

	*step = (struct history_step){ .created_by = xstrdup(created_by), .comment = xstrdup(comment), .created_s = created_s };
	return step;
}

static int add_known(struct store *store, const struct store_image *image, struct json_object *list, struct image_history *h,
	struct error *err)
{
	size_t layer = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct history_step *step = add_step(h, document_string(item, "created_by", ""),
			document_string(item, "comment", ""), document_time(item, "created"));

		if (document_bool(item, "empty_layer", false))
			continue;
		if (layer == image->layer_count)
			return error_set(err, EBADMSG, "the history of image %s has more layers than the image", image->id);
		step->size = image_layer_size(store, image, layer++);
	}
	return 0;
}

static void reverse(struct image_history *h)
{
	for (size_t i = 0; i < h->count / 2; i++) {
		struct history_step step = h->steps[i];

		h->steps[i] = h->steps[h->count - 1 - i];
		h->steps[h->count - 1 - i] = step;
	}
}

int image_history_load(struct store *store, const struct store_image *image, struct image_history *ret, struct error *err)
{
	_cleanup_(cleanup_json) struct json_object *object = NULL;
	_cleanup_free_ char *path = history_path(image->id);
	_cleanup_(image_history_free) struct image_history h = { 0 };
	struct json_object *list;
	int r = document_read(store_root_fd(store), path, CONFIG_LIMIT, &object, err);

	if (r < 0 && r != -ENOENT)
		return r;
	list = document_array(object, "history");
	h.steps = xcalloc((list ? json_object_array_length(list) : 0) + image->layer_count + 1, sizeof(*h.steps));
	r = list ? add_known(store, image, list, &h, err) : 0;
	if (r < 0)
		return r;
	for (size_t i = 0; h.count == i && i < image->layer_count; i++) /* there is none */
		add_step(&h, "", "", image->created_s)->size = image_layer_size(store, image, i);
	reverse(&h);
	*ret = h;
	h = (struct image_history){ 0 };
	return 0;
}

void image_history_free(struct image_history *h)
{
	for (size_t i = 0; i < h->count; i++) {
		free(h->steps[i].created_by);
		free(h->steps[i].comment);
	}
	free(h->steps);
	*h = (struct image_history){ 0 };
}
