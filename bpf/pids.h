// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#ifndef CTRACE_PIDS_H
#define CTRACE_PIDS_H

/* Forks that the pids controller refused. The kernel tells nobody but counts them per cgroup (kernel/cgroup/pids.c), so the count
 * is looked at whenever a thread ends: soon after, a program that cannot fork gives up, and another thread makes room. */
#include "common.h"

enum {
	PIDS_MAX = 4194305,     /* PID_MAX_LIMIT + 1: more than that is nobody's limit */
	PIDS_LEVELS = 4,        /* a container's cgroup, its pod's, and two above */
	PIDS_TOLD_NS = 100000000 /* not more often for one cgroup, except at its end */
};

struct forks_told {
	__u64 count, at_ns;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, __u64); /* cgroup id in the hierarchy of pids */
	__type(value, struct forks_told);
} forks_told SEC(".maps");

static __always_inline __u64 refused_forks(struct pids_cgroup *pids)
{
	if (bpf_core_field_exists(pids->events_local)) /* since v6.11; [1] is PIDCG_FORKFAIL */
		return READ(pids, events_local[1].counter);
	return READ((struct pids_cgroup___old *)pids, events_limit.counter);
}

/* The limit with the least room below it, the cgroup's own or an ancestor's, is what refuses. */
static __always_inline void read_pids_limit(struct event_fork_refused *e, struct cgroup_subsys_state *css)
{
	__u64 least = ~0ULL;

	for (int i = 0; i < PIDS_LEVELS; i++) {
		struct pids_cgroup *pids = (struct pids_cgroup *)css; /* its first member, as with every controller */
		__u64 usage, limit, room;

		if (!css)
			break;
		usage = READ(pids, counter.counter);
		limit = READ(pids, limit.counter);
		room = limit > usage ? limit - usage : 0;
		if (limit < PIDS_MAX && room < least) {
			struct kernfs_node *kn = READ(css, cgroup, kn);

			least = room;
			e->id = READ(kn, id);
			e->usage = usage;
			e->limit = limit;
			read_text(e->name, sizeof(e->name), READ(kn, name));
		}
		css = READ(css, parent);
	}
}

static __always_inline void note_refused_forks(struct task_struct *task)
{
	struct cgroup_subsys_state *css;
	struct forks_told now = {}, *told;
	struct event_fork_refused *e;
	__u64 id;

	if (config.pids_subsys == CTRACE_IDENTITY_V2)
		return;
	css = subsys_state(task, config.pids_subsys);
	if (css)
		now.count = refused_forks((struct pids_cgroup *)css);
	if (!now.count)
		return;
	id = READ(css, cgroup, kn, id);
	now.at_ns = bpf_ktime_get_boot_ns();
	told = bpf_map_lookup_elem(&forks_told, &id);
	if (told && (told->count == now.count || (now.at_ns - told->at_ns < PIDS_TOLD_NS &&
		READ((struct pids_cgroup *)css, counter.counter) > 1)))
		return;
	e = bpf_ringbuf_reserve(&lifecycle_ring, sizeof(*e), 0);
	if (!e) {
		count_lost(EVENT_FORK_REFUSED);
		return;
	}
	event_init(&e->h, EVENT_FORK_REFUSED, sizeof(*e));
	e->refused = now.count;
	e->cgroup = id;
	e->id = e->usage = e->limit = 0;
	e->hierarchy = READ(css, cgroup, root, hierarchy_id);
	e->unused = 0;
	__builtin_memset(e->name, 0, sizeof(e->name));
	read_pids_limit(e, css);
	bpf_ringbuf_submit(e, wake_flags(&lifecycle_ring, false));
	bpf_map_update_elem(&forks_told, &id, &now, BPF_ANY);
}

#endif
