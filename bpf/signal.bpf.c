// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Signals to the processes of a container and to those that make it, with their sender. */
#include "common.h"

enum {
	SIG_HUP = 1, SIG_INT, SIG_QUIT, SIG_ILL, SIG_ABRT = 6, SIG_BUS, SIG_FPE, SIG_KILL, SIG_USR1, SIG_SEGV,
	SIG_USR2, SIG_TERM = 15, SIG_CONT = 18, SIG_STOP, SIG_TSTP, SIG_XCPU = 24, SIG_SYS = 31,
	CODE_KERNEL = 0x80
};

static __always_inline bool is_wanted(int signal, __u8 target_role)
{
	const __u32 always = 1u << SIG_HUP | 1u << SIG_INT | 1u << SIG_QUIT | 1u << SIG_ILL | 1u << SIG_ABRT |
		1u << SIG_BUS | 1u << SIG_FPE | 1u << SIG_KILL | 1u << SIG_SEGV | 1u << SIG_TERM |
		1u << SIG_CONT | 1u << SIG_STOP | 1u << SIG_TSTP | 1u << SIG_XCPU | 1u << SIG_SYS;
	const __u32 payload_only = 1u << SIG_USR1 | 1u << SIG_USR2;

	if (signal <= 0 || signal > 31)
		return false;
	if (always & 1u << signal)
		return true;
	return target_role == ROLE_PAYLOAD && payload_only & 1u << signal;
}

/* The kernel passes 0 for a plain kill and 1 for its own signals in place of the structure. */
static __always_inline int signal_code(struct kernel_siginfo *info)
{
	if (info == (void *)0)
		return 0;
	if (info == (void *)1)
		return CODE_KERNEL;
	return READ(info, si_code);
}

SEC("tp_btf/signal_generate")
int ct_signal_generate(unsigned long long *ctx)
{
	struct task_struct *task = (void *)ctx[2];
	__u32 tgid = READ(task, tgid);
	__u64 start_ns = start_time(task);
	__u8 role = role_get(tgid, start_ns);
	struct event_signal *e;
	struct pid_identity id;

	if (!is_wanted(ctx[0], role))
		return 0;
	id = pid_identity(task);
	if (role == ROLE_NONE && id.level == 0)
		return 0;
	if (id.number != 1 && !has_room(&lifecycle_ring, role, EVENT_SIGNAL))
		return 0;
	e = bpf_ringbuf_reserve(&lifecycle_ring, sizeof(*e), 0);
	if (!e) {
		count_lost(EVENT_SIGNAL);
		return 0;
	}
	event_init(&e->h, EVENT_SIGNAL, sizeof(*e));
	e->signal = ctx[0];
	e->code = signal_code((void *)ctx[1]);
	e->result = ctx[4];
	e->group = ctx[3];
	e->target_tgid = tgid;
	e->target_tid = READ(task, pid);
	e->target_ns_tgid = id.number;
	e->target_ns_level = id.level;
	e->target_start_ns = start_ns;
	e->target_cgroup_id = identity_cgroup(task);
	read_text(e->target_comm, sizeof(e->target_comm), &task->comm);
	e->target_role = role;
	__builtin_memset(e->unused, 0, sizeof(e->unused));
	if (e->code == CODE_KERNEL)
		e->h.flags |= EVENT_F_KERNEL;
	bpf_ringbuf_submit(e, wake_flags(&lifecycle_ring, false));
	return 0;
}
