/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_UTIL_FILE_H
#define CTRACE_UTIL_FILE_H

#include <dirent.h>
#include <stddef.h>

#include "util/error.h"

/* The first max bytes, or a little more, of a file such as those of /proc, which have no size; NUL-terminated
 * and the caller's to free. NULL where it cannot be opened (errno says why). ret_length may be NULL. */
char *file_read(const char *path, size_t max, size_t *ret_length);

/* Opens a file of our own state for reading and writing, made with 0600 where there is none, never through a symbolic
 * link, and waits for its exclusive lock, which closing it gives back. Returns the descriptor, or a negative errno. */
int file_open_locked(const char *path, struct error *err);

/* Opens the directory path, which is relative to dir_fd (openat(2)), for reading its entries from the first on; "." reads
 * dir_fd's own and leaves its position alone. flags may add O_NOFOLLOW. The caller closes it. NULL where that fails
 * (errno says why): no descriptor stays. */
DIR *file_open_directory(int dir_fd, const char *path, int flags);

#endif
