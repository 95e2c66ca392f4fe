/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/values.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { MEMORY_MIN = 6 << 20, CPU_SHARES_MIN = 2, CPU_SHARES_MAX = 262144, NAME_MAX_LENGTH = 128 };

void run_settings_init(struct run_settings *s)
{
	*s = (struct run_settings){
		.memory = SETTING_UNSET,
		.memory_swap = SETTING_UNSET,
		.memory_reservation = SETTING_UNSET,
		.nano_cpus = SETTING_UNSET,
		.cpu_shares = SETTING_UNSET,
		.pids_limit = SETTING_UNSET,
		.oom_score_adj = SETTING_UNSET,
		.cpu_period = SETTING_UNSET,
		.cpu_quota = SETTING_UNSET,
		.swappiness = SETTING_UNSET,
		.blkio_weight = SETTING_UNSET,
		.stop_timeout = SETTING_UNSET,
		.shm_size = 64 << 20,
	};
}

bool run_settings_supervised(const struct run_settings *s)
{
	return s->detach || s->terminal || s->no_sig_proxy || s->attach;
}

bool run_settings_mount_on(const struct run_settings *s, const char *path)
{
	for (size_t i = 0; i < s->volume_count; i++) {
		if (!strcmp(s->volumes[i].destination, path))
			return true;
	}
	for (size_t i = 0; i < s->tmpfs_count; i++) {
		if (!strcmp(s->tmpfs[i].destination, path))
			return true;
	}
	return false;
}

static void free_mounts(struct run_settings *s)
{
	for (size_t i = 0; i < s->volume_count; i++) {
		free(s->volumes[i].source);
		free(s->volumes[i].name);
		free(s->volumes[i].destination);
		free(s->volumes[i].propagation);
	}
	for (size_t i = 0; i < s->tmpfs_count; i++) {
		free(s->tmpfs[i].destination);
		free(s->tmpfs[i].options);
	}
	for (size_t i = 0; i < s->device_count; i++) {
		free(s->devices[i].host);
		free(s->devices[i].container);
	}
	free(s->volumes);
	free(s->tmpfs);
	free(s->devices);
	free(s->ulimits);
}

void run_settings_free(struct run_settings *s)
{
	char *strings[] = { s->source, s->seccomp_file, s->name, s->hostname, s->user, s->workdir,
		s->entrypoint, s->platform, s->cgroup_parent, s->stop_signal, s->cpuset_cpus,
		s->cpuset_mems, s->json, s->record, s->cidfile, s->domainname, s->pid_mode, s->ipc_mode,
		s->uts_mode, s->network_container, s->for_tui, s->detach_keys };
	struct string_list *lists[] = { &s->args, &s->env, &s->file_env, &s->labels, &s->cap_add, &s->cap_drop,
		&s->groups, &s->ports, &s->exposed, &s->hosts, &s->dns, &s->dns_search, &s->dns_options,
		&s->sysctls, &s->annotations, &s->device_rules, &s->volumes_from };

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		free(strings[i]);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		string_list_free(lists[i]);
	free_mounts(s);
	run_settings_init(s);
}

static int check_memory(const struct run_settings *s, struct error *err)
{
	bool limited = s->memory > 0, swap = s->memory_swap != SETTING_UNSET && s->memory_swap != 0;

	if (limited && s->memory < MEMORY_MIN)
		return error_set(err, EINVAL, "Minimum memory limit allowed is 6MB");
	if (swap && s->memory_swap != -1 && !limited)
		return error_set(err, EINVAL, "You should always set the Memory limit when using "
			"Memoryswap limit, see usage");
	if (swap && s->memory_swap > 0 && s->memory_swap < s->memory)
		return error_set(err, EINVAL,
			"Minimum memoryswap limit should be larger than memory limit, see usage");
	if (swap && s->memory_swap < -1)
		return error_set(err, EINVAL, "invalid memory-swap %lld: give a size, or -1 for no limit",
			(long long)s->memory_swap);
	if (s->memory_reservation > 0 && s->memory_reservation < MEMORY_MIN)
		return error_set(err, EINVAL, "Minimum memory reservation allowed is 6MB");
	if (s->memory_reservation > 0 && limited && s->memory < s->memory_reservation)
		return error_set(err, EINVAL, "Minimum memory limit can not be less than memory "
			"reservation limit, see usage");
	return 0;
}

