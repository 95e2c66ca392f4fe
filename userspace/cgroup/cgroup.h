/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_CGROUP_H
#define CTRACE_CGROUP_H

/*
 * One container's control group, whatever the host has: v1 (one directory per hierarchy), v2 (one
 * directory) or hybrid (v1 controllers and a v2 tree beside them). Paths are as in runtime-spec,
 * config-linux.md "Cgroups Path": "/docker/ID" is taken from the root of every hierarchy.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct cgroup;

/* Not given; every other value of a number is meant. */
#define CGROUP_UNSET INT64_MIN

struct cgroup_device {
	bool allow;
	char type;            /* 'a', 'b' or 'c' */
	int64_t major, minor; /* -1 = any */
	char access[4];       /* of "rwm" */
};

struct cgroup_pair {
	char *key, *value;
};

struct cgroup_throttle {
	const char *name; /* read_bps, write_bps, read_iops, write_iops or weight */
	int64_t major, minor, rate;
};

/* runtime-spec, config-linux.md "Control groups": bytes, microseconds, shares as there; -1 = no limit. */
struct cgroup_resources {
	int64_t memory_limit, memory_reservation, memory_swap, memory_swappiness;
	int64_t memory_oom_disable; /* 0 or 1 */
	int64_t cpu_shares, cpu_quota, cpu_period, cpu_burst, cpu_idle;
	int64_t cpu_rt_runtime, cpu_rt_period; /* v1 only */
	int64_t net_class;                     /* v1 only */
	char *cpuset_cpus, *cpuset_mems;
	int64_t pids_limit; /* 0 and below = no limit */
	int64_t blkio_weight;
	struct cgroup_device *devices;
	size_t device_count, device_capacity;
	struct cgroup_throttle *throttles;
	size_t throttle_count, throttle_capacity;
	struct cgroup_pair *hugetlb; /* page size ("2MB"), bytes */
	size_t hugetlb_count, hugetlb_capacity;
	struct cgroup_pair *net_priorities; /* interface, priority: v1 only */
	size_t net_priority_count, net_priority_capacity;
	struct cgroup_pair *rdma; /* device, "hca_handle=N" or "hca_object=N" */
	size_t rdma_count, rdma_capacity;
	struct cgroup_pair *unified; /* file, value: v2 only */
	size_t unified_count, unified_capacity;
};

void cgroup_resources_init(struct cgroup_resources *r);
void cgroup_resources_free(struct cgroup_resources *r);

/* What will be written where: the plan of cgroup_apply. */
struct cgroup_write {
	const char *controller;
	char file[64];
	char *value;
	bool optional; /* a file that is missing is no error */
	bool unified;  /* of the member of that name, which has the file's name as key */
};

struct cgroup_plan {
	struct cgroup_write *writes;
	size_t count, capacity;
};

/* The writes for one version (1 or 2); device rules of v2 are a BPF program and not among them.
 * -EINVAL: values that contradict each other. */
int cgroup_plan(struct cgroup_plan *plan, int version, const struct cgroup_resources *r,
	struct error *err);
void cgroup_plan_free(struct cgroup_plan *plan);

/* cpu.shares (2..262144) as cpu.weight (1..10000), and blkio weight as io.weight, the formulas of
 * opencontainers/cgroups, so that a container weighs the same under every runtime. */
uint64_t cgroup_cpu_weight(uint64_t shares);
uint64_t cgroup_io_weight(uint64_t weight);

/* Opens (without making) the group at path. */
int cgroup_open(const char *path, struct cgroup **ret, struct error *err);
/* Points an open group at another path, without looking for the hierarchies again: for who reads many. NULL = at
 * none. */
int cgroup_reopen(struct cgroup *cg, const char *path, struct error *err);
/* Points one hierarchy ("memory", "cpu,cpuacct", "" for v2) at a path of its own: on v1 a container's paths may differ.
 * -ENOENT where the host has no such hierarchy, or it no such group. */
int cgroup_reopen_one(struct cgroup *cg, const char *controllers, const char *path, struct error *err);
/* Goes to `below` in the group: in one controller's hierarchy ("memory"; "systemd" or "name=systemd" for a named one),
 * or with "" in all; a hybrid host's v2 tree only follows where it has such a group. No "..". -ENOENT: the host has no
 * such controller. A group that is missing is for cgroup_enter to tell. */
int cgroup_descend(struct cgroup *cg, const char *controller, const char *below, struct error *err);
/* Opens the groups that a process is in. */
int cgroup_open_pid(pid_t pid, struct cgroup **ret, struct error *err);
/* Points an open group at those, without looking for the hierarchies again. */
int cgroup_reopen_pid(struct cgroup *cg, pid_t pid, struct error *err);
/* Makes the directories that are missing, ready for processes (cpuset of v1, subtree_control of v2). On
 * failure what was made is removed. */
