/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_REFERENCES_H
#define CTRACE_REFERENCES_H

#include "engine/store.h"

/* The part of the store that says what names images have, and what goes when names go. */

struct reference_entry {
	const char *reference, *platform, *id;
	const char *digest, *stamp; /* "" when there is none */
};

/* Adds an entry, or replaces the one of the same reference and platform. The caller holds the
 * exclusive lock. */
int references_set(struct store *store, const struct reference_entry *entry, struct error *err);

/* Gives an image one more name, with every platform that the key has here (of an id: its own). What had that name keeps its others;
 * an image that had only this stays, without a name. key: as for store_find. Takes the lock. -EINVAL: target is no name, or has a digest. */
int references_tag(struct store *store, const char *key, const char *target, struct error *err);

/* Called for everything that store_remove does: untagged names, deleted images and layers. */
typedef void references_told(void *arg, const char *action, const char *what);

/* Removes a reference, and its image with the layers that nobody else needs when it was the last one;
 * or, for an id, the image with its only reference (force: all of them). Refuses (-EBUSY) when a
 * container holds an image that would go. Takes the lock. */
int references_remove(struct store *store, const char *key, bool force, references_told *tell,
	void *arg, struct error *err);

/* Removes what killed processes left: staging directories without an owner, layers without an image. */
int store_collect(struct store *store, struct error *err);

#endif
