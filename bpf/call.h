/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_CALL_H
#define CTRACE_CALL_H

/*
 * The detail tier: a system call is first decoded into a struct call (which arguments are strings,
 * which directory a path is relative to), and then made into records by code that all calls share.
 */

#include "common.h"
#include "file.h"
#include "sched.h"

enum call_emit {
	EMIT_AT_ENTRY = 0,
	/* A string was not in memory at entry (a literal in a page not touched since fork): the record
	 * is made at exit, with the time of the entry. */
	EMIT_AT_EXIT = 1,
	EMIT_IF_FAILED = 2
};

struct call {
	__u64 time_ns;
	__u64 args[6]; /* as OP_* documents them */
	__u64 a, b, c, d; /* user addresses of strings, 0 = none */
	__u32 op;
	__u32 number; /* of the system call, to pair entry and exit */
	__u32 a_length; /* a is not terminated: this many bytes */
	__s32 dfd;    /* the directory that the target is relative to */
	__u8 target;  /* 0 = nothing to resolve, 1 = the path in a, 2 = the path in b */
	__u8 emit;    /* enum call_emit */
	__u8 has_strings;
	__u8 flags; /* EVENT_F_SYSENTER or EVENT_F_FENTRY */
	__u32 unused;
	/* What the scheduler's hook adds up, since since_ns (CLOCK_MONOTONIC), in this odd sched_epoch; 0 = it is not
	 * attached. */
	__u64 epoch, since_ns, on_cpu_ns;
	__u64 run_delay_ns; /* what the thread had waited for a CPU at since_ns */
};

enum { CALL_FDCWD = -100 };

__weak struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CTRACE_MAX_INFLIGHT);
	__type(key, __u32); /* tid */
	__type(value, struct call);
} inflight SEC(".maps");

static __always_inline void read_string(struct event *e, char *to, __u32 size, __u64 from)
{
	long length;

	if (!from)
		return;
	length = bpf_probe_read_user_str(to, size, (void *)from);
	if (length < 0)
		e->flags |= EVENT_F_UNREADABLE;
	else if (length == size)
		e->flags |= EVENT_F_TRUNCATED;
}

static __always_inline __s32 parse_number(const char *s)
{
	__s32 n = -1;

#pragma unroll
	for (int i = 0; i < 7; i++) {
		if (s[i] < '0' || s[i] > '9')
			break;
		n = (n < 0 ? 0 : n * 10) + (s[i] - '0');
	}
	return n;
}

/* Runtimes mount onto /proc/self/fd/N: the string says nothing, the descriptor everything. For a
 * relative path the directory is resolved that it starts from. */
static __always_inline void resolve_target(struct event_syscall_enter *e, __u32 area, const char *target,
	__s32 dfd)
{
	struct place at = {};
	__u64 prefix = 0;
	__s32 fd = dfd;

	if (has_prefix(target, "/proc/self/fd/"))
		prefix = sizeof("/proc/self/fd/") - 1;
	else if (has_prefix(target, "/proc/thread-self/fd/"))
		prefix = sizeof("/proc/thread-self/fd/") - 1;
	else if (target[0] == '/')
		return;
	if (prefix)
		fd = parse_number(target + (any_number(prefix) & 31));
	if (fd == CALL_FDCWD)
		working_directory(&at);
	else if (fd >= 0)
		descriptor_path(&at, fd);
	e->path_slots = ct_resolve_path(area, as_number(at.mnt, e->path), as_number(at.dentry, e->path));
	if (e->path_slots & PATH_CUT) {
		e->path_slots &= ~PATH_CUT;
		e->h.flags |= EVENT_F_TRUNCATED;
	}
}

/* Reads what the call points to. The record ends behind the last part that has content. */
static __always_inline void read_strings(struct event_syscall_enter *e, const struct call *call, __u32 area)
{
	__u32 length = call->a_length;
	long n;

	zero(e->a, offsetof(struct event_syscall_enter, d) - offsetof(struct event_syscall_enter, a));
	if (length) {
		if (length > EVENT_STRING - 1)
			length = EVENT_STRING - 1;
		if (bpf_probe_read_user(e->a, length & (EVENT_STRING - 1), (void *)call->a) != 0)
			e->h.flags |= EVENT_F_UNREADABLE;
	} else {
		read_string(&e->h, e->a, sizeof(e->a), call->a);
	}
	read_string(&e->h, e->b, sizeof(e->b), call->b);
	read_string(&e->h, e->c, sizeof(e->c), call->c);
	if (call->target)
		resolve_target(e, area, call->target == 1 ? e->a : e->b, call->dfd);
	e->h.size = e->path_slots ? offsetof(struct event_syscall_enter, d) :
				    offsetof(struct event_syscall_enter, path);
	if (!call->d)
		return;
	n = bpf_probe_read_user_str(e->d, sizeof(e->d), (void *)call->d);
	if (n > 0 && n <= EVENT_DATA)
		e->h.size = offsetof(struct event_syscall_enter, d) + n;
	if (n < 0)
		e->h.flags |= EVENT_F_UNREADABLE;
	else if (n == EVENT_DATA)
		e->h.flags |= EVENT_F_TRUNCATED;
}

