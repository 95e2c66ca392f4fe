/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LAYER_H
#define CTRACE_LAYER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/image/manifest.h"
#include "engine/image/unpack.h"

/*
 * One layer on its way from a blob to a directory: the bytes that are fed in are hashed, inflated on a
 * second thread, and hashed again and unpacked on a third.
 */
struct layer;

enum {
	LAYER_RATIO_MAX = 400,	     /* uncompressed : compressed, beyond the grace below */
	LAYER_RATIO_GRACE = 256 << 20, /* bytes */
};

/* What others watch while it runs. */
struct layer_progress {
	_Atomic uint64_t fed;	   /* bytes of the blob */
	_Atomic uint64_t unpacked; /* bytes of the tar */
};

/* Starts to unpack into an empty directory. The descriptor's size may be -1 and its digest NULL (not
 * known: docker archives). limit: bytes of tar to unpack at most. All arguments outlive the layer. */
struct layer *layer_begin(int root_fd, const struct descriptor *blob, const char *diff_id,
	uint64_t limit, struct layer_progress *progress);

/* Takes the next bytes. Returns 0, or -EPIPE when the layer has failed for good: layer_end tells why. */
int layer_feed(struct layer *layer, const void *bytes, size_t length);

/* Ends the layer: checks size, digest and diff id. complete: all bytes were fed; otherwise (-ECANCELED)
 * everything is only stopped. Frees the layer. Returns 0, -EBADMSG (digest, size, gzip, tar), -EPERM,
 * -E2BIG, -ENOSPC, ... */
int layer_end(struct layer *layer, bool complete, struct unpacked *ret, struct error *err);

#endif
