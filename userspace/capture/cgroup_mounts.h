/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CGROUP_MOUNTS_H
#define CTRACE_CGROUP_MOUNTS_H

#include "timeline/timeline.h"

/* The number of the v1 hierarchy that has this controller ("cpu"), else 0: the v2 tree. */
uint32_t cgroup_mounts_find(const struct timeline_config *config, const char *controller);

/* A descriptor of the root directory of a hierarchy of config, where it is mounted whole, or a negative errno. */
int cgroup_mounts_open(const struct timeline_config *config, uint32_t hierarchy);

#endif
