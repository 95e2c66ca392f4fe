/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ROOTED_H
#define CTRACE_ROOTED_H

/* Files of a container's root file system, from the host's side. A path never leaves the root: every
 * symbolic link is resolved as inside (openat2(2), RESOLVE_IN_ROOT). */

#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

/* flags as open(2)'s. Returns a descriptor or a negative errno. */
int rooted_open(int root, const char *path, int flags);
/* The whole text of a regular file of at most limit bytes, NUL-terminated. -ENOENT: there is none;
 * -EFBIG: larger; -EINVAL: no regular file. */
int rooted_read(int root, const char *path, size_t limit, char **ret);
/* mkdir -p below the root, mode 0755, owned by root. */
int rooted_make_directory(int root, const char *path, struct error *err);

#endif
