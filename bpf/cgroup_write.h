/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_CGROUP_WRITE_H
#define CTRACE_CGROUP_WRITE_H

/* Writes to files of cgroupfs, by whomever. */

#include "call.h"

/* Names of the cgroup, leaf first, without the nameless root, into the struct event_cgroup_write in that
 * scratch area. Returns the slots used, EVENT_SLOTS + 1 when there are more. Global like
 * ct_resolve_path. */
__weak int ct_cgroup_names(__u32 area, __u64 directory)
{
	struct event_cgroup_write *e = scratch(area);
	struct kernfs_node *kn = TYPED((struct kernfs_node *)directory), *parent;

	if (!e || !kn)
		return 0;
	for (int i = 0; i < EVENT_SLOTS; i++) {
		parent = kernfs_parent(kn);
		if (!parent)
			return i;
		read_text(e->path[i], EVENT_NAME, READ(kn, name));
		kn = parent;
	}
	return kernfs_parent(kn) ? EVENT_SLOTS + 1 : EVENT_SLOTS;
}

static __always_inline __u32 hierarchy_of(struct kernfs_node *directory)
{
	struct cgroup *cgroup = READ(directory, priv);

	return cgroup ? READ(cgroup, root, hierarchy_id) : ~0u;
}

/* All but the value, which takes length bytes. */
static __always_inline bool begin_cgroup_write(struct event_cgroup_write *e, struct kernfs_node *file, __u32 magic, __u64 length,
	__u8 flags, __u32 area)
{
	struct kernfs_node *directory = kernfs_parent(file);

	if (!directory)
		return false;
	event_init(&e->h, EVENT_CGROUP_WRITE, sizeof(*e));
	e->h.flags = flags;
	e->hierarchy = hierarchy_of(directory);
	e->magic = magic;
	e->id = READ(directory, id);
	e->length = length;
	zero(e->file, sizeof(*e) - offsetof(struct event_cgroup_write, file));
	read_text(e->file, sizeof(e->file), READ(file, name));
	if (ct_cgroup_names(area, as_number(directory, e->path)) > EVENT_SLOTS)
		e->h.flags |= EVENT_F_TRUNCATED;
	return true;
}

static __always_inline void end_cgroup_write(struct event_cgroup_write *e, __u64 kept)
{
	e->h.size = offsetof(struct event_cgroup_write, value) + kept + 1;
	if (e->h.role != ROLE_NONE)
		counters.last_detail_ns = e->h.time_ns;
	event_send(&bulk_ring, &e->h, sizeof(*e), false);
}

/* from_user: value points into user memory. */
static __always_inline bool send_cgroup_kn(struct kernfs_node *file, __u32 magic, __u64 value, __u64 length,
	__u8 flags, bool from_user, __u32 area)
{
	struct event_cgroup_write *e = scratch(area);
	__u64 kept = length, most = from_user ? EVENT_DATA : KERNEL_TEXT;
	long failed;

	if (!e || !begin_cgroup_write(e, file, magic, length, flags, area))
		return false;
	if (kept > most - 1) {
		kept = most - 1;
		e->h.flags |= EVENT_F_TRUNCATED;
	}
	kept &= EVENT_DATA - 1;
	failed = from_user ? bpf_probe_read_user(e->value, kept, (void *)value) :
			     read_terminated(e->value, kept, (void *)value);
	if (failed) {
		e->h.flags |= EVENT_F_UNREADABLE;
		kept = 0;
	}
	end_cgroup_write(e, kept);
	return true;
}

static __always_inline bool is_cgroup_file(struct file *file)
{
	unsigned long magic = READ(file, f_inode, i_sb, s_magic);

	return magic == SUPER_CGROUP1 || magic == SUPER_CGROUP2;
}

static __always_inline bool send_cgroup_write(struct file *file, __u64 data, __u64 length, __u8 flags)
{
	return send_cgroup_kn(READ(file, f_inode, i_private), READ(file, f_inode, i_sb, s_magic), data, length, flags, true,
		SCRATCH_ENTER);
}

/* The pieces of a writev, one after the other: the kernel writes them as one (fs/kernfs/file.c). Of more than VECTORS, and of what is
 * longer than VECTOR_BYTES, the rest is left out. */
static __always_inline bool send_cgroup_vectors(struct file *file, __u64 vectors, __u64 count, __u8 flags)
{
	enum { VECTORS = 4, VECTOR_BYTES = EVENT_DATA / VECTORS - 1 };
	struct event_cgroup_write *e = scratch(SCRATCH_ENTER);
	__u64 at = 0;

	if (!e || !begin_cgroup_write(e, READ(file, f_inode, i_private), READ(file, f_inode, i_sb, s_magic), 0, flags, SCRATCH_ENTER))
		return false;
	for (__u32 i = 0; i < VECTORS && i < count; i++) {
		struct user_vector v = {};
		__u64 length;

		if (bpf_probe_read_user(&v, sizeof(v), (void *)(vectors + i * sizeof(v))) != 0) {
			e->h.flags |= EVENT_F_UNREADABLE;
			break;
		}
		length = v.length;
		if (length > VECTOR_BYTES) {
			length = VECTOR_BYTES;
			e->h.flags |= EVENT_F_TRUNCATED;
		}
		if (bpf_probe_read_user(e->value + at, length, (void *)v.base) != 0) {
			e->h.flags |= EVENT_F_UNREADABLE;
			break;
		}
		at += length;
		e->length += v.length;
	}
	if (count > VECTORS)
		e->h.flags |= EVENT_F_TRUNCATED;
	end_cgroup_write(e, at);
	return true;
}

#endif
