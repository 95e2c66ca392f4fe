/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_INSPECT_FIND_H
#define CTRACE_INSPECT_FIND_H

/* Containers that run now, found from /proc alone: whatever made them, no daemon is asked. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

enum found_ns { FOUND_MNT, FOUND_PID, FOUND_NET, FOUND_UTS, FOUND_IPC, FOUND_CGROUP, FOUND_USER, FOUND_TIME,
	FOUND_NS_COUNT };

struct found {
	char *id;           /* as its cgroup path tells, else the path's last component, else "pid-N" */
	char *name, *image; /* from the engine's state on disk; NULL = unknown */
	const char *engine; /* static string; NULL = unknown */
	char *pod;          /* NULL = none */
	pid_t pid;          /* pid 1 of its pid namespace, or the oldest process of its cgroup */
	uint64_t start_ticks;
	uint64_t ns[FOUND_NS_COUNT]; /* inode numbers, 0 = could not be read */
	bool has_pid_ns;    /* its init is pid 1 of a namespace of its own */
};

struct found_list {
	struct found *items;
	size_t count, capacity;
	uint64_t host_ns[FOUND_NS_COUNT];
};

const char *found_ns_name(enum found_ns ns); /* "mnt" */

/* All containers, in order of their start. Processes that go away meanwhile are left out. */
int found_scan(struct found_list *ret_list, struct error *err);
void found_list_free(struct found_list *list);

/* The one that `what` means: an id, a pid of any of its processes, a name, or the beginning of an id or
 * name that only one has. -ENOENT or -EEXIST (more than one) with those there are. */
int found_choose(const struct found_list *list, const char *what, const struct found **ret_found,
	struct error *err);

#endif
