// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Cgroups of all hierarchies, host-wide: made, removed, entered, frozen, emptied. */
#include "common.h"

static __always_inline struct event_cgroup *cgroup_event(__u16 kind, struct cgroup *cgroup, const char *path,
	__s32 value)
{
	struct event_cgroup *e = scratch(SCRATCH_CGROUP);
	long length;

	if (!e || is_self())
		return NULL;
	event_init(&e->h, kind, sizeof(*e));
	e->hierarchy = READ(cgroup, root, hierarchy_id);
	e->value = value;
	e->id = READ(cgroup, kn, id);
	e->level = READ(cgroup, level);
	e->target_tgid = 0;
	e->target_tid = 0;
	e->threadgroup = 0;
	e->target_start_ns = 0;
	length = read_text(e->path, sizeof(e->path), path);
	if (length <= 0) {
		e->path[0] = '\0';
		length = 1;
		e->h.flags |= EVENT_F_UNREADABLE;
	} else if (length == sizeof(e->path)) {
		e->h.flags |= EVENT_F_TRUNCATED;
	}
	e->h.size = offsetof(struct event_cgroup, path) + length;
	return e;
}

static __always_inline int cgroup_send(struct event_cgroup *e, bool is_sentinel)
{
	if (!e)
		return 0;
	if (is_sentinel)
		note_sentinel(e->h.time_ns);
	event_send(&lifecycle_ring, &e->h, sizeof(*e), is_sentinel);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(ct_cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
	return cgroup_send(cgroup_event(EVENT_CGROUP_MKDIR, cgroup, path, 0), true);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(ct_cgroup_rmdir, struct cgroup *cgroup, const char *path)
{
	return cgroup_send(cgroup_event(EVENT_CGROUP_RMDIR, cgroup, path, 0), false);
}

SEC("tp_btf/cgroup_release")
int BPF_PROG(ct_cgroup_release, struct cgroup *cgroup, const char *path)
{
	return cgroup_send(cgroup_event(EVENT_CGROUP_RELEASE, cgroup, path, 0), false);
}

SEC("tp_btf/cgroup_rename")
int BPF_PROG(ct_cgroup_rename, struct cgroup *cgroup, const char *path)
{
	return cgroup_send(cgroup_event(EVENT_CGROUP_RENAME, cgroup, path, 0), false);
}

SEC("tp_btf/cgroup_freeze")
int BPF_PROG(ct_cgroup_freeze, struct cgroup *cgroup, const char *path)
{
	return cgroup_send(cgroup_event(EVENT_CGROUP_FREEZE, cgroup, path, 0), true);
}

SEC("tp_btf/cgroup_unfreeze")
int BPF_PROG(ct_cgroup_unfreeze, struct cgroup *cgroup, const char *path)
{
	return cgroup_send(cgroup_event(EVENT_CGROUP_UNFREEZE, cgroup, path, 0), true);
}

SEC("tp_btf/cgroup_notify_populated")
int BPF_PROG(ct_cgroup_populated, struct cgroup *cgroup, const char *path, int value)
{
	return cgroup_send(cgroup_event(EVENT_CGROUP_POPULATED, cgroup, path, value), false);
}

SEC("tp_btf/cgroup_notify_frozen")
int BPF_PROG(ct_cgroup_frozen, struct cgroup *cgroup, const char *path, int value)
{
	return cgroup_send(cgroup_event(EVENT_CGROUP_FROZEN, cgroup, path, value), true);
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(ct_cgroup_attach, struct cgroup *cgroup, const char *path, struct task_struct *task, bool threadgroup)
{
	struct event_cgroup *e = cgroup_event(EVENT_CGROUP_ATTACH, cgroup, path, 0);

	if (!e)
		return 0;
	e->target_tgid = READ(task, tgid);
	e->target_tid = READ(task, pid);
	e->threadgroup = threadgroup;
	e->target_start_ns = start_time(task);
	return cgroup_send(e, false);
}