static int check_cpuset(const char *list, const char *online_file, const char *what,
	struct error *err)
{
	char online[4096] = "";
	FILE *f;
	int r;

	if (!list)
		return 0;
	f = fopen(online_file, "re");
	if (f) {
		if (fgets(online, sizeof(online), f))
			online[strcspn(online, "\n")] = '\0';
		fclose(f);
	}
	r = value_cpuset_within(list, online[0] ? online : "0");
	if (r == -EINVAL)
		return error_set(err, EINVAL, "Invalid value %s for cpuset %s", list,
			!strcmp(what, "CPUs") ? "cpus" : "mems");
	if (r < 0)
		return error_set(err, EINVAL, "Requested %s are not available - requested %s, available: %s",
			what, list, online);
	return 0;
}

static int check_cpus(const struct run_settings *s, struct error *err)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	int r;

	if (s->nano_cpus != SETTING_UNSET && s->nano_cpus != 0 &&
		(s->nano_cpus < 10000000 || s->nano_cpus > count * 1000000000LL))
		return error_set(err, EINVAL, "Range of CPUs is from 0.01 to %ld.00, as there are only "
			"%ld CPUs available", count, count);
	if (s->cpu_shares != SETTING_UNSET && s->cpu_shares != 0 &&
		(s->cpu_shares < CPU_SHARES_MIN || s->cpu_shares > CPU_SHARES_MAX))
		return error_set(err, EINVAL, "the CPU shares %lld are out of range: %d to %d",
			(long long)s->cpu_shares, CPU_SHARES_MIN, CPU_SHARES_MAX);
	r = check_cpuset(s->cpuset_cpus, "/sys/devices/system/cpu/online", "CPUs", err);
	if (r < 0)
		return r;
	return check_cpuset(s->cpuset_mems, "/sys/devices/system/node/online", "memory nodes", err);
}

static int check_name(const char *name, struct error *err)
{
	size_t length = name ? strlen(name) : 0;
	bool valid = length >= 2 && length <= NAME_MAX_LENGTH && isalnum((unsigned char)name[0]);

	if (!name)
		return 0;
	for (size_t i = 1; valid && i < length; i++)
		valid = isalnum((unsigned char)name[i]) || strchr("_.-", name[i]);
	if (!valid)
		return error_set(err, EINVAL, "Invalid container name (%s), only "
			"[a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, 2 to %d characters", name, NAME_MAX_LENGTH);
	return 0;
}

static int check_hostname(const char *hostname, struct error *err)
{
	size_t length = hostname ? strlen(hostname) : 0;

	if (!hostname)
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)hostname[i]) && !strchr("-._", hostname[i]))
			length = 0;
	}
	if (length == 0)
		return error_set(err, EINVAL, "invalid hostname format: %s: it has letters, digits, '-', '.' and '_'", hostname);
	return length > 64 ? error_set(err, EINVAL, "invalid hostname format: %s: it has more than 64 characters", hostname) : 0; /* uname(2) */
}

static int check_cgroup_parent(const char *parent, struct error *err)
{
	_cleanup_free_ char *framed = NULL;

	if (!parent)
		return 0;
	framed = xasprintf("/%s/", parent);
	if (!*parent || strstr(framed, "/../") || strlen(parent) > 512)
		return error_set(err, EINVAL, "invalid cgroup parent \"%s\": it is a path below the "
			"root of each cgroup hierarchy, without '..'", parent);
	return 0;
}

/* Allowed are those that belong to a namespace (namespaces(7)), where the container has a namespace of that kind to itself. */
static int check_sysctl(const struct run_settings *s, const char *text, struct error *err)
{
	static const char *const of_ipc[] = { "kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue." };
	int length = (int)strcspn(text, "=");
	bool net = str_starts(text, "net.") || str_starts(text, "net/"), ipc = false;

	for (size_t i = 0; i < ARRAY_SIZE(of_ipc); i++)
		ipc |= str_starts(text, of_ipc[i]);
	if (net && s->network == NETWORK_HOST)
		return error_set(err, EINVAL, "sysctl '%.*s' is not allowed with --network host: it is the host's", length, text);
	if (ipc && s->ipc_mode && !strcmp(s->ipc_mode, "host"))
		return error_set(err, EINVAL, "sysctl '%.*s' is not allowed with --ipc host: it is the host's", length, text);
	if (str_starts(text, "kernel.domainname=") || (net && !memmem(text, (size_t)length, "..", 2)) || ipc)
		return 0;
	return error_set(err, EINVAL, "sysctl '%.*s' is not allowed: net.*, fs.mqueue.*, kernel.msg*, kernel.sem, kernel.shm* and "
		"kernel.domainname are a container's own, the others are the host's", length, text);
}

