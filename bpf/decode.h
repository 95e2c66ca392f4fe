/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_DECODE_H
#define CTRACE_DECODE_H

/* What each system call's arguments mean: from args as the registers had them to those that OP_*
 * documents. Every function returns whether the call is worth a record. */

#include "call.h"

/* Arguments that the operation does not have are whatever the registers held: only those of the mask stay. */
static __always_inline void keep_arguments(struct call *call, __u32 mask)
{
#pragma unroll
	for (int i = 0; i < 6; i++) {
		if (!(mask & 1u << i))
			call->args[i] = 0;
	}
}

static __always_inline bool decode_plain(struct call *call, __u32 op, __u32 mask)
{
	call->op = op;
	keep_arguments(call, mask);
	return true;
}

/* One string that names something, no directory to resolve. */
static __always_inline bool decode_name(struct call *call, __u32 op, __u64 name, __u32 mask)
{
	call->op = op;
	call->a = name;
	keep_arguments(call, mask);
	call->has_strings = 1;
	return true;
}

/* One path, and the directory that it is relative to. */
static __always_inline bool decode_path(struct call *call, __u32 op, __u64 path, __s32 dfd,
	__u32 mask)
{
	call->dfd = dfd;
	call->target = 1;
	return decode_name(call, op, path, mask);
}

static __always_inline bool decode_mount(struct call *call)
{
	call->op = OP_MOUNT;
	call->a = call->args[0];
	call->b = call->args[1];
	call->c = call->args[2];
	call->d = call->args[4];
	call->dfd = CALL_FDCWD;
	call->target = 2;
	call->has_strings = 1;
	keep_arguments(call, 1 << 3);
	return true;
}

static __always_inline bool decode_fsconfig(struct call *call)
{
	__u32 command = call->args[1];

	call->op = OP_FSCONFIG;
	if (command < 6) { /* FSCONFIG_CMD_CREATE and later have no key */
		call->a = call->args[2];
		call->has_strings = 1;
	}
	if (command == 1 || command == 3 || command == 4) /* SET_STRING, SET_PATH, SET_PATH_EMPTY */
		call->b = call->args[3];
	keep_arguments(call, 1 << 0 | 1 << 1 | 1 << 4);
	return true;
}

static __always_inline bool decode_move_mount(struct call *call)
{
	call->op = OP_MOVE_MOUNT;
	call->a = call->args[1];
	call->b = call->args[3];
	call->dfd = call->args[2];
	call->target = 2;
	call->has_strings = 1;
	keep_arguments(call, 1 << 0 | 1 << 2 | 1 << 4);
	return true;
}

static __always_inline bool decode_mount_setattr(struct call *call)
{
	__u64 attr[3] = {}; /* attr_set, attr_clr, propagation */
	__u64 path = call->args[1];

	bpf_probe_read_user(attr, sizeof(attr), (void *)call->args[3]);
	call->args[3] = attr[0];
	call->args[4] = attr[1];
	call->args[5] = attr[2];
	return decode_path(call, OP_MOUNT_SETATTR, path, call->args[0], 0x3d);
}

static __always_inline bool decode_pivot_root(struct call *call)
{
	call->b = call->args[1];
	return decode_path(call, OP_PIVOT_ROOT, call->args[0], CALL_FDCWD, 0);
}

/* args[2]: the namespace behind the descriptor; 0 for a pidfd. */
static __always_inline bool decode_setns(struct call *call)
{
	struct file *file = descriptor_file(call->args[0]);

	decode_plain(call, OP_SETNS, 1 << 0 | 1 << 1);
	if (file && READ(file, f_inode, i_sb, s_magic) == SUPER_NSFS)
		call->args[2] = READ(file, f_inode, i_ino);
	return true;
}

static __always_inline bool decode_sethostname(struct call *call)
{
	call->a_length = call->args[1];
	return decode_name(call, OP_SETHOSTNAME, call->args[0], 0);
}

/* libseccomp probes with a NULL filter, dozens of times a start: only an install counts. */
static __always_inline bool decode_seccomp(struct call *call)
{
	if (call->args[0] > 1 || !call->args[2])
		return false;
	return decode_plain(call, OP_SECCOMP, 1 << 0 | 1 << 1);
}

