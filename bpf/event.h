/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_EVENT_H
#define CTRACE_EVENT_H

/*
 * The record that the kernel side writes, user space reads, and a recording keeps: the one
 * header that both sides share. Fixed-width types, host byte order, natural alignment and no
 * implicit padding. Kinds and operations have explicit numbers and are only appended, so that
 * an old recording is always readable. userspace/capture/event_check.c asserts the layout.
 *
 * The includer provides __u8..__u64 and __s32/__s64 (vmlinux types or <linux/types.h>).
 *
 * A record is as short as its content: `size` counts the bytes that are there; trailing
 * members that a record has no use for are cut off (never in the middle). A reader treats what
 * lies beyond `size` as absent, never as zero.
 */

enum {
	EVENT_COMM = 16,       /* TASK_COMM_LEN */
	EVENT_NAME = 96,       /* one path component in a slot, NUL included */
	EVENT_SLOTS = 12,      /* path components, leaf first */
	EVENT_STRING = 256,    /* one string argument */
	EVENT_DATA = 1024,     /* mount options, written values, HTTP requests */
	EVENT_ARGV = 2048,     /* argv, NUL-separated; of a longer one its middle is left out */
	EVENT_ARGV_HEAD = 1536,
	EVENT_PATH = 512,      /* a cgroup path */
	EVENT_MEMCG_LEVELS = 8, /* a memory cgroup and its ancestors */
	EVENT_WHERE = 384,     /* functions that a thread was blocked in */
	EVENT_LONG_BLOCK_NS = 1000000
};

/* In the place of what is left out of a long argv, between its first EVENT_ARGV_HEAD bytes and its last: a runtime's last
 * argument is the container's id. "…" */
#define EVENT_ARGV_CUT "\xe2\x80\xa6"
enum { EVENT_ARGV_TAIL = EVENT_ARGV - EVENT_ARGV_HEAD - (sizeof(EVENT_ARGV_CUT) - 1) - 1 };

enum event_kind {
	/* lifecycle ring */
	EVENT_FORK = 1,              /* struct event_fork; the header is the creator's */
	EVENT_EXEC = 2,              /* struct event_exec */
	EVENT_EXIT = 3,              /* struct event_exit; only when the last thread goes */
	EVENT_RENAME = 4,            /* struct event_rename */
	EVENT_CGROUP_MKDIR = 5,      /* struct event_cgroup, as all EVENT_CGROUP_* here */
	EVENT_CGROUP_RMDIR = 6,
	EVENT_CGROUP_RELEASE = 7,
	EVENT_CGROUP_RENAME = 8,
	EVENT_CGROUP_ATTACH = 9,     /* target_* name the task that moved */
	EVENT_CGROUP_POPULATED = 10, /* value 0 or 1 */
	EVENT_CGROUP_FREEZE = 11,    /* v2 only */
	EVENT_CGROUP_UNFREEZE = 12,
	EVENT_CGROUP_FROZEN = 13,    /* value 0 or 1 */
	EVENT_OOM_VICTIM = 14,       /* struct event_oom; the header is the allocating task's */
	EVENT_SIGNAL = 15,           /* struct event_signal; the header is the sender's */
	EVENT_FORK_REFUSED = 16,     /* struct event_fork_refused; the header is of whoever ended in that cgroup next */

	/* bulk ring: the detail tier */
	EVENT_SYSCALL_ENTER = 32, /* struct event_syscall_enter */
	EVENT_SYSCALL_EXIT = 33,  /* struct event_syscall_exit; pairs by tid with the last enter */
	EVENT_CGROUP_WRITE = 34,  /* struct event_cgroup_write; its EVENT_SYSCALL_EXIT has op WRITE */
	EVENT_REQUEST = 35,       /* struct event_request: a known CLI writes to an AF_UNIX stream */
	EVENT_RESPONSE = 36,      /* struct event_request: the first bytes that it reads back */

