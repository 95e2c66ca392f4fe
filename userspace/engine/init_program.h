/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_INIT_PROGRAM_H
#define CTRACE_INIT_PROGRAM_H

#include <stddef.h>

#include "util/error.h"

/* Finds a small init for --init among those that distributions package (docker-init, catatonit, tini).
 * It must be static: it is bound into root file systems that have none of its libraries.
 * -ENOENT: there is none, and what to install. */
int init_program_find(char *ret_path, size_t size, struct error *err);

#endif
