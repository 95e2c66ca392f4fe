/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ORIGIN_H
#define CTRACE_ORIGIN_H

#include "engine/image/http.h"
#include "engine/image/manifest.h"
#include "engine/image/source.h"

struct docker_archive;
struct image_settings;

/* Where an image's documents and blobs come from: a registry, an OCI layout, a docker archive. */
struct origin;

/* The documents of one image, verified. */
struct image_plan {
	struct manifest manifest; /* its layers; never an index */
	struct image_config config;
	char id[7 + 128 + 1]; /* sha256 of the configuration */
	char *digest;	     /* of the first document: what the reference named */
};

void image_plan_free(struct image_plan *plan); /* also fit for _cleanup_ */

/* settings and source outlive the origin. scratch_fd: a directory that the origin may fill; its owner
 * removes it afterwards. */
int origin_open(const struct image_settings *settings, const struct source *source, int scratch_fd,
	struct origin **ret, struct error *err);
/* The image that is chosen in an archive that is open; it outlives the origin, too. */
struct origin *origin_of_archive(const struct source *source, struct docker_archive *archive);
void origin_close(struct origin *origin);

/* Fetches and checks everything but the layers, following indexes to the wished platform. */
int origin_resolve(struct origin *origin, struct http *http, const struct platform *wish,
	struct image_plan *ret, struct error *err);

/* Streams layer i of the plan. May be called from many threads, each with its own http client. */
int origin_layer(struct origin *origin, struct http *http, const struct image_plan *plan, size_t i,
	http_sink *sink, void *arg, struct error *err);

#endif
