/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STAGING_H
#define CTRACE_STAGING_H

#include "engine/image/origin.h"
#include "engine/image/unpack.h"
#include "engine/store.h"

/*
 * The writing side of the store. Everything that a pull makes is staged in a directory of its own under
 * tmp/, locked by its owner, and becomes visible by renames at the very end, under the store's lock. A
 * ctrace that is killed leaves its staging directory unlocked, and maybe layers that no image refers to:
 * store_collect removes both.
 */
struct staging {
	struct store *store;
	char name[32]; /* below the store's root: "tmp/xxxxxxxx" */
	int fd;
};

int staging_begin(struct store *store, struct staging *ret, struct error *err);
void staging_end(struct staging *s); /* removes what was not committed; also fit for _cleanup_ */

/* A scratch directory of the staging; a descriptor. */
int staging_directory(struct staging *s, const char *name, struct error *err);
/* The empty directory of new layer i; a descriptor. */
int staging_layer(struct staging *s, size_t i, struct error *err);

/* An image to commit. */
struct staged_image {
	const struct image_plan *plan;
	const struct source *source;
	char *const *names;  /* NULL: the source's key; else canonical, NULL-ended */
	char *const *chains; /* hex chain ids, lowest first */
	size_t count;
	const bool *fresh;	  /* which of them are staged */
	struct unpacked *unpacked; /* of the fresh ones */
};

/* True when the store has the layer (hex chain id). */
bool staging_has_layer(struct store *store, const char *chain);

/* Gives directories that a layer only implies the mode, owner and time that they have below. */
int staging_settle(struct staging *s, const struct staged_image *image, struct error *err);

/* Makes the image visible. Returns -ESTALE when a layer that was in the store has been removed since. */
int staging_commit(struct staging *s, const struct staged_image *image, struct error *err);

#endif
