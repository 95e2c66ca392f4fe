// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hooks on kernel functions, where the kernel lets them attach. They cost nothing while nobody calls the
 * function, so they are always on, and nothing escapes them: what they see, the armed pair leaves out.
 */
#include "cgroup_write.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Every write to a file of cgroupfs comes through here, by whatever system call; the value is in the kernel's
 * own buffer, which the file's handler may trim: hence at entry. Runs with preemption on, so the area is
 * this program's alone: the kernel lets one instance of a program run on a CPU. */
SEC("fentry/cgroup_file_write")
int BPF_PROG(ct_cgroup_file_write, struct kernfs_open_file *of, char *buffer, __u64 count)
{
	struct file *file = BPF_CORE_READ(of, file);

	if (is_self() || !counters.function_writes)
		return 0;
	send_cgroup_kn(BPF_CORE_READ(of, kn), BPF_CORE_READ(file, f_inode, i_sb, s_magic), (__u64)buffer, count,
		EVENT_F_FENTRY, false, SCRATCH_FUNCTION);
	return 0;
}

SEC("fexit/cgroup_file_write")
int BPF_PROG(ct_cgroup_file_written, struct kernfs_open_file *of, char *buffer, __u64 count, __s64 offset,
	__s64 result)
{
	if (!is_self() && counters.function_writes)
		send_exit(OP_WRITE, result, EVENT_F_FENTRY);
	return 0;
}

/* mark_victim follows in the same task, on the same CPU or another: the limit's owner waits for it here. */
SEC("fentry/oom_kill_process")
int BPF_PROG(ct_oom_kill_process, struct oom_control *control, const char *message)
{
	struct mem_cgroup *memcg = BPF_CORE_READ(control, memcg);
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 owner = memcg ? BPF_CORE_READ(memcg, css.cgroup, kn, id) : ~0ULL;

	bpf_map_update_elem(&oom_owner, &tid, &owner, BPF_ANY);
	return 0;
}