static int check_sysctls(const struct run_settings *s, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->sysctls.count; i++)
		r = check_sysctl(s, s->sysctls.items[i], err);
	return r;
}

static int check_combinations(const struct run_settings *s, struct error *err)
{
	bool own_network = s->network == NETWORK_BRIDGE || s->network == NETWORK_NONE;

	if (s->remove && s->restart != RESTART_NO)
		return error_set(err, EINVAL, "Conflicting options: --restart and --rm");
	if (s->detach && s->attach)
		return error_set(err, EINVAL, "Conflicting options: -a and -d");
	if (s->hostname && s->network == NETWORK_CONTAINER)
		return error_set(err, EINVAL, "conflicting options: hostname and the network mode");
	if (s->hostname && s->uts_mode)
		return error_set(err, EINVAL, "conflicting options: hostname and the UTS mode");
	if (!own_network && s->network == NETWORK_CONTAINER && (s->ports.count || s->publish_all))
		return error_set(err, EINVAL, "conflicting options: port publishing and the container type "
			"network mode");
	if (s->network == NETWORK_CONTAINER && (s->dns.count || s->hosts.count))
		return error_set(err, EINVAL, "conflicting options: dns or custom host-to-IP mapping and "
			"the network mode");
	if (s->nano_cpus > 0 && (s->cpu_period > 0 || s->cpu_quota > 0))
		return error_set(err, EINVAL, "Conflicting options: Nano CPUs and CPU Period or Quota "
			"cannot both be set");
	if (s->cpu_period > 0 && (s->cpu_period < 1000 || s->cpu_period > 1000000))
		return error_set(err, EINVAL, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger "
			"than 1s (i.e. 1000000)");
	if (s->cpu_quota != SETTING_UNSET && s->cpu_quota < 1000 && s->cpu_quota != 0 && s->cpu_quota != -1)
		return error_set(err, EINVAL, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
	if (s->swappiness != SETTING_UNSET && (s->swappiness < -1 || s->swappiness > 100))
		return error_set(err, EINVAL, "Invalid value: %lld, valid memory swappiness range is 0-100",
			(long long)s->swappiness);
	if (s->blkio_weight != SETTING_UNSET && s->blkio_weight != 0 && (s->blkio_weight < 10 || s->blkio_weight > 1000))
		return error_set(err, EINVAL, "Range of blkio weight is from 10 to 1000, not %lld", (long long)s->blkio_weight);
	return 0;
}

int run_settings_check(const struct run_settings *s, struct error *err)
{
	int r = check_name(s->name, err);

	if (r == 0)
		r = check_hostname(s->hostname, err);
	if (r == 0)
		r = check_memory(s, err);
	if (r == 0)
		r = check_cpus(s, err);
	if (r == 0)
		r = check_cgroup_parent(s->cgroup_parent, err);
	if (r == 0)
		r = check_sysctls(s, err);
	if (r == 0)
		r = check_combinations(s, err);
	if (r == 0 && s->domainname && strlen(s->domainname) > 64) /* uname(2) */
		return error_set(err, EINVAL, "invalid domainname: %s: it has more than 64 characters", s->domainname);
	if (r == 0 && s->hostname && s->network == NETWORK_HOST)
		return error_set(err, EINVAL, "conflicting options: hostname and the network mode");
	if (r == 0 && s->oom_score_adj != SETTING_UNSET &&
		(s->oom_score_adj < -1000 || s->oom_score_adj > 1000))
		return error_set(err, EINVAL, "Invalid value %lld, range for oom score adj is "
			"[-1000, 1000]", (long long)s->oom_score_adj);
	if (r == 0 && s->workdir && *s->workdir && s->workdir[0] != '/')
		return error_set(err, EINVAL, "the working directory '%s' is invalid, it needs to be "
			"an absolute path", s->workdir);
	return r;
}
