// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* OOM kills: the victim, and what each of its memory cgroups held at that moment. The cgroup may be
 * gone before user space could read it. */
#include "common.h"

enum { RSS_FILE, RSS_ANON, RSS_SWAP, RSS_SHMEM };

static __always_inline __u64 to_kb(__s64 pages)
{
	return pages < 0 ? 0 : pages * (config.page_size / 1024);
}

/* A macro, since CO-RE relocates an index only when it is a literal. */
#define resident_kb(mm, kind)                                                                     \
	to_kb(bpf_core_field_exists((mm)->rss_stat[0].count) ?                                    \
			READ((mm), rss_stat[kind].count) :                               \
			READ((struct mm_struct___old *)(mm), rss_stat.count[kind].counter))

static __always_inline __u64 limit_pages(unsigned long max)
{
	/* PAGE_COUNTER_MAX is LONG_MAX / PAGE_SIZE: more than that is nobody's limit. */
	return max >= EVENT_NO_LIMIT / config.page_size ? EVENT_NO_LIMIT : max;
}

static __always_inline void read_memcg(struct event_memcg *m, struct mem_cgroup *memcg)
{
	struct kernfs_node *kn = READ(memcg, css.cgroup, kn);

	m->id = READ(kn, id);
	m->usage_pages = READ(memcg, memory.usage.counter);
	m->limit_pages = limit_pages(READ(memcg, memory.max));
	m->memsw_pages = 0;
	m->memsw_limit_pages = 0;
	if (bpf_core_field_exists(memcg->memsw)) {
		m->memsw_pages = READ(memcg, memsw.usage.counter);
		m->memsw_limit_pages = limit_pages(READ(memcg, memsw.max));
	}
	read_text(m->name, sizeof(m->name), READ(kn, name));
}

static __always_inline void read_chain(struct event_oom *e, struct task_struct *task)
{
	struct cgroup_subsys_state *css = subsys_state(task, config.memory_subsys);

	e->memory_hierarchy = css ? READ(css, cgroup, root, hierarchy_id) : 0;
#pragma unroll
	for (int i = 0; i < EVENT_MEMCG_LEVELS; i++) {
		if (!css)
			break;
		/* css is the first member of struct mem_cgroup, on every kernel that has one. */
		read_memcg(&e->chain[i], (struct mem_cgroup *)css);
		e->levels = i + 1;
		css = READ(css, parent);
	}
	if (css)
		e->h.flags |= EVENT_F_TRUNCATED;
}

static __always_inline void read_victim(struct event_oom *e, struct task_struct *task)
{
	struct pid_identity id = pid_identity(task);
	struct mm_struct *mm = READ(task, mm);

	e->victim_tgid = READ(task, tgid);
	e->victim_ns_tgid = id.number;
	e->victim_ns_level = id.level;
	e->victim_start_ns = start_time(task);
	e->victim_cgroup_id = identity_cgroup(task);
	read_text(e->victim_comm, sizeof(e->victim_comm), &task->comm);
	if (mm) {
		e->anon_kb = resident_kb(mm, RSS_ANON);
		e->file_kb = resident_kb(mm, RSS_FILE);
		e->shmem_kb = resident_kb(mm, RSS_SHMEM);
	}
	if (config.memory_subsys != CTRACE_IDENTITY_V2)
		read_chain(e, task);
}

SEC("tp_btf/mark_victim")
int ct_mark_victim(unsigned long long *ctx)
{
	struct event_oom *e = scratch(SCRATCH_OOM);
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 *owner;

	if (!e)
		return 0;
	zero(e, sizeof(*e));
	event_init(&e->h, EVENT_OOM_VICTIM, sizeof(*e));
	e->page_size = config.page_size;
	if (bpf_core_field_exists(struct trace_event_raw_mark_victim, uid))
		read_victim(e, (void *)ctx[0]);
	else
		e->victim_tgid = (__u32)ctx[0];
	owner = bpf_map_lookup_elem(&oom_owner, &tid);
	if (owner) {
		e->limit_id = *owner;
		e->h.flags |= EVENT_F_FENTRY;
		bpf_map_delete_elem(&oom_owner, &tid);
	}
	e->h.size = offsetof(struct event_oom, chain) + e->levels * sizeof(e->chain[0]);
	event_send(&lifecycle_ring, &e->h, sizeof(*e), false);
	return 0;
}
