// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes: fork, exec, exit, rename, and the roles that they pass on. */
#include "call.h"
#include "pids.h"

enum {
	CLONE_THREAD_FLAG = 0x00010000,
	CLONE_NEWTIME_FLAG = 0x00000080,
	SIGNAL_GROUP_EXIT_FLAG = 0x00000004,
	PFA_NO_NEW_PRIVS_BIT = 1 << 0
};

/* A payload's children are the container's own business: they would be without bound. */
static __always_inline __u8 role_of_child(__u8 creator, bool new_namespace)
{
	if (creator != ROLE_NONE && creator != ROLE_PAYLOAD)
		return creator;
	return new_namespace ? ROLE_HELPER : ROLE_NONE;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(ct_task_newtask, struct task_struct *child, __u64 clone_flags)
{
	bool new_namespace = clone_flags & CLONE_NEW_ANY;
	struct pid_identity id;
	struct event_fork *e;
	__u64 child_start;
	__u32 child_tgid;
	__u8 creator;

	if (clone_flags & CLONE_THREAD_FLAG || is_self())
		return 0;
	creator = current_role();
	if (role_of_child(creator, new_namespace) == ROLE_NONE)
		return 0;
	child_tgid = READ(child, tgid);
	child_start = start_time(child);
	role_set(child_tgid, child_start, role_of_child(creator, new_namespace));

	e = bpf_ringbuf_reserve(&lifecycle_ring, sizeof(*e), 0);
	if (!e) {
		count_lost(EVENT_FORK);
		return 0;
	}
	event_init(&e->h, EVENT_FORK, sizeof(*e));
	id = pid_identity(child);
	e->child_tgid = child_tgid;
	e->child_ns_tgid = id.number;
	e->child_start_ns = child_start;
	e->clone_flags = clone_flags;
	e->child_cgroup_id = identity_cgroup(child);
	e->child_ns_level = id.level;
	e->parent_tgid = READ(child, real_parent, tgid);
	read_namespaces(&e->ns, child);
	if (new_namespace)
		note_sentinel(e->h.time_ns);
	bpf_ringbuf_submit(e, wake_flags(&lifecycle_ring, new_namespace));
	return 0;
}

/* /proc/self/exe, /proc/self/fd/N, /dev/fd/N (execveat): a runtime that executes itself, or a sealed copy. */
static __always_inline bool is_own_program(const char *name)
{
	char s[20] = {};

	read_text(s, sizeof(s), name);
	return has_prefix(s, "/dev/fd/") || has_prefix(s, "/proc/self/fd/") || has_prefix(s, "/proc/self/exe");
}

static __always_inline __u8 role_after_exec(__u8 old, bool own_program)
{
	switch (old) {
	case ROLE_NONE:
	case ROLE_PAYLOAD:
	case ROLE_FOLLOWED:
		return old;
	case ROLE_RUNTIME:
		return own_program ? ROLE_RUNTIME : ROLE_PAYLOAD;
	default:
		return ROLE_HELPER;
	}
}

static __always_inline void read_credentials(struct event_exec *e, struct task_struct *task)
{
	const struct cred *cred = READ(task, real_cred);

	e->uid = READ(cred, uid.val);
	e->gid = READ(cred, gid.val);
	READ_WORDS(e->cap_permitted, &cred->cap_permitted);
	e->seccomp_mode = READ(task, seccomp.mode);
	e->no_new_privs = READ(task, atomic_flags) & PFA_NO_NEW_PRIVS_BIT;
}

static __always_inline long read_long_argv(char *argv, unsigned long start, unsigned long end)
{
	const __u32 tail = EVENT_ARGV_HEAD + sizeof(EVENT_ARGV_CUT) - 1;

	__builtin_memcpy(argv + EVENT_ARGV_HEAD, EVENT_ARGV_CUT, sizeof(EVENT_ARGV_CUT) - 1);
	return bpf_probe_read_user(argv, EVENT_ARGV_HEAD, (void *)start) ||
		bpf_probe_read_user(argv + tail, EVENT_ARGV_TAIL, (void *)(end - EVENT_ARGV_TAIL));
}

static __always_inline void read_argv(struct event_exec *e, struct task_struct *task)
{
	unsigned long start = READ(task, mm, arg_start);
	unsigned long end = READ(task, mm, arg_end);
	__u32 length = end > start ? end - start : 0;
	long failed;

	e->argv_total = length;
	if (length > EVENT_ARGV - 1) {
		length = EVENT_ARGV - 1;
		e->h.flags |= EVENT_F_TRUNCATED;
		failed = read_long_argv(e->argv, start, end);
	} else {
		failed = bpf_probe_read_user(e->argv, length & (EVENT_ARGV - 1), (void *)start);
	}
	if (failed) {
		e->h.flags |= EVENT_F_UNREADABLE;
		length = 0;
	}
	e->argv_length = length;
	e->h.size = offsetof(struct event_exec, argv) + length;
}

/* What the program before this one used. */
struct cpu_figures {
	__u64 on_cpu_ns, run_queue_ns;
	bool known;
};

static __always_inline bool send_exec(struct task_struct *task, int old_pid, const char *filename, bool named,
	__u8 old_role, const struct cpu_figures *cpu)
{
	struct event_exec *e = scratch(SCRATCH_EXEC);

	if (!e)
		return false;
	event_init(&e->h, EVENT_EXEC, sizeof(*e));
	if (e->h.role == old_role && !has_room(&lifecycle_ring, e->h.role, EVENT_EXEC))
		return false;
	e->on_cpu_ns = cpu->on_cpu_ns;
	e->run_queue_ns = cpu->run_queue_ns;
	if (cpu->known)
		e->h.flags |= EVENT_F_CPU;
	e->old_tid = old_pid;
	e->parent_tgid = READ(task, real_parent, tgid);
	e->unused0 = 0;
	e->unused1 = 0;
	read_namespaces(&e->ns, task);
	read_credentials(e, task);
	zero(e->filename, sizeof(e->filename));
	if (read_text(e->filename, sizeof(e->filename), filename) == sizeof(e->filename))
		e->h.flags |= EVENT_F_TRUNCATED;
	read_argv(e, task);
	if (config.follow_tgid && e->h.tgid == config.follow_tgid)
		e->h.flags |= EVENT_F_FOLLOWED;
	if (named)
		note_sentinel(e->h.time_ns);
	return event_send(&lifecycle_ring, &e->h, sizeof(*e), named);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(ct_sched_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	const char *filename = READ(bprm, filename);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	char name[EVENT_COMM] = {};
	struct cpu_figures cpu = {};
	struct ctrace_role *begun;
	struct pid_identity id;
	__u64 start_ns;
	__u8 old, *known;
	__u8 role;

	if (is_self())
		return 0;
	bpf_get_current_comm(name, sizeof(name));
	start_ns = start_time(task);
	old = role_get(tgid, start_ns);
	known = bpf_map_lookup_elem(&role_of_name, name);
	role = known ? *known : role_after_exec(old, is_own_program(filename));
	if (role == ROLE_NONE && tgid == config.follow_tgid)
		role = ROLE_FOLLOWED;
	role = any_number(role);
	old = any_number(old);
	if (old != ROLE_NONE)
		cpu.known = sched_report(tgid, start_ns, &cpu.on_cpu_ns, &cpu.run_queue_ns);
	if (role != ROLE_NONE || old != ROLE_NONE)
		role_set(tgid, start_ns, role);
	if (old != ROLE_NONE && (__u32)old_pid != tgid) /* another thread than the first: it goes on as the first one */
		forget_call(old_pid);
	if (role != ROLE_NONE)
		sched_begin();
	/* A process that loses its role by its new name is told of once more. */
	if (role == ROLE_NONE && old == ROLE_NONE) {
		id = pid_identity(task);
		if (id.level == 0 || id.number != 1)
			return 0;
	}
	if (send_exec(task, old_pid, filename, any_number(known != NULL), old, &cpu))
		return 0;
	begun = role_find(tgid, start_ns);
	if (begun)
		begun->epoch = 0; /* nobody will know what came before */
	return 0;
}

/* Kernels that tell say exactly once which thread is the last; on the others two threads that
 * die at once may both find the count at 0, which user space sees as a second exit. */
static __always_inline bool is_last_thread(unsigned long long *ctx, struct task_struct *task)
{
	if (bpf_core_field_exists(struct trace_event_raw_sched_process_exit, group_dead))
		return ctx[1];
	return READ(task, signal, live.counter) == 0;
}

/* What wait(2) will say of the process. */
static __always_inline int exit_status(struct task_struct *task)
{
	if (READ(task, signal, flags) & SIGNAL_GROUP_EXIT_FLAG)
		return READ(task, signal, group_exit_code);
	return READ(task, group_leader, exit_code);
}

SEC("tp_btf/sched_process_exit")
int ct_sched_process_exit(unsigned long long *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct event_exit *e;
	__u64 start_ns;
	__u8 role;
	int status;

	if (is_self())
		return 0;
	note_refused_forks(task);
	start_ns = start_time(task);
	role = role_get(tgid, start_ns);
	if (!is_last_thread(ctx, task)) {
		/* One that was kept from here until the last of its process had gone has no role any more. */
		if (role != ROLE_NONE || READ(task, signal, live.counter) == 0)
			forget_call(bpf_get_current_pid_tgid());
		return 0;
	}
	status = exit_status(task);
	if (role == ROLE_NONE) {
		struct pid_identity id = pid_identity(task);

		if (id.level == 0 || (id.number != 1 && (status & 0x7f) == 0))
			return 0;
		if (id.number != 1 && !has_room(&lifecycle_ring, role, EVENT_EXIT))
			return 0;
	}
	e = bpf_ringbuf_reserve(&lifecycle_ring, sizeof(*e), 0);
	if (e) {
		event_init(&e->h, EVENT_EXIT, sizeof(*e));
		e->exit_code = status;
		e->parent_tgid = READ(task, real_parent, tgid);
		if (sched_report(tgid, start_ns, &e->on_cpu_ns, &e->run_queue_ns))
			e->h.flags |= EVENT_F_CPU;
		bpf_ringbuf_submit(e, wake_flags(&lifecycle_ring, false));
	} else {
		count_lost(EVENT_EXIT);
	}
	if (role != ROLE_NONE) {
		bpf_map_delete_elem(&role_of, &tgid);
		forget_call(bpf_get_current_pid_tgid()); /* it may have died in the middle of one */
	}
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(ct_task_rename, struct task_struct *task, const char *comm)
{
	__u32 tgid = READ(task, tgid);
	struct event_rename *e;
	__u8 role;

	/* A task may rename another thread of its process through /proc; then the header would lie. */
	if (tgid != bpf_get_current_pid_tgid() >> 32 || is_self())
		return 0;
	role = role_get(tgid, start_time(task));
	if (role == ROLE_NONE || !has_room(&lifecycle_ring, role, EVENT_RENAME))
		return 0;
	e = bpf_ringbuf_reserve(&lifecycle_ring, sizeof(*e), 0);
	if (!e) {
		count_lost(EVENT_RENAME);
		return 0;
	}
	event_init(&e->h, EVENT_RENAME, sizeof(*e));
	__builtin_memset(e->new_comm, 0, sizeof(e->new_comm));
	read_text(e->new_comm, sizeof(e->new_comm), comm);
	bpf_ringbuf_submit(e, wake_flags(&lifecycle_ring, false));
	return 0;
}
