/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SNAPSHOT_H
#define CTRACE_SNAPSHOT_H

#include "capture/capture_internal.h"

enum {
	SNAPSHOT_MAX_TASKS = 200000,
	SNAPSHOT_MAX_CGROUPS = 100000, /* in all hierarchies */
	SNAPSHOT_MAX_DEPTH = 64
};

/* Pushes what exists already: processes that make or are containers with their ancestors and
 * children, every cgroup, then EVENT_SNAPSHOT_END. All of it carries the time at which the hooks were
 * attached, so that it comes before everything that was seen live. What vanishes meanwhile or exceeds
 * the bounds is counted in *ret_lost. */
void snapshot_push(struct capture *capture, uint64_t *ret_lost);

/* The cgroup half of it (snapshot_cgroups.c). */
void snapshot_push_cgroups(struct capture *capture, uint64_t *lost);

#endif