static __always_inline bool decode_prctl(struct call *call)
{
	enum { SET_SECCOMP = 22, SET_NO_NEW_PRIVS = 38, MODE_FILTER = 2 };
	__u64 mode = call->args[1];

	switch (call->args[0]) {
	case SET_NO_NEW_PRIVS:
		return decode_plain(call, OP_NO_NEW_PRIVS, 0);
	case SET_SECCOMP:
		if (mode == MODE_FILTER && !call->args[2])
			return false;
		call->args[0] = mode == MODE_FILTER;
		call->args[1] = 0;
		call->args[2] = 1;
		return decode_plain(call, OP_SECCOMP, 1 << 0 | 1 << 2);
	}
	return false;
}

static __always_inline bool decode_capset(struct call *call)
{
	/* struct __user_cap_data_struct[2]: effective, permitted, inheritable, low words first */
	__u32 data[6] = {};

	bpf_probe_read_user(data, sizeof(data), (void *)call->args[1]);
	call->args[0] = data[0] | (__u64)data[3] << 32;
	call->args[1] = data[1] | (__u64)data[4] << 32;
	call->args[2] = data[2] | (__u64)data[5] << 32;
	return decode_plain(call, OP_CAPSET, 7);
}

static __always_inline bool decode_clone(struct call *call, __u64 flags, __u64 cgroup)
{
	call->args[0] = flags;
	call->args[1] = cgroup;
	call->emit = flags & CLONE_NEW_ANY ? EMIT_AT_ENTRY : EMIT_IF_FAILED;
	return decode_plain(call, OP_CLONE, 3);
}

static __always_inline bool decode_clone3(struct call *call)
{
	__u64 from = call->args[0], size = call->args[1], flags = 0, cgroup = 0;
	const __u32 cgroup_offset = 80; /* struct clone_args: CLONE_ARGS_SIZE_VER2 has it */

	bpf_probe_read_user(&flags, sizeof(flags), (void *)from);
	if (size >= cgroup_offset + sizeof(cgroup))
		bpf_probe_read_user(&cgroup, sizeof(cgroup), (void *)(from + cgroup_offset));
	return decode_clone(call, flags, cgroup);
}

/* Signal 0 asks, SIGURG is how Go's scheduler interrupts its own threads. */
static __always_inline bool decode_kill(struct call *call, __u64 pid, __u64 signal)
{
	enum { SIG_URGENT = 23 };

	if (signal == 0 || signal == SIG_URGENT)
		return false;
	call->args[0] = pid;
	call->args[1] = signal;
	return decode_plain(call, OP_KILL, 3);
}

/* A pidfd does not tell its process on every kernel: pid ~0, the descriptor in args[2]. The
 * EVENT_SIGNAL beside it names the target. */
static __always_inline bool decode_pidfd_kill(struct call *call)
{
	__u64 fd = call->args[0];

	if (!decode_kill(call, ~0ULL, call->args[1]))
		return false;
	call->args[2] = fd;
	return true;
}

static __always_inline bool decode_mknod(struct call *call)
{
	__u64 path = call->args[0];

	call->args[3] = call->args[2];
	call->args[2] = call->args[1];
	call->args[0] = CALL_FDCWD;
	call->args[1] = 0;
	return decode_name(call, OP_MKNOD, path, 0x0d);
}

/* args: cgroup fd, program fd, attach type, flags. */
static __always_inline bool decode_bpf(struct call *call)
{
	enum { CMD_PROG_ATTACH = 8, ATTACH_CGROUP_DEVICE = 6 };
	__u32 attr[4] = {};

	if (call->args[0] != CMD_PROG_ATTACH)
		return false;
	bpf_probe_read_user(attr, sizeof(attr), (void *)call->args[1]);
	if (attr[2] != ATTACH_CGROUP_DEVICE)
		return false;
	for (int i = 0; i < 4; i++)
		call->args[i] = attr[i];
	return decode_plain(call, OP_BPF_PROG_ATTACH, 0x0f);
}

#endif
