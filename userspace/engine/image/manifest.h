/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_MANIFEST_H
#define CTRACE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "engine/image/platform.h"
#include "util/error.h"

/* The documents of an image: index, manifest and configuration, in OCI's (image-spec v1.1) and
 * docker's (schema 2) dress. All of it is untrusted. */

enum {
	MANIFEST_LIMIT = 4 << 20, /* bytes */
	CONFIG_LIMIT = 8 << 20,	  /* bytes */
	LAYERS_MAX = 500, /* of an overlay: OVL_MAX_STACK */
	INDEX_ENTRIES_MAX = 4096,
};

/* Every type that ctrace understands, for the Accept header. */
extern const char *const manifest_media_types[]; /* NULL-terminated */

struct descriptor {
	char *media_type; /* "" when the document does not say */
	char *digest;	  /* valid */
	int64_t size;	  /* bytes; -1 when not known (docker archives) */
};

void descriptor_free(struct descriptor *d); /* also fit for _cleanup_ */

/* An index becomes the descriptor of the manifest chosen; a manifest its parts. */
struct manifest {
	bool is_index;
	struct descriptor chosen; /* index only */
	struct descriptor config;
	struct descriptor *layers; /* lowest first */
	size_t layer_count;
};

/*
 * Parses an index or a manifest. content_type: what the server called it, or NULL; what: its name in
 * error texts. Refuses a document that is both (CVE-2021-41190), one whose mediaType is not its
 * Content-Type, docker's schema 1, and what is no container image.
 * Returns 0, -EBADMSG (malformed), -ENOTSUP, or -ENOENT (no manifest for the platform).
 */
int manifest_parse(const char *bytes, size_t length, const char *content_type, const char *what,
	const struct platform *wish, struct manifest *ret, struct error *err);
void manifest_free(struct manifest *m);

struct image_config {
	struct platform platform;
	int64_t created_s;
	char **diff_ids; /* count, NULL-terminated */
	size_t count;
	struct json_object *config;  /* the "config" object, or NULL; owned */
	struct json_object *history; /* the "history" array, or NULL; owned */
};

/* Parses an image's configuration; layer_count is the manifest's. Returns 0 or -EBADMSG. */
int image_config_parse(const char *bytes, size_t length, const char *what, size_t layer_count,
	struct image_config *ret, struct error *err);
void image_config_free(struct image_config *c);

#endif
