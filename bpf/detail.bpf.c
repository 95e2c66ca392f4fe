// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The armed detail tier: one pair of hooks on every system call of the host, attached only while
 * containers are made, changed or torn down. What is not of interest must leave by the first switch.
 */
#include "dispatch.h"

SEC("tp_btf/sys_enter")
int BPF_PROG(ct_sys_enter, struct pt_regs *regs, long number)
{
	bool data = is_data_call(number);
	__u8 role;

	if (!data && !is_control_call(number))
		return 0;
	if (is_self())
		return 0;
	role = any_number(current_role());
	if (data)
		return enter_data(regs, number, role, EVENT_F_SYSENTER);
	if (role == ROLE_NONE || role == ROLE_PAYLOAD || is_compat())
		return 0;
	return enter_control(regs, number, role, EVENT_F_SYSENTER);
}

static __always_inline long call_number(struct pt_regs *regs)
{
#ifdef bpf_target_x86
	return regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

SEC("tp_btf/sys_exit")
int BPF_PROG(ct_sys_exit, struct pt_regs *regs, long result)
{
	long number = call_number(regs);
	struct call *call;
	__u32 tid;

	if (!is_data_call(number) && !is_control_call(number))
		return 0;
	tid = bpf_get_current_pid_tgid();
	call = bpf_map_lookup_elem(&inflight, &tid);
	if (!call)
		return 0;
	if (call->number == (__u32)number)
		finish_call(call, result);
	forget_call(tid);
	return 0;
}
