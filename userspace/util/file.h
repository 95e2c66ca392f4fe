/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FILE_H
#define CTRACE_FILE_H

#include <stddef.h>

/* The first max bytes, or a little more, of a file such as those of /proc, which have no size; NUL-terminated
 * and the caller's to free. NULL where it cannot be opened (errno says why). ret_length may be NULL. */
char *file_read(const char *path, size_t max, size_t *ret_length);

#endif
