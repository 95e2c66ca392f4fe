/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RESOURCES_H
#define CTRACE_RESOURCES_H

/*
 * What containers use of what they may use, read from their control groups, with history. Reading a thousand
 * groups takes a tenth of a second, so each call has a budget: those that are looked at come first, the others in
 * turn.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"
#include "timeline/timeline.h"
#include "util/strbuf.h"

enum { RESOURCE_HISTORY = 240, RESOURCE_LEVELS = 16, RESOURCE_UNKNOWN = -1 };

struct resource_point {
	uint64_t at_ns;
	int64_t memory; /* bytes, -1 = unknown */
	float cpu;      /* percent of one CPU, -1 = unknown */
	float throttle; /* percent of the scheduler's periods, -1 = unknown */
	int32_t pids;
};

/* What has limits: bytes, thousandths of a CPU, tasks. */
enum resource_kind { RESOURCE_MEMORY, RESOURCE_CPU, RESOURCE_PIDS, RESOURCE_KINDS };

/* A group or an ancestor of it: any of their limits may be the one that binds. */
struct resource_level {
	char *path;
	int64_t usage, limit; /* limit -1 = none; CGROUP_UNSET = unknown */
};

struct resource {
	uint64_t at_ns; /* of the newest figures; 0 = never read */
	bool gone;      /* the group is not there any more: the figures are the last known */
	struct cgroup_stats stats;
	/* over the time between the last two readings; -1 = unknown; throttle: of the most throttled of it and its parents */
	float cpu, throttle, throttle_above;
	struct resource_point history[RESOURCE_HISTORY]; /* a ring; the newest before `next` */
	size_t points, next;
	struct resource_level levels[RESOURCE_KINDS][RESOURCE_LEVELS]; /* own first, then the parents */
	size_t level_counts[RESOURCE_KINDS], levels_cut; /* cut: parents above these, which are not looked at */
	uint64_t levels_ns;
	/* of one that was there before: lines of /proc/PID/cgroup, which tell more than the snapshot does */
	char *proc_cgroup;
	uint64_t seen_round;
	struct strbuf key; /* of it in the map */
};

struct resources;

struct resources *resources_new(void);
void resources_free(struct resources *r); /* takes NULL */

/* NULL = nothing was read of it yet. r may be NULL. */
const struct resource *resources_get(const struct resources *r, const struct container *c);

/* Reads the groups of the containers of `tl`: those for which wanted() is true always, the others while less than
 * budget_ns has passed. */
typedef bool resources_wanted(void *arg, const struct container *c);
void resources_read(struct resources *r, struct timeline *tl, uint64_t now_ns, uint64_t budget_ns,
	resources_wanted *wanted, void *arg);

/* The point `back` readings ago, 0 = the newest; NULL = that far back there is none. */
const struct resource_point *resource_point(const struct resource *r, size_t back);

/* The level whose limit leaves the least room; NULL = no limit is known. */
const struct resource_level *resource_binding(const struct resource *r, enum resource_kind kind);

/* The memory limit that a container was given, from the writes that were seen: bytes, or -1. */
int64_t container_memory_limit(const struct container *c);
/* The cpus that it was given by quota; 0 = no limit is known. */
double container_cpu_limit(const struct container *c);
int64_t container_pids_limit(const struct container *c);

#endif
