/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SOURCE_H
#define CTRACE_SOURCE_H

#include "engine/image/reference.h"

/* Where an image comes from, as people write it. */
enum source_kind {
	SOURCE_REGISTRY,       /* [HOST/]NAME[:TAG][@DIGEST] */
	SOURCE_OCI,	       /* oci:DIR[:TAG], an OCI image layout */
	SOURCE_DOCKER_ARCHIVE, /* docker-archive:FILE[:NAME:TAG], what docker save writes */
};

struct source {
	enum source_kind kind;
	struct reference reference; /* SOURCE_REGISTRY only */
	char *path;		    /* the others: absolute path of the layout or file */
	char *tag;		    /* the others: which image in it, or NULL */
	char *key;		    /* canonical form, the key in the store */
};

/* Returns 0, -EINVAL (malformed) or -ENOENT (no such directory or file). */
int source_parse(const char *text, struct source *ret, struct error *err);
void source_free(struct source *source);

/* Changes whenever the file behind a local source changes; "" for registries and when it cannot be
 * read. The caller frees. */
char *source_stamp(const struct source *source);

#endif
