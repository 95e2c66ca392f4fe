/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PULL_H
#define CTRACE_PULL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/image/source.h"
#include "engine/store.h"

struct docker_archive;
struct image_settings;

enum { PULL_PARALLEL_MAX = 3 };

enum pull_state {
	PULL_EXISTS, /* in the store already */
	PULL_WAITING,
	PULL_DOWNLOADING,
	PULL_EXTRACTING, /* all bytes are here */
	PULL_COMPLETE,
	PULL_FAILED,
};

struct pull_layer {
	const char *digest;	  /* of the blob, or the diff id where there is none */
	int64_t size;		  /* bytes of the blob, -1 when not known */
	uint64_t fed, unpacked;	  /* bytes */
	enum pull_state state;
};

/* Called from the caller's thread about ten times a second while layers move, once before and once
 * after. */
typedef void pull_observer(void *arg, const struct pull_layer *layers, size_t count);

struct pull_options {
	const char *platform; /* "os/arch[/variant]" or NULL for the host's */
	const struct image_settings *settings;
	const atomic_bool *cancel; /* set it from a signal handler to give up */
	pull_observer *observe;	   /* may be NULL */
	void *arg;
	/* NULL: the source is opened. Else it is this, which is open and has an image chosen; then the image gets these names
	 * (canonical, NULL-ended, maybe none) instead of the source's. */
	struct docker_archive *archive;
	char *const *names;
};

struct pull_result {
	char *id, *digest; /* of the image; of what the reference named ("" for archives) */
	bool up_to_date;   /* everything was here */
};

void pull_result_free(struct pull_result *r);

/* Brings an image into the store: all of it, or nothing. */
int pull_image(struct store *store, const struct source *source, const struct pull_options *options,
	struct pull_result *ret, struct error *err);

#endif
