/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_UNPACK_H
#define CTRACE_UNPACK_H

#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * One layer's tar into a directory that overlayfs can use as a lower layer (image-spec, layer.md).
 *
 * Every path is resolved below the layer's root by the kernel (openat2, RESOLVE_IN_ROOT); a path with
 * ".." is refused outright. Whiteouts become character devices 0:0 or trusted.overlay.opaque; what
 * the tar itself carries of either is dropped, for it would be the layer's author speaking to
 * overlayfs. Whiteouts concern the layers below only, wherever in the tar they stand.
 */
enum {
	UNPACK_ENTRIES_MAX = 2000000, /* per layer */
	UNPACK_PATH_MAX = 4096,	      /* bytes */
	UNPACK_XATTRS_MAX = 128,      /* per entry */
};

struct unpacked {
	uint64_t entries, bytes; /* bytes of file contents */
	/* Directories that the tar uses but does not list, each once: the layer below has the say about
	 * their mode and owner. One may have been replaced later. Freed with unpacked_free. */
	char **implied;
	size_t implied_count, implied_capacity;
};

void unpacked_free(struct unpacked *u);

/* Gives the next bytes of the tar: their number, 0 at the end, negative to stop. */
typedef ssize_t unpack_read(void *arg, const void **ret_bytes);

/* Returns 0; -EBADMSG for a damaged tar; -EPERM for an entry that tries to leave the layer; -E2BIG
 * beyond a bound; -ENOSPC; -ECANCELED when read said stop. May stop reading before the end of the
 * stream, at the tar's end mark. */
int unpack_tar(int root_fd, unpack_read *read, void *arg, struct unpacked *ret, struct error *err);

#endif
