/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ROLES_H
#define CTRACE_ROLES_H

#include "util/error.h"

/* Fills the kernel side's table: what a process is by its name alone (comm, so at most 15 bytes of the program's name). */
int roles_fill_names(int map_fd, struct error *err);

#endif
