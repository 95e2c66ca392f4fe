/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUNTIME_CONFIG_H
#define CTRACE_RUNTIME_CONFIG_H

/* An OCI config.json, checked and ready to use (runtime-spec, config.md and config-linux.md). */

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "cgroup/cgroup.h"
#include "runtime/doc.h"
#include "util/error.h"

struct id_map {
	uint32_t container, host, size;
};

struct id_maps {
	struct id_map *maps;
	size_t count, capacity;
};

/* The kernel's own flags for mount_setattr(2) and its relatives, with what the options of mount(8) say
 * about each. */
struct mount_plan {
	const char *destination, *type, *source;
	const char *origin;  /* who added it, where the document did not; for errors */
	bool bind;           /* "bind", "rbind" */
	bool recursive;      /* "rbind" */
	uint64_t set, clear; /* MOUNT_ATTR_* */
	uint64_t recursive_set, recursive_clear; /* "rro" and the like */
	unsigned long propagation;   /* MS_SHARED... of the mount; 0 = private */
	bool propagation_recursive;
	bool copy_up;        /* "tmpcopyup": a tmpfs that starts as a copy of what it covers */
	bool idmap, idmap_recursive;
	struct id_maps uids, gids; /* of "idmap"; none: those of the container's user namespace */
	const char **data;   /* file system options: "size=64k" */
	size_t data_count, data_capacity;
};

struct namespace_plan {
	int flag;         /* CLONE_NEW* */
	const char *path; /* NULL = a new one */
};

struct device_plan {
	const char *path;
	char type; /* 'c', 'b', 'p' */
	unsigned major, minor;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct limit_plan {
	int resource;     /* RLIMIT_* */
	const char *name; /* "RLIMIT_NOFILE" */
	struct rlimit value;
};

struct capability_plan {
	bool given;
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

/* sched_setattr(2) and ioprio_set(2) */
struct scheduler_plan {
	bool given;
	const char *name; /* "SCHED_FIFO" */
	uint32_t policy, priority;
	int32_t nice;
	uint64_t flags, runtime, deadline, period;
};

struct process_plan {
	bool terminal;
	unsigned short columns, rows;
	uid_t uid;
	gid_t gid;
	int umask; /* -1 = leave */
	gid_t *groups;
	size_t group_count, group_capacity;
	bool keep_groups; /* the caller's supplementary groups stay (annotation run.oci.keep_original_groups) */
	char **args, **env; /* NULL-terminated; strings of the document */
	size_t arg_count, env_count;
	const char *cwd, *apparmor, *selinux;
	bool no_new_privs;
	int oom_score_adj;
	bool oom_score_adj_given;
	struct capability_plan capabilities;
	struct scheduler_plan scheduler;
	int io_priority; /* class << 13 | level; -1 = leave */
	struct limit_plan *limits;
	size_t limit_count, limit_capacity;
};

struct config {
	json_object *json; /* owns the strings */
	const char *root;
	bool root_readonly;
	const char *hostname, *domainname;
	struct process_plan process;
	struct mount_plan *mounts;
	size_t mount_count, mount_capacity;
	struct namespace_plan namespaces[8];
	size_t namespace_count;
	struct id_maps uids, gids;
	char *time_offsets; /* lines for /proc/PID/timens_offsets, or NULL */
	struct device_plan *devices;
	size_t device_count, device_capacity;
	const char *cgroups_path;
	struct cgroup_resources resources;
	unsigned long propagation; /* MS_* of rootfsPropagation, 0 = not given */
	char **masked, **readonly; /* NULL-terminated, or NULL */
	json_object *sysctl, *hooks, *seccomp, *annotations;
	unsigned long personality;
	bool personality_given;
};

/* Reads and checks the document. Relative paths in it stay as they are. */
int config_read(int dir, const char *name, struct config **ret, struct error *err);
int config_parse(const char *text, size_t length, struct config **ret, struct error *err);
void config_free(struct config *c);
void config_free_ptr(struct config **c);

/* A process document alone (exec). The strings belong to the document. */
int config_parse_process(const struct doc *process, struct process_plan *ret, struct error *err);
void config_free_process(struct process_plan *p);
int config_parse_resources(const struct doc *resources, struct cgroup_resources *ret,
	struct error *err);
/* Contradictions of a whole set of limits; an update has only some. */
int config_check_resources(const struct doc *resources, const struct cgroup_resources *r,
	struct error *err);
/* "linux" of config.json. */
int config_parse_linux(const struct doc *linux_, struct config *c, struct error *err);
int config_parse_maps(const struct doc *d, const char *key, struct id_maps *ret, struct error *err);
/* hooks.c: all members of "hooks", so that a bad one is known before anything runs. */
int hooks_check(const struct doc *hooks, struct error *err);
/* seccomp.c: all members of "linux.seccomp", for the same reason. */
int seccomp_check(const struct doc *seccomp, struct error *err);

/* CLONE_NEW* of all namespaces to make (path NULL). */
int config_new_namespaces(const struct config *c);
const struct namespace_plan *config_namespace(const struct config *c, int flag);

/* One element of "mounts". Options of mount(8) become attributes and propagation; what is neither is data.
 * Exposed for tests. */
int config_parse_mount(const struct doc *d, struct mount_plan *m, struct error *err);
/* "CAP_CHOWN" -> 0; -1 = unknown. */
int config_capability(const char *name);

#endif
