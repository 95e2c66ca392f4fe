// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The processes that are there when tracing begins, with the exact start times that /proc rounds, and
 * the roles that their names give them. */
#include "common.h"

/* What a shim started in a mount namespace of its own: an exec session, or the init of a container in a pid namespace that is
 * not its own (docker run --pid). */
static __always_inline bool is_payload_of_shim(struct task_struct *task)
{
	struct task_struct *parent = READ(task, real_parent, group_leader);
	char name[EVENT_COMM] = {};
	__u8 *known;

	if (!parent)
		return false;
	read_text(name, sizeof(name), &parent->comm);
	known = bpf_map_lookup_elem(&role_of_name, name);
	return known && *known == ROLE_SHIM &&
		READ(task, nsproxy, mnt_ns) != READ(parent, nsproxy, mnt_ns);
}

/* What a name does not tell: the first process of a pid namespace is somebody's payload, unless it is a stage of runc's
 * (runc:[2:INIT]), which has that yet to execute. */
static __always_inline __u8 role_in_snapshot(const struct event *e, struct task_struct *task)
{
	__u8 *known = bpf_map_lookup_elem(&role_of_name, e->comm);

	if (known && e->tgid != config.self_tgid)
		return *known;
	if (e->comm[0] == 'r' && e->comm[1] == 'u' && e->comm[2] == 'n' && e->comm[3] == 'c' && e->comm[4] == ':')
		return ROLE_RUNTIME;
	if (e->ns_level > 0 && e->ns_tgid == 1)
		return ROLE_PAYLOAD;
	return is_payload_of_shim(task) ? ROLE_PAYLOAD : ROLE_NONE;
}

/* The head of a struct event_task; user space adds what only /proc has. */
SEC("iter/task")
int ct_snapshot(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct ctrace_role role = {};
	struct ctrace_snapshot_task t;

	if (!task || task->pid != task->tgid)
		return 0;
	if (READ(task, signal, live.counter) == 0) /* dead, and its parent has not asked: its exit will never be told */
		return 0;
	__builtin_memset(&t, 0, sizeof(t));
	event_init_task(&t.h, EVENT_SNAPSHOT_TASK, sizeof(t), task);
	if (t.h.flags & EVENT_F_KERNEL)
		return 0;
	t.h.role = role_in_snapshot(&t.h, task);
	if (t.h.role == ROLE_NONE && t.h.tgid == config.self_tgid) /* unless it is in a container itself */
		return 0;
	t.parent_tgid = READ(task, real_parent, tgid);
	read_namespaces(&t.ns, task);
	if (t.h.role != ROLE_NONE) {
		role.start_ns = t.h.start_ns;
		role.role = t.h.role;
		/* The hooks run already and know better. */
		if (bpf_map_update_elem(&role_of, &t.h.tgid, &role, BPF_NOEXIST) == -7 /* E2BIG */)
			count_lost(CTRACE_LOST_ROLE);
	}
	bpf_seq_write(seq, &t, sizeof(t));
	return 0;
}
