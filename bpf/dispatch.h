/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_DISPATCH_H
#define CTRACE_DISPATCH_H

/* From a system call's number and registers to records, for whichever hook saw it: `flags` say which, EVENT_F_SYSENTER or
 * EVENT_F_FENTRY. */

#include "call.h"
#include "cgroup_write.h"
#include "decode.h"
#include "request.h"

#include <asm/unistd.h>

/* Numbers of 32-bit calls mean something else. */
static __always_inline bool is_compat(void)
{
#ifdef bpf_target_x86
	return READ((struct task_struct *)bpf_get_current_task(), thread_info.status) & 2; /* TS_COMPAT */
#else
	return READ((struct task_struct *)bpf_get_current_task(), thread_info.flags) & 1 << 22; /* TIF_32BIT */
#endif
}

static __always_inline bool is_data_call(long number)
{
	switch (number) {
	case __NR_write:
	case __NR_pwrite64:
	case __NR_writev:
	case __NR_read:
	case __NR_sendto:
	case __NR_sendmsg:
	case __NR_recvfrom:
	case __NR_recvmsg:
		return true;
	}
	return false;
}

static __always_inline bool is_control_call(long number)
{
	switch (number) {
	case __NR_mount:
	case __NR_umount2:
	case __NR_fsopen:
	case __NR_fsconfig:
	case __NR_fsmount:
	case __NR_open_tree:
	case __NR_move_mount:
	case __NR_mount_setattr:
	case __NR_pivot_root:
	case __NR_chroot:
	case __NR_unshare:
	case __NR_setns:
	case __NR_sethostname:
	case __NR_seccomp:
	case __NR_prctl:
	case __NR_capset:
	case __NR_execve:
	case __NR_execveat:
	case __NR_clone:
	case __NR_clone3:
	case __NR_kill:
	case __NR_tgkill:
	case __NR_pidfd_send_signal:
	case __NR_mknodat:
#ifdef __NR_mknod
	case __NR_mknod:
#endif
	case __NR_setuid:
	case __NR_setresuid:
	case __NR_setgid:
	case __NR_setresgid:
	case __NR_setgroups:
	case __NR_bpf:
		return true;
	}
	return false;
}

/* Returns whether the call is of interest; call->op says what it is. */
static __always_inline bool decode(struct call *call, long number, __u8 role)
{
	const __u64 *arg = call->args;

	switch (number) {
	case __NR_mount:
		return decode_mount(call);
	case __NR_umount2:
		return decode_path(call, OP_UMOUNT, arg[0], CALL_FDCWD, 1 << 1);
	case __NR_fsopen:
		return decode_name(call, OP_FSOPEN, arg[0], 0);
	case __NR_fsconfig:
		return decode_fsconfig(call);
	case __NR_fsmount:
		return decode_plain(call, OP_FSMOUNT, 7);
	case __NR_open_tree:
		return decode_path(call, OP_OPEN_TREE, arg[1], arg[0], 1 << 0 | 1 << 2);
	case __NR_move_mount:
		return decode_move_mount(call);
	case __NR_mount_setattr:
		return decode_mount_setattr(call);
	case __NR_pivot_root:
		return decode_pivot_root(call);
	case __NR_chroot:
		return decode_path(call, OP_CHROOT, arg[0], CALL_FDCWD, 0);
	case __NR_unshare:
		return decode_plain(call, OP_UNSHARE, 1);
	case __NR_setns:
		return decode_setns(call);
	case __NR_sethostname:
		return decode_sethostname(call);
	case __NR_seccomp:
		return decode_seccomp(call);
	case __NR_prctl:
		return decode_prctl(call);
	case __NR_capset:
		return decode_capset(call);
	case __NR_execve:
		return decode_name(call, OP_EXECVE, arg[0], 0);
	case __NR_execveat:
		return decode_name(call, OP_EXECVE, arg[1], 1 << 0 | 1 << 4);
	case __NR_clone:
		return decode_clone(call, arg[0], 0);
	case __NR_clone3:
		return decode_clone3(call);
	case __NR_kill:
		return decode_kill(call, arg[0], arg[1]);
	case __NR_tgkill:
		return decode_kill(call, arg[0], arg[2]);
	case __NR_pidfd_send_signal:
		return decode_pidfd_kill(call);
	case __NR_mknodat:
		return role == ROLE_RUNTIME && decode_name(call, OP_MKNOD, arg[1], 0x0d);
#ifdef __NR_mknod
	case __NR_mknod:
		return role == ROLE_RUNTIME && decode_mknod(call);
#endif
	case __NR_setuid:
	case __NR_setresuid:
		return role == ROLE_RUNTIME && decode_plain(call, OP_SETUID, 1);
	case __NR_setgid:
	case __NR_setresgid:
		return role == ROLE_RUNTIME && decode_plain(call, OP_SETGID, 1);
	case __NR_setgroups:
		return role == ROLE_RUNTIME && decode_plain(call, OP_SETGROUPS, 1);
	case __NR_bpf:
		return decode_bpf(call);
	}
	return false;
}

