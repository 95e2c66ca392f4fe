/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_COPY_H
#define CTRACE_COPY_H

/*
 * Files between a container and this host, by the rules and texts of docker cp: a path that ends in "/." is the
 * contents of a directory, one that ends in "/" must be one, what exists is replaced (but no directory by a file, nor a
 * file by a directory). Paths of a container are resolved by the kernel below its root; the container may run, and change what it likes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* The container's end, or the host's. */
struct copy_place {
	int root;              /* of the container (container_view.h); -1: this host */
	const char *container; /* its name in errors */
	const char *path;      /* of a container: seen from its "/"; of the host: from the working directory */
};

struct copy_options {
	bool follow; /* what the source is, where it is a symbolic link; else the link */
	/* To the host, too, keep owners, setuid bits, capabilities and device nodes. Else the copies are the caller's and these
	 * stay out: what a container made must not become a setuid program, or a disk, of the host. */
	bool archive;
	uint64_t left_out; /* result: device nodes that were not copied */
};

int copy_files(const struct copy_place *from, const struct copy_place *to, struct copy_options *o, struct error *err);

/* A tar of the source to a descriptor, or of the whole root of a container, as docker export. */
int copy_to_stream(const struct copy_place *from, const struct copy_options *o, int fd, struct error *err);
int copy_root_to_stream(int root, int fd, struct error *err);
/* A tar, compressed or not, from a descriptor into a directory. */
int copy_from_stream(int fd, const struct copy_place *to, struct copy_options *o, struct error *err);

#endif
