/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TUI_ANCESTORS_H
#define CTRACE_TUI_ANCESTORS_H

/* Control groups that containers are in. A thousand containers may have the same parent, so each is read once in a while. */

#include <stdint.h>

#include "cgroup/cgroup.h"

struct ancestors;

struct ancestor {
	struct cgroup_stats stats;
	float cpu, throttle; /* percent of one CPU, of the scheduler's periods, over the last readings; -1 = unknown */
	uint64_t at_ns, used_ns;
	char path[];
};

struct ancestors *ancestors_new(void);
void ancestors_free(struct ancestors *a); /* takes NULL */

/* The group of that path in every hierarchy; may point cg at it. Lives until ancestors_forget. */
const struct ancestor *ancestors_get(struct ancestors *a, struct cgroup *cg, const char *path, uint64_t now_ns);
/* Forgets those that nobody asked for in a while. */
void ancestors_forget(struct ancestors *a, uint64_t now_ns);

/* What happened between two readings: percent of one CPU; of the scheduler's periods; -1 = unknown. */
float stats_cpu(const struct cgroup_stats *now, const struct cgroup_stats *before, uint64_t over_ns);
float stats_throttle(const struct cgroup_stats *now, const struct cgroup_stats *before);

#endif
