/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TREE_H
#define CTRACE_TREE_H

#include <stdbool.h>
#include <sys/types.h>

struct stat;

/* Files below a root that must not be left. Paths are relative, without ".." or leading '/'. */

/* openat2 with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: symlinks are followed inside the root only.
 * path "" is the root itself. Returns a descriptor or a negative errno. */
int tree_open(int root_fd, const char *path, int flags);
/* As tree_open, but a symlink anywhere is -ELOOP. */
int tree_open_nolinks(int root_fd, const char *path, int flags);

/* Removes name below dir_fd and all below it; 0 when it does not exist. Never follows a symlink and
 * never leaves the file system. */
int tree_remove(int dir_fd, const char *name);

/* A path as seen from a directory, both below the root: without "." and "..", which stops at the root as
 * it does in a chroot; symlinks are not looked at. The caller frees. */
char *tree_join(const char *directory, const char *path);

/* How a layer's tar says that something below it is gone, or all of a directory (image-spec, layer.md), and how overlayfs does. */
#define LAYER_WHITEOUT ".wh."
#define LAYER_OPAQUE_MARK ".wh..wh..opq"
#define LAYER_OPAQUE_XATTR "trusted.overlay.opaque"

/* An overlayfs whiteout: character device 0:0. */
bool tree_is_whiteout(const struct stat *st);

#endif
