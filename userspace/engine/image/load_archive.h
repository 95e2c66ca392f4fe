/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LOAD_ARCHIVE_H
#define CTRACE_LOAD_ARCHIVE_H

#include "engine/image/pull.h"

/* An image that has arrived. */
struct loaded_image {
	const char *id;
	char *const *names;    /* canonical, NULL-ended; may be empty */
	char *const *old_ids;  /* beside each name: the image that lost it, or NULL */
};

typedef void load_told(void *arg, const struct loaded_image *image);

/* Brings every image of what docker save wrote into the store, by the names that it has there. path NULL: stdin. What came before
 * an image that fails stays. options: as for pull_image, without archive and names. Returns as pull_image. */
int load_archive(struct store *store, const char *path, const struct pull_options *options, load_told *tell, void *arg,
	struct error *err);

#endif
