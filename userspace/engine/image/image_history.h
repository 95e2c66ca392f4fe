/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_IMAGE_HISTORY_H
#define CTRACE_IMAGE_HISTORY_H

/* How an image was made: the "history" of its configuration (image-spec, config.md), which the store keeps in
 * images/HEX.history, beside the record, since starting a container has no use for it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/store.h"

struct json_object;

struct history_step {
	char *created_by, *comment; /* "" where the image does not say */
	int64_t created_s;          /* seconds since 1970; 0 = it does not say */
	uint64_t size;              /* bytes of the layer's files; 0 for a step that made none */
};

struct image_history {
	struct history_step *steps; /* newest first */
	size_t count;
};

/* history: the array, or NULL; diff_ids: of the layers, lowest first, NULL-ended. */
int image_history_write(struct store *store, const char *image_id, struct json_object *history, char *const *diff_ids,
	struct error *err);
void image_history_remove(struct store *store, const char *image_id);

/* An image whose history is not known has a step per layer. Returns 0; -EBADMSG when its history has more layers than it. */
int image_history_load(struct store *store, const struct store_image *image, struct image_history *ret, struct error *err);
void image_history_free(struct image_history *h); /* also fit for _cleanup_ */

/* The digests of the unpacked layers, as the image's configuration has them, lowest first: the caller's reference, or NULL for an
 * image that an older ctrace took in. */
struct json_object *image_diff_ids(struct store *store, const char *image_id);

/* The history as the image's configuration has it, by the same rules. */
struct json_object *image_history_list(struct store *store, const char *image_id);

/* Bytes of a layer's files; chain: 64 hex digits. 0 when it is not known. */
uint64_t image_history_layer_size(struct store *store, const char *chain);

/* The same of an image's layer, by its place in image->layers. */
uint64_t image_layer_size(struct store *store, const struct store_image *image, size_t i);

#endif