	/* made by user space, so that a recording holds all that the timeline needs */
	EVENT_SNAPSHOT_TASK = 256,   /* struct event_task: alive when tracing began */
	EVENT_SNAPSHOT_CGROUP = 257, /* struct event_cgroup: existed when tracing began */
	EVENT_SNAPSHOT_END = 258,    /* header only: everything after this was seen live */
	EVENT_LINK = 259,            /* struct event_link: from rtnetlink */
	EVENT_LOST = 260,            /* struct event_lost */
	EVENT_ARMED = 261,           /* struct event_armed */
	EVENT_CGROUP_VALUE = 262,    /* struct event_cgroup_value: a cgroup file that was read */
	EVENT_META = 263,            /* struct event_meta: names that arrive late */
	EVENT_TICK = 264,            /* header only: time went by without an event */
	EVENT_NETNS = 265            /* struct event_netns */
};

/* Operations of the detail tier. Not syscall numbers: those differ between architectures. */
enum event_op {
	OP_NONE = 0,
	OP_MOUNT = 1,            /* source, target, fstype, data; args[3] flags */
	OP_UMOUNT = 2,           /* umount2: target in a; args[1] flags */
	OP_FSOPEN = 3,           /* fsname in a */
	OP_FSCONFIG = 4,         /* args: fd, cmd, -, -, aux; key in a, value in b (commands with a string) */
	OP_FSMOUNT = 5,          /* args: fd, flags, attr_flags */
	OP_OPEN_TREE = 6,        /* args: dfd, -, flags; path in a */
	OP_MOVE_MOUNT = 7,       /* args: from_dfd, -, to_dfd, -, flags; paths in a and b */
	OP_MOUNT_SETATTR = 8,    /* args: dfd, -, flags, attr_set, attr_clr, propagation; path in a */
	OP_PIVOT_ROOT = 9,       /* new_root in a, put_old in b; path = the working directory if a is "." */
	OP_CHROOT = 10,          /* path in a */
	OP_UNSHARE = 11,         /* args[0] flags */
	OP_SETNS = 12,           /* args: fd, nstype; args[2] the inode of the namespace file */
	OP_SETHOSTNAME = 13,     /* name in a */
	OP_SECCOMP = 14,         /* seccomp(2): args: op, flags; prctl(PR_SET_SECCOMP): args[0] = 1 (FILTER mode), args[2] = 1 */
	OP_CAPSET = 15,          /* args: effective, permitted, inheritable (64-bit masks) */
	OP_NO_NEW_PRIVS = 16,    /* prctl(PR_SET_NO_NEW_PRIVS) */
	OP_EXECVE = 17,          /* execve or execveat (args[0] dfd, args[4] flags): path in a; a
				    success is told by EVENT_EXEC, so mostly failures matter */
	OP_WRITE = 18,           /* only as the exit of EVENT_CGROUP_WRITE */
	OP_CLONE = 19,           /* clone, clone3 with namespace flags or failing: args[0] flags, args[1] cgroup fd */
	OP_CAPBSET_DROP = 20,    /* reserved */
	OP_KILL = 21,            /* kill, tgkill, pidfd_send_signal by lineage tasks: args: pid, sig */
	OP_MKNOD = 22,           /* mknodat: path in a; args[2] mode, args[3] dev */
	OP_SETUID = 23,          /* setuid, setresuid: args[0] uid */
	OP_SETGID = 24,          /* setgid, setresgid: args[0] gid */
	OP_SETGROUPS = 25,       /* args[0] count */
	OP_MKDIR = 26,           /* reserved */
	OP_BPF_PROG_ATTACH = 27, /* bpf(BPF_PROG_ATTACH, BPF_CGROUP_DEVICE): v2 device rules */
	OP_SYMLINK = 28,         /* reserved */
	OP_MAX
};

/* What a process is, as the kernel side knows it from its name and its parents. */
enum event_role {
	ROLE_NONE = 0,
	ROLE_CLI = 1,     /* docker, podman's client, ctr, nerdctl, crictl */
	ROLE_ENGINE = 2,  /* dockerd, podman, crio, buildkitd, kubelet */
	ROLE_CONTAINERD = 3,
	ROLE_SHIM = 4,    /* containerd-shim*, conmon */
	ROLE_RUNTIME = 5, /* runc, crun, youki, ctrace; kept across fork and the re-exec from a memfd */
	ROLE_PAYLOAD = 6, /* first program that a runtime's child executed: init, exec session or hook */
	ROLE_HELPER = 7,  /* any other program that a cli, engine, containerd or shim started */
	ROLE_FOLLOWED = 8 /* the command of `ctrace trace -- COMMAND`, and what it starts that has no
			     role by its name: followed for the lineage, part of no container */
};

