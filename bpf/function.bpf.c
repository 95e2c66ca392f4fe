// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hooks on kernel functions, where the kernel lets them attach. They cost nothing while nobody calls the
 * function, so they are always on: nothing escapes them, and nothing is missed at the front. What they
 * see, the armed pair leaves out; where all of them attach, it is not needed.
 */
#include "dispatch.h"

/* Of no system call: the pair leaves such an entry alone, and whatever it belongs to replaces it. */
enum { NUMBER_OF_WRITE = 0x7fffffff };

/* Every write to a file of cgroupfs comes through here, by whatever system call; the value is in the kernel's
 * own buffer, which the file's handler may trim: hence at entry. Runs with preemption on, so the area is
 * this program's alone: the kernel lets one instance of a program run on a CPU. */
static __always_inline int write_begins(struct kernfs_open_file *of, __u64 buffer, __u64 count)
{
	struct file *file = READ(of, file);
	struct call call = { .op = OP_WRITE, .number = NUMBER_OF_WRITE, .flags = EVENT_F_FENTRY };

	if (is_self() || !counters.function_writes)
		return 0;
	if (counters.sched_epoch & 1)
		remember(&call);
	send_cgroup_kn(READ(of, kn), READ(file, f_inode, i_sb, s_magic), buffer, count,
		EVENT_F_FENTRY, false, SCRATCH_FUNCTION);
	return 0;
}

static __always_inline int write_ends(__s64 result)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct call *call;

	if (is_self() || !counters.function_writes)
		return 0;
	call = bpf_map_lookup_elem(&inflight, &tid);
	if (call && call->number != NUMBER_OF_WRITE)
		call = NULL;
	send_exit(call, OP_WRITE, result, EVENT_F_FENTRY, SCRATCH_FUNCTION);
	if (call)
		forget_call(tid);
	return 0;
}

/* mark_victim follows in the same task, on the same CPU or another: the limit's owner waits for it here. */
static __always_inline int kill_begins(struct oom_control *control)
{
	struct mem_cgroup *memcg = READ(control, memcg);
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 owner = memcg ? READ(memcg, css.cgroup, kn, id) : ~0ULL;

	bpf_map_update_elem(&oom_owner, &tid, &owner, BPF_ANY);
	return 0;
}

SEC("fentry/cgroup_file_write")
int BPF_PROG(ct_cgroup_file_write, struct kernfs_open_file *of, char *buffer, __u64 count)
{
	return write_begins(of, (__u64)buffer, count);
}

SEC("fexit/cgroup_file_write")
int BPF_PROG(ct_cgroup_file_written, struct kernfs_open_file *of, char *buffer, __u64 count, __s64 offset,
	__s64 result)
{
	return write_ends(result);
}

SEC("fentry/oom_kill_process")
int BPF_PROG(ct_oom_kill_process, struct oom_control *control, const char *message)
{
	return kill_begins(control);
}

/* The same by kprobes, for architectures and kernels that have no trampolines. */
SEC("kprobe/cgroup_file_write")
int BPF_KPROBE(ct_probe_file_write, struct kernfs_open_file *of, char *buffer, __u64 count)
{
	return write_begins(of, (__u64)buffer, count);
}

SEC("kretprobe/cgroup_file_write")
int BPF_KRETPROBE(ct_probe_file_written, long result)
{
	return write_ends(result);
}

SEC("kprobe/oom_kill_process")
int BPF_KPROBE(ct_probe_oom_kill, struct oom_control *control)
{
	return kill_begins(control);
}

static __always_inline long number_of(struct pt_regs *regs)
{
#ifdef bpf_target_x86
	return READ(regs, orig_ax);
#else
	return READ(regs, syscallno);
#endif
}

/* The kernel's functions for the system calls of is_control_call, called with the caller's registers. On x86 32-bit calls
 * have functions of their own, on arm64 most share these. One kprobe.multi link takes them all: it attaches and detaches as one. */
SEC("kprobe.multi/syscalls")
int BPF_KPROBE(ct_call, struct pt_regs *regs)
{
	__u8 role;

	if (is_self())
		return 0;
	role = current_role();
	if (role == ROLE_NONE || role == ROLE_PAYLOAD || is_compat())
		return 0;
	return enter_control(regs, number_of(regs), role, EVENT_F_FENTRY);
}

static __always_inline int call_ends(long result)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&inflight, &tid);

	if (!call)
		return 0;
	finish_call(call, result);
	forget_call(tid);
	return 0;
}

SEC("kretprobe.multi/syscalls")
int BPF_KRETPROBE(ct_called, long result)
{
	return call_ends(result);
}

/* What clients say to daemons, and hear: unix_stream_sendmsg and unix_stream_recvmsg. The system call that led here
 * tells where the data is. */
SEC("kprobe.multi/unix_stream")
int ct_stream(struct pt_regs *ctx)
{
	struct pt_regs *regs;
	long number;

	if (current_role() != ROLE_CLI)
		return 0;
	regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	number = number_of(regs);
	return is_data_call(number) ? enter_data(regs, number, ROLE_CLI, EVENT_F_FENTRY) : 0;
}

SEC("kretprobe.multi/unix_stream")
int BPF_KRETPROBE(ct_streamed, long result)
{
	return current_role() == ROLE_CLI ? call_ends(result) : 0;
}