int cgroup_create(const char *path, struct cgroup **ret, struct error *err);
/* Closes descriptors, frees memory; takes NULL. */
void cgroup_close(struct cgroup *cg);
void cgroup_close_ptr(struct cgroup **cg);

/* One write(2) per value. The error names file, value and the kernel's reason. */
int cgroup_apply(struct cgroup *cg, const struct cgroup_resources *r, struct error *err);

/* Descriptor of the v2 directory for clone3(CLONE_INTO_CGROUP); -1 = the host has no v2 tree. */
int cgroup_v2_fd(const struct cgroup *cg);
/* True when limits are enforced by v2 controllers. */
bool cgroup_is_v2(const struct cgroup *cg);

/* Moves the calling thread into the v1 directories, and into v2's unless clone3 did. The caller must be
 * its process's only thread: v1 then skips the lock whose first taker waits for an RCU grace period
 * (9-14 ms). The error has runc's words: callers look for them. */
int cgroup_enter(struct cgroup *cg, bool v2, struct error *err);

/* Waits until all processes stand still (at most 10 s: -ETIMEDOUT). */
int cgroup_freeze(struct cgroup *cg, bool frozen, struct error *err);
bool cgroup_is_frozen(const struct cgroup *cg);
/* Takes pid, and every process of the group, out of whatever group else somebody froze them in: what is frozen does not
 * die, and that group's other processes are none of ours to thaw. */
void cgroup_take_back(struct cgroup *cg, pid_t pid);

/* Sends signal to all processes of the group and of those below it; SIGKILL until none is left. */
int cgroup_kill(struct cgroup *cg, int signal, struct error *err);
int cgroup_processes(const struct cgroup *cg, pid_t **ret_pids, size_t *ret_count,
	struct error *err);

/* How many processes were in the directories that cgroup_create found there: another's. To be asked before one's own
 * enter. */
size_t cgroup_others(const struct cgroup *cg);
/* Removes the directories that have nothing in them: of a group shared with others, by whoever leaves last. */
void cgroup_remove_empty(struct cgroup *cg);
/* Those that cgroup_create made, as long as nothing is in them. */
void cgroup_remove_made(struct cgroup *cg);

/* Removes the directories and those below them. Processes that are exiting are waited for, 2 s. */
int cgroup_remove(struct cgroup *cg, struct error *err);

/* Counters and limits; what the host does not tell is CGROUP_UNSET, "no limit" is -1. */
struct cgroup_stats {
	int64_t memory_usage, memory_limit, memory_peak;   /* bytes */
	int64_t memory_swap_usage, memory_swap_limit;      /* bytes of swap alone */
	int64_t memory_reclaims, oom_kills;                /* times the limit was hit; kills */
	int64_t cpu_usage_ns, cpu_user_ns, cpu_system_ns;
	int64_t cpu_periods, cpu_throttled, cpu_throttled_ns;
	int64_t cpu_quota_us, cpu_period_us;
	int64_t pids, pids_limit;
	int64_t io_read_bytes, io_write_bytes;
};
void cgroup_read_stats(const struct cgroup *cg, struct cgroup_stats *ret);

/* Of what its memory is, in bytes: the working set is all but the page cache that can go at once, as docker and cAdvisor
 * have it. usage: of struct cgroup_stats, as read just before. */
struct cgroup_memory {
	int64_t anonymous, cache, working_set;
};
void cgroup_read_memory(const struct cgroup *cg, int64_t usage, struct cgroup_memory *ret);

/* Reads one file of a controller ("memory", "memory.usage_in_bytes"), at most size - 1 bytes, without
 * the last newline. Returns its length or a negative errno. */
int cgroup_read_file(const struct cgroup *cg, const char *controller, const char *file, char *ret,
	size_t size);

/* The directory of a controller as the host sees it, NULL = there is none; owned by cg. controller
 * "" is the v2 tree. */
const char *cgroup_directory(const struct cgroup *cg, const char *controller);

/* Where the group is below the mount of a controller's hierarchy ("cpu"), as cgroup_reopen takes it; to be freed. NULL = it
 * has none there. */
char *cgroup_path(const struct cgroup *cg, const char *controller);

/* The hierarchies of the host, in the order of mountinfo. */
struct cgroup_mount {
	const char *target;      /* mount point */
	const char *controllers; /* "cpu,cpuacct", "name=systemd", "" for v2 */
	const char *directory;   /* of this group */
	int version;
};
size_t cgroup_mounts(const struct cgroup *cg, struct cgroup_mount *ret, size_t size);

#endif
