/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PACK_H
#define CTRACE_PACK_H

#include <stddef.h>

#include "util/error.h"

/*
 * A file, or a directory with all that is in it, as a tar (pax). The tree may be hostile and may change meanwhile: no symbolic
 * link is followed, nothing but regular files and directories is ever opened, and a file that grows is cut at the size it had.
 * Sockets are left out. Of extended attributes it keeps user.*, security.capability and ACLs.
 */
enum {
	PACK_ENTRIES_MAX = 2000000,
	PACK_DEPTH_MAX = 512, /* directories in directories: each holds a descriptor */
};

/* Takes the next bytes of the tar. Returns 0, or a negative errno to stop; err may be NULL. */
typedef int pack_write(void *arg, const void *bytes, size_t length);

/* A pack_write that writes to a descriptor. */
struct output_stream {
	int fd;
	int failed; /* result: the errno of the write that did */
};
int output_stream_write(void *stream, const void *bytes, size_t length);

/* top: a descriptor (O_PATH will do) of what is packed; name: its path in the tar, "" for a directory's contents only.
 * Returns 0; -ECANCELED when write stopped it; -E2BIG beyond a bound; the errno of what could not be read. */
int pack_tree(int top, const char *name, pack_write *write, void *arg, struct error *err);

/* A layer of the store as the tar that image-spec's layer.md describes: what overlayfs keeps as whiteouts and opaque directories
 * become .wh. files. The root has an entry only where its mode or owner is not what unpacking gives it. The same tree gives the
 * same bytes every time. Returns as pack_tree. */
int pack_layer(int top, pack_write *write, void *arg, struct error *err);

#endif
