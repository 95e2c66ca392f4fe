/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LAYOUT_H
#define CTRACE_LAYOUT_H

#include "engine/image/registry.h"

/* A directory in OCI image layout (image-spec, image-layout.md). Thread-safe once open. */
struct layout;

/* tag: the org.opencontainers.image.ref.name to take, or NULL: "latest", else whatever is there. */
int layout_open(const char *path, const char *tag, struct layout **ret, struct error *err);
void layout_close(struct layout *layout);

/* index.json, reduced to the manifests of the tag. */
int layout_index(struct layout *layout, struct registry_document *ret, struct error *err);
/* A blob as a document, unverified. */
int layout_document(struct layout *layout, const struct descriptor *d, size_t limit,
	struct registry_document *ret, struct error *err);
int layout_blob(struct layout *layout, const struct descriptor *d, http_sink *sink, void *arg,
	struct error *err);

/* Feeds a regular file to a sink; shared with docker archives. */
int file_stream(int dir_fd, const char *path, http_sink *sink, void *arg, struct error *err);

#endif