enum event_flag {
	EVENT_F_TRUNCATED = 1 << 0,  /* a string, argv or path did not fit */
	EVENT_F_UNREADABLE = 1 << 1, /* a user pointer could not be read: strings are incomplete */
	EVENT_F_SYSENTER = 1 << 2,   /* seen by the armed sys_enter/sys_exit pair */
	EVENT_F_FENTRY = 1 << 3,     /* seen by fentry/fexit or kprobes: nothing escapes it */
	EVENT_F_KERNEL = 1 << 4,     /* the task in the header is incidental (interrupt, kthread) */
	EVENT_F_FOLLOWED = 1 << 5,   /* the command of `ctrace trace -- COMMAND` itself */
	EVENT_F_CPU = 1 << 6,        /* on_cpu_ns and run_queue_ns are known: the hooks were attached all the time */
	EVENT_F_IN_NETNS = 1 << 7    /* EVENT_LINK: it is the namespace netns_id in which it happened */
};

struct event {
	__u16 size; /* of the whole record, this header included */
	__u16 kind;
	__u8 flags;
	__u8 role; /* of the process, enum event_role */
	__u16 cpu;
	__u64 time_ns;   /* CLOCK_BOOTTIME */
	__u32 tgid, tid; /* in the initial pid namespace */
	__u32 ns_tgid;   /* in the task's own pid namespace; 1 for a container's init */
	__u32 ns_level;  /* depth of the task's pid namespace, 0 = initial */
	__u64 start_ns;  /* start_boottime of the process (thread group leader): (tgid, start_ns) names it */
	__u64 cgroup_id; /* in the identifying hierarchy that the recording header names */
	char comm[EVENT_COMM];
};

/* Inode numbers of a task's namespaces; 0 = could not be read. */
struct event_namespaces {
	__u32 mnt, pid, net, uts, ipc, cgroup, user, time;
};

struct event_fork {
	struct event h;
	__u32 child_tgid, child_ns_tgid;
	__u64 child_start_ns;
	__u64 clone_flags; /* CLONE_*; the low byte is the exit signal where clone gave it */
	__u64 child_cgroup_id;
	__u32 child_ns_level;
	__u32 parent_tgid; /* real_parent: differs from the creator with CLONE_PARENT */
	struct event_namespaces ns; /* the child's */
};

struct event_exec {
	struct event h;
	__u32 old_tid;
	__u32 parent_tgid;
	struct event_namespaces ns;
	__u32 uid, gid; /* in the initial user namespace */
	__u64 cap_permitted;
	__u32 argv_length; /* bytes in argv that are there */
	__u32 argv_total;  /* bytes that argv has */
	__u8 seccomp_mode; /* 0 none, 1 strict, 2 filter */
	__u8 no_new_privs;
	__u16 unused0;
	__u32 unused1;
	/* Of all threads, added up, since the fork or the last exec; 0 without EVENT_F_CPU. */
	__u64 on_cpu_ns, run_queue_ns;
	char filename[EVENT_STRING];
	char argv[EVENT_ARGV]; /* NUL-separated */
};

struct event_exit {
	struct event h;
	__s32 exit_code;  /* wait(2) status word of the process: code << 8 | signal (| 0x80 core) */
	__u32 parent_tgid;
	__u64 on_cpu_ns, run_queue_ns; /* as in struct event_exec */
};

struct event_rename {
	struct event h;
	char new_comm[EVENT_COMM]; /* h.comm is the old one */
};

struct event_cgroup {
	struct event h;
	__u32 hierarchy; /* cgroup root id: 0 the v2 tree, else a v1 hierarchy of /proc/self/cgroup */
	__s32 value;
	__u64 id;        /* kernfs id: unique inside its hierarchy only */
	__u32 level;     /* 0 = root */
	__u32 target_tgid, target_tid;
	__u32 threadgroup;
	__u64 target_start_ns;
	char path[EVENT_PATH]; /* from the hierarchy's root */
};

/* page counters are in pages of 4096 bytes times page_size/4096; limit_pages of "max" is
 * EVENT_NO_LIMIT. */
