/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ROLES_H
#define CTRACE_ROLES_H

#include <stdbool.h>

#include "bpf/event_types.h"

/* What a process is by its name alone (comm, so at most 15 bytes of the program's name). Returns false
 * for a name that says nothing. */
bool roles_by_name(const char comm[EVENT_COMM], enum event_role *ret_role);

/* Fills the kernel side's table; runtimes: further names of OCI runtimes, NULL-terminated, or NULL. */
void roles_fill_names(int map_fd, const char *const *runtimes);

#endif
