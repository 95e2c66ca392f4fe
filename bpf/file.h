/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_FILE_H
#define CTRACE_FILE_H

/* From descriptors to files, from files to names. */

#include "common.h"

enum {
	SUPER_CGROUP1 = 0x27e0eb,
	SUPER_CGROUP2 = 0x63677270,
	SUPER_NSFS = 0x6e736673
};

enum {
	PATH_STEPS = EVENT_SLOTS + 6, /* names and mounts that are passed on the way to the root */
	PATH_CUT = 1 << 8
};

static __always_inline struct file *descriptor_file(__u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = READ(task, files, fdt);
	struct file **files, *file = NULL;

	if (!table || fd >= READ(table, max_fds))
		return NULL;
	files = READ(table, fd);
	READ_FILE(file, files + fd);
	return file;
}

/* struct path, but on this side's stack: not relocated. */
struct place {
	void *mnt, *dentry;
};

static __always_inline void descriptor_path(struct place *at, __s32 fd)
{
	struct file *file = descriptor_file(fd);

	if (!file)
		return;
	at->mnt = READ(file, f_path.mnt);
	at->dentry = READ(file, f_path.dentry);
}

static __always_inline void working_directory(struct place *at)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	at->mnt = READ(task, fs, pwd.mnt);
	at->dentry = READ(task, fs, pwd.dentry);
}

/* struct mount holds the struct vfsmount that a path points to. */
static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/*
 * Names from the leaf up, through mounts, to the root of the mount namespace, into the path of the
 * struct event_syscall_enter in that scratch area. Returns the slots that were used, with
 * PATH_CUT when the path goes on beyond them. The root itself has one empty slot.
 *
 * A global function of plain numbers: the verifier looks at it once, not once for each way that leads
 * to it, and v5.10 knows no pointers as arguments of such functions.
 */
__weak int ct_resolve_path(__u32 area, __u64 from_mnt, __u64 from_dentry)
{
	struct event_syscall_enter *e = scratch(area);
	struct dentry *dentry = TYPED((struct dentry *)from_dentry), *parent;
	struct mount *mount, *above;
	__u64 slots = 0;

	if (!e || !from_dentry || !from_mnt)
		return 0;
	mount = TYPED(mount_of((void *)from_mnt));
	for (int step = 0; step < PATH_STEPS; step++) {
		slots = any_number(slots);
		if (dentry == READ(mount, mnt.mnt_root)) {
			above = READ(mount, mnt_parent);
			if (above == mount || !above)
				return slots ? slots : 1;
			dentry = READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		parent = READ(dentry, d_parent);
		if (parent == dentry || !parent)
			return slots ? slots : 1;
		if (slots >= EVENT_SLOTS)
			break;
		read_text(e->path[slots++], EVENT_NAME, READ(dentry, d_name.name));
		dentry = parent;
	}
	return slots | PATH_CUT;
}

#endif
