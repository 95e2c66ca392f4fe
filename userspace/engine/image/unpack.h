/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_UNPACK_H
#define CTRACE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * A tar into a directory: one layer's, which overlayfs can use as a lower layer (image-spec, layer.md), or any other.
 *
 * Every path is resolved below the layer's root by the kernel (openat2, RESOLVE_IN_ROOT); a path with
 * ".." is refused outright. A layer's whiteouts become character devices 0:0 or trusted.overlay.opaque; what
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
	uint64_t left_out;       /* device nodes that options.foreign does not let in */
	/* Directories that the tar uses but does not list, each once: the layer below has the say about
	 * their mode and owner. One may have been replaced later. Freed with unpacked_free. */
	char **implied;
	size_t implied_count, implied_capacity;
};

/* How an archive that is no layer is unpacked, by docker cp's rules: a directory never takes the place of something else, nor
 * something else that of a directory; the root itself stays as it is. */
struct unpack_options {
	const char *what; /* its name in errors: "the archive" */
	bool compressed;  /* it may be: gzip, bzip2, xz, zstd */
	bool foreign; /* what comes in is ours then, and harmless: no owner, setuid bit, capability or device node is kept */
};

void unpacked_free(struct unpacked *u);

/* Gives the next bytes of the tar: their number, 0 at the end, negative to stop. */
typedef ssize_t unpack_read(void *arg, const void **ret_bytes);

/* Returns 0; -EBADMSG for a damaged tar; -EPERM for an entry that tries to leave the layer; -E2BIG
 * beyond a bound; -ENOSPC; -ECANCELED when read said stop. May stop reading before the end of the
 * stream, at the tar's end mark. */
int unpack_tar(int root_fd, unpack_read *read, void *arg, struct unpacked *ret, struct error *err);

/* The same of an archive that is no layer. Also -EEXIST where a directory and something else would replace each other. */
int unpack_archive(int root_fd, const struct unpack_options *options, unpack_read *read, void *arg,
	struct unpacked *ret, struct error *err);

#endif
