/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_KERNEL_H
#define CTRACE_KERNEL_H

/*
 * The few kernel structures that ctrace reads, with just the fields that it uses. The loader finds
 * their true offsets in the running kernel's BTF (CO-RE), so neither order nor size matters here.
 * `___old` flavours describe what a field was before it was renamed; the commit is named beside it.
 */

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* bpf_tracing.h takes the kernel's names of registers, not those of user space. */
#define __VMLINUX_H__

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip;
	unsigned long cs, flags, sp, ss;
	__u64 orig_x0;   /* arm64 */
	__s32 syscallno;
};

struct user_pt_regs {
	__u64 regs[31];
	__u64 sp, pc, pstate;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic_long_t, atomic64_t;

struct kgid {
	__u32 val;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct uts_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct time_namespace {
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct user_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernel_capabilities {
	__u32 words[2]; /* one __u64 since v6.3 (f122a08b197d): the same 8 bytes */
};

struct cred {
	struct kgid uid, gid;
	struct kernel_capabilities cap_permitted;
	struct user_namespace *user_ns;
};

struct kernfs_node {
	struct kernfs_node *__parent;
	const char *name;
	__u64 id;
	void *priv; /* of a directory in cgroupfs: its struct cgroup */
};

/* parent became __parent in v6.15 (633488947ef6). */
struct kernfs_node___old {
	struct kernfs_node *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
};

struct page_counter {
	atomic_long_t usage;
	unsigned long max;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
	struct page_counter memsw; /* one union with swap */
};

struct pids_cgroup {
	struct cgroup_subsys_state css;
	atomic64_t counter, limit;
	atomic64_t events_local[2];
};

/* Before v6.11 (3f26a885b5c2). */
struct pids_cgroup___old {
	atomic64_t events_limit;
};

struct percpu_counter {
	__s64 count;
};

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct percpu_counter rss_stat[4];
};

/* rss_stat became percpu counters in v6.2 (f1a7941243c1). */
struct mm_rss_stat___old {
	atomic_long_t count[4];
};

struct mm_struct___old {
	struct mm_rss_stat___old rss_stat;
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[4];
};

struct seccomp {
	int mode;
};

struct qstr {
	const unsigned char *name;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
	void *i_private;
	__u16 i_mode;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct thread_info {
	unsigned long flags;
	__u32 status;
};

struct sched_info {
	unsigned long long run_delay; /* ns; the kernel has it with CONFIG_SCHED_INFO */
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int pid, tgid;
	unsigned int __state;
	int exit_code;
	__u64 start_boottime;
	struct sched_info sched_info;
	unsigned long atomic_flags;
	struct task_struct *group_leader, *real_parent;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	const struct cred *cred;
	const struct cred *real_cred;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct files_struct *files;
	struct fs_struct *fs;
	struct seccomp seccomp;
	char comm[16];
};

/* state became __state in v5.14 (2f064a59a11f). */
struct task_struct___old {
	long state;
};

struct linux_binprm {
	const char *filename;
};

struct kernel_siginfo {
	int si_code;
};

struct sock_common {
	__u16 skc_family;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
};

struct socket {
	struct sock *sk;
};

struct sockaddr_un_kernel {
	__u16 sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un_kernel name[1];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

struct oom_control {
	struct mem_cgroup *memcg;
	unsigned long totalpages;
	struct task_struct *chosen;
};

struct kiocb {
	struct file *ki_filp;
};

struct kernfs_open_file {
	struct kernfs_node *kn;
	struct file *file;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

/* Before v6.16 (the event class was shared) there is no such structure. */
struct trace_event_raw_sched_process_exit {
	bool group_dead;
};

/* mark_victim(int pid) up to v6.7, (task, uid) since (72ba14deb40a). */
struct trace_event_raw_mark_victim {
	__u32 uid;
};

#pragma clang attribute pop

/* Numbers differ with the kernel's configuration: only ever used through CO-RE. */
enum cgroup_subsys_id {
	cpu_cgrp_id = 1,
	memory_cgrp_id = 4,
	pids_cgrp_id = 11
};

#endif
