/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_SCHED_H
#define CTRACE_SCHED_H

/*
 * What the scheduler's hook counts and those of processes report. Times are CLOCK_MONOTONIC here, which is cheaper than the
 * records' clock; they leave as durations only. How long a task has waited for a CPU the kernel itself adds up, when it gets
 * one (sched_info_arrive in kernel/sched/stats.h, which runs after the tracepoint of the switch): /proc/PID/schedstat.
 */

#include "common.h"

/* The task of a process with a role that this CPU runs; only the CPU itself writes it. */
struct ctrace_running {
	__u64 since_ns;
	__u64 run_delay_ns; /* what it had waited for a CPU before it waited for this one */
	__u32 tid;          /* 0 = none that counts */
	__u32 unused;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ctrace_running);
} running_task SEC(".maps");

static __always_inline struct ctrace_running *sched_running(void)
{
	__u32 zero_key = 0;

	return bpf_map_lookup_elem(&running_task, &zero_key);
}

static __always_inline __u64 sched_run_delay(struct task_struct *task)
{
	return bpf_core_field_exists(task->sched_info.run_delay) ? READ(task, sched_info.run_delay) : 0;
}

/* How much of a stretch on a CPU falls into what began at begin_ns: a call, or a process by its fork or last exec. */
static __always_inline __u64 sched_stretch(const struct ctrace_running *running, __u64 begin_ns, __u64 now)
{
	__u64 since_ns = running->since_ns < begin_ns ? begin_ns : running->since_ns;

	return now > since_ns ? now - since_ns : 0;
}

/* The wait before that stretch; none where the process began only in it. run_delay_ns is the task's, now. The part of a wait that
 * a task spent in another CPU's queue, before it was moved from there, is missing: the kernel adds that up when it moves it. */
static __always_inline __u64 sched_wait(const struct ctrace_running *running, __u64 begin_ns, __u64 run_delay_ns)
{
	return running->since_ns < begin_ns ? 0 : run_delay_ns - running->run_delay_ns;
}

/* The figures of the current process up to now. False when the hooks were not attached all the time. */
static __always_inline bool sched_report(__u32 tgid, __u64 start_ns, __u64 *on_cpu_ns, __u64 *run_queue_ns)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct ctrace_role *role = role_find(tgid, start_ns);
	struct ctrace_running *running = sched_running();

	*on_cpu_ns = 0;
	*run_queue_ns = 0;
	if (!role || !running || !role->epoch || role->epoch != counters.sched_epoch)
		return false;
	*on_cpu_ns = role->on_cpu_ns;
	*run_queue_ns = role->run_queue_ns;
	if (running->tid != (__u32)bpf_get_current_pid_tgid())
		return true;
	*on_cpu_ns += sched_stretch(running, role->since_ns, bpf_ktime_get_ns());
	*run_queue_ns += sched_wait(running, role->since_ns, sched_run_delay(task));
	return true;
}

/* The current task counts from here on, even if nobody saw it getting its CPU. */
static __always_inline void sched_begin(void)
{
	struct ctrace_running *running = sched_running();

	if (!running || !(counters.sched_epoch & 1))
		return;
	running->tid = bpf_get_current_pid_tgid();
	running->since_ns = bpf_ktime_get_ns();
	running->run_delay_ns = sched_run_delay((void *)bpf_get_current_task());
}

#endif
