/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_REGISTRY_H
#define CTRACE_REGISTRY_H

#include "engine/image/http.h"
#include "engine/image/manifest.h"
#include "engine/image/reference.h"

struct image_settings;

/* One repository of a registry (distribution-spec v1.1, pull). Which of the possible servers (mirrors,
 * then the registry itself) answers is decided by the first manifest. Safe for many threads, each with
 * its own http client. */
struct registry;

/* settings and reference outlive the registry. */
struct registry *registry_new(const struct image_settings *settings, const struct reference *reference);
void registry_free(struct registry *registry);

struct registry_document {
	char *bytes;
	size_t length;
	char *media_type; /* as served; may be NULL */
};

void registry_document_free(struct registry_document *d); /* also fit for _cleanup_ */

/* Fetches a manifest or index by tag or digest. Returns 0, -ENOENT ("manifest unknown"), -EACCES,
 * -EHOSTUNREACH, -ETIMEDOUT, ... Checks nothing yet. */
int registry_manifest(struct registry *registry, struct http *http, const char *tag_or_digest,
	struct registry_document *ret, struct error *err);

/* Fetches a small blob whole (the configuration). */
int registry_small_blob(struct registry *registry, struct http *http, const struct descriptor *blob,
	size_t limit, struct registry_document *ret, struct error *err);

/* Streams a blob into the sink, resuming a broken connection where it broke. */
int registry_blob(struct registry *registry, struct http *http, const struct descriptor *blob,
	http_sink *sink, void *arg, struct error *err);

#endif
