/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RECORD_H
#define CTRACE_RECORD_H

#include "engine/store.h"

struct json_object;

/* images/HEX.json: what the store keeps of one image's configuration. Private to the store. */

/* "images/HEX.json" for "sha256:HEX"; the caller frees. */
char *record_path(const char *image_id);

/* Reads the record of an image; reference and digest stay NULL. Returns 0, -ENOENT, -EIO, ... */
int record_load(struct store *store, const char *image_id, struct store_image *ret_image,
	struct error *err);

/* The "config" object of the image's configuration, as it came; the caller's reference. Returns as record_load. */
int record_config(struct store *store, const char *image_id, struct json_object **ret, struct error *err);

/* Makes a record. config: the "config" object of the image's configuration (its reference is taken
 * over; may be NULL). layers: chain ids, 64 hex digits each, lowest first. */
struct json_object *record_new(const char *image_id, const char *platform, int64_t created_s,
	uint64_t size, char *const *layers, size_t layer_count, struct json_object *config);

#endif
