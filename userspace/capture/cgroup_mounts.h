/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CGROUP_MOUNTS_H
#define CTRACE_CGROUP_MOUNTS_H

#include "timeline/timeline.h"
#include "util/cleanup.h"

/* The number of the v1 hierarchy that has this controller ("cpu"), else 0: the v2 tree. */
uint32_t cgroup_mounts_find(const struct timeline_config *config, const char *controller);

enum { CGROUP_MOUNTS_MAX = ARRAY_SIZE(((struct timeline_config *)NULL)->hierarchies) };

/* Descriptors of the root directories of all hierarchies of config, in its order; -1 where one is not mounted whole. */
void cgroup_mounts_open_all(const struct timeline_config *config, int fds[CGROUP_MOUNTS_MAX]);

/* A descriptor of the root directory of a hierarchy of config, where it is mounted whole, or a negative errno. */
int cgroup_mounts_open(const struct timeline_config *config, uint32_t hierarchy);

#endif