#define EVENT_NO_LIMIT 0x7fffffffffffffffULL
struct event_memcg {
	__u64 id; /* cgroup id in the memory hierarchy */
	__u64 usage_pages, limit_pages;
	__u64 memsw_pages, memsw_limit_pages; /* v1 memory+swap, v2 swap; limit 0 = not read */
	char name[EVENT_NAME];
};

struct event_oom {
	struct event h;
	__u32 victim_tgid, victim_ns_tgid, victim_ns_level;
	__u32 levels;                 /* of chain, victim's own cgroup first */
	__u64 victim_start_ns;
	__u64 victim_cgroup_id;       /* identifying hierarchy */
	__u64 limit_id;               /* the memory cgroup whose limit was hit; 0 = not told by this kernel
					 (read it off the chain), ~0 = the whole machine */
	__u64 anon_kb, file_kb, shmem_kb;
	char victim_comm[EVENT_COMM];
	__u32 page_size, memory_hierarchy; /* hierarchy number of chain[].id */
	struct event_memcg chain[EVENT_MEMCG_LEVELS];
};

/* The pids controller refused to let a process of a cgroup fork. */
struct event_fork_refused {
	struct event h;    /* later than that, and another process: the kernel only counts */
	__u64 refused;     /* since that cgroup was made */
	__u64 cgroup;      /* its id in the hierarchy of pids */
	/* The limit with the least room, of the cgroup or an ancestor, when the record was made; limit 0 = none. */
	__u64 id;          /* of the cgroup that it is set in, in that hierarchy */
	__u64 usage, limit; /* threads */
	__u32 hierarchy;   /* as in struct event_cgroup */
	__u32 unused;
	char name[EVENT_NAME];
};

struct event_signal {
	struct event h;
	__s32 signal;
	__s32 code;   /* si_code; SI_KERNEL 0x80 = the kernel itself */
	__s32 result; /* TRACE_SIGNAL_*: 0 delivered */
	__u32 group;
	__u32 target_tgid, target_tid, target_ns_tgid, target_ns_level;
	__u64 target_start_ns, target_cgroup_id;
	char target_comm[EVENT_COMM];
	__u8 target_role;
	__u8 unused[7];
};

struct event_syscall_enter {
	struct event h;
	__u32 op;
	__u32 path_slots; /* used slots of path, 0 = path is absent */
	__u64 args[6];
	__u32 mnt_ns, unused;
	/* cut here when the operation has no strings */
	char a[EVENT_STRING];
	char b[EVENT_STRING];
	char c[64];
	/* the directory a target such as /proc/self/fd/N or "." stands for, leaf first, up to the
	 * root of the mount namespace; cut here when there is neither a path nor data */
	char path[EVENT_SLOTS][EVENT_NAME];
	char d[EVENT_DATA]; /* NUL-terminated */
};

struct event_syscall_exit {
	struct event h;
	__u32 op;
	__u32 unused;
	__s64 result;
	/* cut here without EVENT_F_CPU: of the calling thread, during the call; the rest of it was blocked */
	__u64 on_cpu_ns, run_queue_ns;
	/* cut here when it was never blocked for EVENT_LONG_BLOCK_NS at a stretch: the longest one, and the kernel's
	 * functions that it was in, innermost first, a line each */
	__u64 blocked_ns;
	char blocked_in[EVENT_WHERE];
};

struct event_cgroup_write {
	struct event h;
	__u32 hierarchy; /* as in struct event_cgroup; ~0 = unknown, then magic tells v1 from v2 */
	__u32 magic;     /* superblock: 0x27e0eb v1, 0x63677270 v2 */
	__u64 id;        /* of the cgroup whose file it is */
	__u64 length;    /* bytes that the caller asked to write */
	char file[EVENT_NAME];
	char path[EVENT_SLOTS][EVENT_NAME]; /* of the cgroup, leaf first; empty slots at the end */
	char value[EVENT_DATA];             /* NUL-terminated; cut to content */
};

struct event_request {
	struct event h;
	__u32 fd;
	__u32 length;         /* bytes in data */
	__u64 total;          /* bytes written or read */
	char peer[112];       /* sun_path of the socket's peer, "" unknown, "@..." abstract */
	char data[EVENT_DATA];
};

struct event_task {
	struct event h; /* the task itself; comm, start, cgroup, role as guessed from the name */
	__u32 parent_tgid;
	__u32 argv_length;
	struct event_namespaces ns;
	char exe[EVENT_STRING]; /* readlink of /proc/PID/exe; "" = could not be read */
	char argv[EVENT_ARGV];
};

