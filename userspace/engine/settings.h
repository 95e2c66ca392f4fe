/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SETTINGS_H
#define CTRACE_SETTINGS_H

/* What a person asks of `ctrace run`: docker run's options, parsed and checked. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/string_list.h"

/* A number that was not given; every other value is meant. */
#define SETTING_UNSET INT64_MIN

enum source_type { SOURCE_IMAGE, SOURCE_ROOTFS, SOURCE_BUNDLE };
enum network_mode { NETWORK_BRIDGE, NETWORK_NONE, NETWORK_HOST, NETWORK_CONTAINER };
enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };
enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };
enum trace_mode { TRACE_SUMMARY, TRACE_NONE, TRACE_FULL };

enum { ATTACH_STDIN = 1, ATTACH_STDOUT = 2, ATTACH_STDERR = 4 };

struct volume {
	char *source;      /* of the host; NULL: a named volume, whose directory is not known yet */
	char *name;        /* of the volume; NULL with no source either: one without a name */
	char *destination;
	char *propagation; /* "rprivate", "rshared", ... */
	bool read_only;
	bool no_copy;      /* an empty volume stays empty */
	bool must_exist;   /* --mount: a missing source is an error */
	bool not_recursive;
};

struct tmpfs {
	char *destination;
	char *options; /* comma separated, may be "" */
};

struct device_setting {
	char *host, *container;
	char access[4]; /* of "rwm" */
};

/* One of --device-cgroup-rule. */
struct device_rule {
	char type[2];         /* "a", "b" or "c" */
	int64_t major, minor; /* -1 = all */
	char access[4];       /* of "rwm" */
};

struct ulimit {
	const char *name;    /* "RLIMIT_NOFILE" */
	uint64_t soft, hard; /* UINT64_MAX = unlimited */
};

struct run_settings {
	enum source_type source_type;
	char *source;           /* reference, oci:DIR, docker-archive:FILE, or a directory */
	struct string_list args; /* CMD */

	bool interactive, terminal, remove, read_only, init, privileged, no_new_privs, detach;
	bool no_sig_proxy; /* signals end ctrace run, and the container runs on */
	unsigned attach;   /* of ATTACH_STDIN..., 0 = all there is */
	bool quiet; /* no progress of a pull */
	bool publish_all, oom_kill_disable, host_cgroups;
	bool seccomp_unconfined, paths_unconfined;
	char *seccomp_file;
	char *name, *hostname, *user, *workdir, *entrypoint; /* entrypoint: "" resets it */
	char *detach_keys; /* of detach_keys_parse; NULL = ctrl-p,ctrl-q */
	char *platform, *cgroup_parent, *stop_signal, *cidfile, *domainname;
	char *pid_mode, *ipc_mode, *uts_mode; /* "host", "container:ID"; of ipc also "shareable", "none"; NULL = its own */
	char *network_container;              /* of NETWORK_CONTAINER: whose network it joins */
	struct string_list annotations;  /* "KEY=VALUE", as labels */
	struct string_list device_rules; /* of value_device_rule */
	struct string_list file_env; /* of --env-file, which --env goes before */
	struct string_list env, labels, cap_add, cap_drop, groups;
	struct string_list ports;   /* of ports_parse */
	struct string_list exposed; /* "80/tcp" */
	struct string_list hosts, dns, dns_search, dns_options, sysctls;
	enum network_mode network;
	enum restart_policy restart;
	int64_t restart_max;        /* on-failure: 0 = as often as it takes */
	int64_t stop_timeout;       /* seconds */
	enum pull_policy pull;

	int64_t memory, memory_swap, memory_reservation; /* bytes; memory_swap -1 = unlimited */
	int64_t nano_cpus, cpu_shares, pids_limit, oom_score_adj;
	int64_t shm_size; /* bytes */
	int64_t cpu_period, cpu_quota, swappiness, blkio_weight;
	char *cpuset_cpus, *cpuset_mems;

	struct string_list volumes_from; /* of value_volumes_from */
	struct volume *volumes;
	size_t volume_count, volume_capacity;
	struct tmpfs *tmpfs;
	size_t tmpfs_count, tmpfs_capacity;
	struct device_setting *devices;
	size_t device_count, device_capacity;
	struct ulimit *ulimits;
	size_t ulimit_count, ulimit_capacity;

	enum trace_mode trace;
	bool detach_trace, help;
	bool tui;      /* the timeline beside the container's terminal */
	char *for_tui; /* set by what shows that: the id that the container gets */
	char *json, *record;
};

void run_settings_init(struct run_settings *s);
void run_settings_free(struct run_settings *s);

/* Refuses what contradicts itself or this host, in the words of docker: limits below 6 MiB, swap below
 * memory, more CPUs than there are, cpus or memory nodes that are not online, names with other
 * characters than docker's. */
int run_settings_check(const struct run_settings *s, struct error *err);

/* Whether a volume or a tmpfs is mounted at the path. */
bool run_settings_mount_on(const struct run_settings *s, const char *path);
/* It takes a supervisor of its own: who started it may leave before it ends, or sees only a part of it. */
bool run_settings_supervised(const struct run_settings *s);

#endif
