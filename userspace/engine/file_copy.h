/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_FILE_COPY_H
#define CTRACE_FILE_COPY_H

#include "util/error.h"

/* cp -a of a directory's contents into another that exists: owners, modes, times, links, device nodes and
 * extended attributes. No link is followed. */
int file_copy_tree(int from, int to, struct error *err);

#endif