struct event_link {
	struct event h; /* tgid, start_ns: the engine in whose network namespace it was heard, tgid 0 = in ctrace's own:
			   rtnetlink does not say who did it; time of reading, so later than the change */
	__u32 action;   /* 16 RTM_NEWLINK, 17 RTM_DELLINK, 20 RTM_NEWADDR, 21 RTM_DELADDR, 24 RTM_NEWROUTE */
	__u32 ifindex;
	__u32 peer_ifindex; /* IFLA_LINK; 0 = none */
	__s32 netns_id;     /* where it happened (EVENT_F_IN_NETNS), else IFLA_LINK_NETNSID or IFLA_NEW_NETNSID: where its
			       other end is, or it went to; -1 = none */
	__u32 flags;        /* IFF_* */
	__u32 master;       /* ifindex of the bridge; 0 = none */
	char name[EVENT_COMM];
	char kind[EVENT_COMM]; /* IFLA_INFO_KIND: veth, bridge, ... */
	char address[64];      /* of RTM_NEWADDR: "172.17.0.2/16" */
};

/* The network namespace that an id stands for, in the namespace that the header names as in struct event_link. */
struct event_netns {
	struct event h;
	__s32 netns_id;
	__u32 inode; /* 0 = it is gone, and another one may get the id */
};

/* Counters since the start of the capture, not since the last record. */
struct event_lost {
	struct event h;
	__u32 lost_kind; /* enum event_kind whose reserve failed; 0 = other, see reason */
	__u32 reason;    /* enum event_loss */
	__u64 count;
	/* They were lost between the header's time and this one; 0 = before the header's. Recordings before this
	 * field end at it. */
	__u64 until_ns;
};

enum event_loss {
	LOSS_RING_FULL = 1,     /* the ring had no room */
	LOSS_INFLIGHT_FULL = 2, /* a syscall in progress could not be remembered */
	LOSS_ROLE_FULL = 3,     /* a process of a lineage could not be remembered */
	LOSS_LATE = 4,          /* an event came too late to be put in order */
	LOSS_NETLINK = 5,       /* ENOBUFS from rtnetlink */
	LOSS_SNAPSHOT = 6,      /* a process or cgroup vanished or was unreadable in the snapshot */
	LOSS_RECORDING = 7,     /* could not be written to the recording */
	LOSS_BLOCKED_FULL = 8,  /* where a thread was blocked could not be remembered */
	LOSS_STREAM = 9,        /* not in the stream of a serving tracer: its reader is slow, or came late */
	LOSS_MISSED = 10,       /* a hook was passed while it ran already on that CPU; the kernel tells since v5.12 */
	/* With these no event was lost: they count what is there and changes unseen. */
	LOSS_UNWATCHED = 11,    /* a cgroup with a CPU quota was not watched: too many, or gone too soon; in recordings that know
				   no other of these three, any of them */
	LOSS_UNNAMED = 12,      /* names or labels were not looked for, or not kept up to date: too many, or unreadable */
	LOSS_UNHEARD = 13       /* an engine's network namespace was not listened to: too many, or it cannot be entered */
};

struct event_armed {
	struct event h; /* the task whose sentinel armed it */
	__u32 armed;    /* 1 armed, 0 disarmed, 2 always on (fentry, kprobes or --always-armed) */
	__u32 unused;
	__u64 sentinel_ns; /* time of the sentinel: between it and time_ns detail was not seen */
};

struct event_cgroup_value {
	struct event h;
	__u32 hierarchy;
	__u32 age_ms; /* it was read so long before time_ns: an earlier reading, told once a later one shows more */
	__u64 id;
	char file[EVENT_NAME];
	char value[EVENT_STRING];
};

/* Key and value are NUL-terminated strings, one after the other, in text. Keys: name, image,
 * engine, pod, namespace, bundle, rootfs, label.*; state is where the runtime of the container whose init the header names keeps
 * its state (before EVENT_SNAPSHOT_END); labels_cut is how many more labels there were, values_cut how many
 * values are longer than text and end with it, in digits. */
struct event_meta {
	struct event h;
	char id[EVENT_NAME];
	char text[EVENT_DATA];
};

#endif