/* The entry record in its scratch area; NULL only if there is no such area. */
static __always_inline struct event_syscall_enter *build_enter(const struct call *call, __u32 area)
{
	struct event_syscall_enter *e = scratch(area);

	if (!e)
		return NULL;
	event_init(&e->h, EVENT_SYSCALL_ENTER, offsetof(struct event_syscall_enter, a));
	e->h.time_ns = call->time_ns;
	e->h.flags = call->flags;
	e->op = call->op;
	e->path_slots = 0;
	__builtin_memcpy(e->args, call->args, sizeof(e->args));
	e->mnt_ns = READ((struct task_struct *)bpf_get_current_task(), nsproxy, mnt_ns, ns.inum);
	e->unused = 0;
	if (call->has_strings)
		read_strings(e, call, area);
	return e;
}

static __always_inline void remember(struct call *call)
{
	__u32 tid = bpf_get_current_pid_tgid();

	if (counters.sched_epoch & 1) {
		call->epoch = counters.sched_epoch;
		call->since_ns = bpf_ktime_get_ns();
		call->run_delay_ns = sched_run_delay((void *)bpf_get_current_task());
	}
	if (bpf_map_update_elem(&inflight, &tid, call, BPF_ANY) != 0)
		count_lost(CTRACE_LOST_INFLIGHT);
}

/* ---- where a call spent its time ---- */

struct ctrace_stretch {
	__u64 ns;
	__u64 frames[CTRACE_FRAMES]; /* 0 = no more */
};

/* A thread that is, or was, blocked inside a call. */
struct ctrace_blocked {
	__u64 call_ns;  /* since_ns of the call that it is about: another call of the thread begins anew */
	__u64 since_ns; /* 0 = it runs */
	struct ctrace_stretch now, longest;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CTRACE_MAX_BLOCKED);
	__type(key, __u32); /* tid */
	__type(value, struct ctrace_blocked);
} blocked_in SEC(".maps");

/* The names are looked up here, in the thread that waited, and not in the scheduler. */
static __always_inline bool read_blocked(struct event_syscall_exit *e, const struct call *call)
{
	static const char format[] = "%ps\n%ps\n%ps\n%ps\n%ps\n%ps\n%ps\n%ps\n%ps\n%ps\n%ps\n%ps";
	__u32 tid = bpf_get_current_pid_tgid();
	struct ctrace_blocked *blocked = bpf_map_lookup_elem(&blocked_in, &tid);
	long length = -1;

	if (!blocked)
		return false;
	if (blocked->call_ns != call->since_ns || blocked->longest.ns < EVENT_LONG_BLOCK_NS)
		return false;
	e->blocked_ns = blocked->longest.ns;
	/* before v5.13 there is no such helper, and the hooks that fill the map are not attached */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_snprintf))
		length = bpf_snprintf(e->blocked_in, sizeof(e->blocked_in), format, blocked->longest.frames,
			sizeof(blocked->longest.frames));
	if (length < 0)
		e->blocked_in[0] = '\0';
	return true;
}

/* What is kept of a call goes when it ends, whether or not it was told of. */
static __always_inline void forget_call(__u32 tid)
{
	bpf_map_delete_elem(&inflight, &tid);
	bpf_map_delete_elem(&blocked_in, &tid);
}

/* call NULL: nothing is known of its beginning. */
static __always_inline void read_times(struct event_syscall_exit *e, const struct call *call)
{
	struct ctrace_running *running = sched_running();

	if (!call || !call->epoch || call->epoch != counters.sched_epoch || !running ||
		running->tid != (__u32)bpf_get_current_pid_tgid())
		return;
	e->on_cpu_ns = call->on_cpu_ns + sched_stretch(running, call->since_ns, bpf_ktime_get_ns());
	e->run_queue_ns = sched_run_delay((void *)bpf_get_current_task()) - call->run_delay_ns;
	e->h.flags |= EVENT_F_CPU;
	e->h.size = offsetof(struct event_syscall_exit, blocked_ns);
	if (read_blocked(e, call))
		e->h.size = sizeof(*e);
}

static __always_inline void send_exit(const struct call *call, __u32 op, __s64 result, __u8 flags, __u32 area)
{
	struct event_syscall_exit *e = scratch(area);

	if (!e)
		return;
	event_init(&e->h, EVENT_SYSCALL_EXIT, offsetof(struct event_syscall_exit, on_cpu_ns));
	e->h.flags = flags;
	e->op = op;
	e->unused = 0;
	e->result = result;
	read_times(e, call);
	event_send(&bulk_ring, &e->h, sizeof(*e), false);
}

#endif
