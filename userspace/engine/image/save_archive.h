/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SAVE_ARCHIVE_H
#define CTRACE_SAVE_ARCHIVE_H

#include <stddef.h>

#include "engine/image/pack.h"
#include "engine/store.h"

/*
 * Images of the store as a tar, in the shape that docker save writes since 25: an OCI layout (image-spec, image-layout.md) that has
 * docker's manifest.json, too.
 *
 * The store keeps layers unpacked, not the tars they came in. They are packed anew, which has other bytes than the tar once had,
 * so that the saved image has another id than the one here. What this makes of an image that it made already is the same again.
 */

/* keys: as for store_find; a name without a tag stands for all tags of its repository, as docker has it. platform: as for
 * store_find. Nothing is written before all keys are found. Returns as store_find; -ESTALE when an image was removed meanwhile;
 * -ECANCELED when write stopped it. */
int save_archive(struct store *store, char *const *keys, size_t count, const char *platform, pack_write *write, void *arg,
	struct error *err);

#endif