#ifdef CTRACE_DIRECT_READS
#ifdef bpf_target_x86
#define ARGUMENT1(regs) READ(regs, di)
#define ARGUMENT2(regs) READ(regs, si)
#define ARGUMENT3(regs) READ(regs, dx)
#define ARGUMENT4(regs) READ(regs, r10)
#define ARGUMENT5(regs) READ(regs, r8)
#else
#define ARGUMENT1(regs) READ(regs, orig_x0)
#define ARGUMENT2(regs) READ((struct user_pt_regs *)(regs), regs[1])
#define ARGUMENT3(regs) READ((struct user_pt_regs *)(regs), regs[2])
#define ARGUMENT4(regs) READ((struct user_pt_regs *)(regs), regs[3])
#define ARGUMENT5(regs) READ((struct user_pt_regs *)(regs), regs[4])
#endif
#else
#define ARGUMENT1 PT_REGS_PARM1_CORE_SYSCALL
#define ARGUMENT2 PT_REGS_PARM2_CORE_SYSCALL
#define ARGUMENT3 PT_REGS_PARM3_CORE_SYSCALL
#define ARGUMENT4 PT_REGS_PARM4_CORE_SYSCALL
#define ARGUMENT5 PT_REGS_PARM5_CORE_SYSCALL
#endif

static __always_inline void read_arguments(struct call *call, struct pt_regs *regs)
{
	call->args[0] = ARGUMENT1(regs);
	call->args[1] = ARGUMENT2(regs);
	call->args[2] = ARGUMENT3(regs);
	call->args[3] = ARGUMENT4(regs);
	call->args[4] = ARGUMENT5(regs);
	call->args[5] = 0;
}

static __always_inline int enter_control(struct pt_regs *regs, long number, __u8 role, __u8 flags)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct event_syscall_enter *e;
	struct call call = {}, *kept;

	call.time_ns = bpf_ktime_get_boot_ns();
	call.number = number;
	call.flags = flags;
	read_arguments(&call, regs);
	if (!decode(&call, number, role))
		return 0;
	counters.last_detail_ns = call.time_ns;
	remember(&call);
	/* From the map on the verifier knows nothing of the call any more: it walks what follows once, and not
	 * once for each system call. */
	kept = bpf_map_lookup_elem(&inflight, &tid);
	if (!kept || kept->emit != EMIT_AT_ENTRY)
		return 0;
	e = build_enter(kept, SCRATCH_ENTER);
	if (e && e->h.flags & EVENT_F_UNREADABLE && kept->op != OP_EXECVE)
		kept->emit = EMIT_AT_EXIT;
	else if (e)
		event_send(&bulk_ring, &e->h, sizeof(*e), false);
	return 0;
}

static __always_inline int enter_data(struct pt_regs *regs, long number, __u8 role, __u8 flags)
{
	__u64 fd = ARGUMENT1(regs), data = ARGUMENT2(regs);
	__u64 length = ARGUMENT3(regs);
	bool is_write = number == __NR_write || number == __NR_writev;
	struct call call = {};
	struct file *file;

	if (!is_write && number != __NR_pwrite64 && role != ROLE_CLI)
		return 0;
	file = descriptor_file(fd);
	if (!file || (role != ROLE_CLI && !is_cgroup_file(file)) || is_compat())
		return 0;
	call.time_ns = bpf_ktime_get_boot_ns();
	call.number = number;
	call.flags = flags;
	if ((is_write || number == __NR_pwrite64) && !counters.function_writes && is_cgroup_file(file)) {
		if (number == __NR_writev ? send_cgroup_vectors(file, data, length, flags)
					  : send_cgroup_write(file, data, length, flags)) {
			call.op = OP_WRITE;
			remember(&call);
		}
		return 0;
	}
	if (number == __NR_writev && !first_vector(data, &data, &length))
		return 0;
	if (role != ROLE_CLI || number == __NR_pwrite64 || !is_unix_stream(file))
		return 0;
	if (number == __NR_sendmsg || number == __NR_recvmsg) {
		if (!message_vector(data, &data, &length))
			return 0;
	}
	if (is_write || number == __NR_sendto || number == __NR_sendmsg)
		send_request(file, fd, data, length, flags);
	else
		remember_response(&call, fd, data, length);
	return 0;
}

/* Of clone only a failure matters when it makes no namespace; of execve too, but its entry was sent
 * already. */
static __always_inline void finish_control(struct call *call, long result)
{
	struct event_syscall_enter *e;

	if (call->emit == EMIT_IF_FAILED && result >= 0)
		return;
	if (call->op == OP_EXECVE && result >= 0)
		return;
	if (call->emit != EMIT_AT_ENTRY) {
		e = build_enter(call, SCRATCH_EXIT);
		if (e)
			event_send(&bulk_ring, &e->h, sizeof(*e), false);
	}
	send_exit(call, call->op, result, call->flags, SCRATCH_EXIT);
}

static __always_inline void finish_call(struct call *call, long result)
{
	if (call->op == OP_CALL_RESPONSE)
		send_response(call, result);
	else
		finish_control(call, result);
}

#endif
