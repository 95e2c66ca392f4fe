/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/capability.h"
#include "engine/seccomp_profile.h"
#include "engine/spec.h"
#include "engine/values.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { CPU_PERIOD_US = 100000, DEVICES_MAX = 4096 };

static const char masked_paths[] = "/proc/asound,/proc/acpi,/proc/interrupts,/proc/kcore,/proc/keys,"
	"/proc/latency_stats,/proc/timer_list,/proc/timer_stats,/proc/sched_debug,/proc/scsi,"
	"/sys/firmware,/sys/devices/virtual/powercap";
static const char readonly_paths[] =
	"/proc/bus,/proc/fs,/proc/irq,/proc/sys,/proc/sysrq-trigger";

/* The host's where it is asked for; container:ID gets its path at each start (joins.h). */
static bool is_hosts(const struct spec_input *in, const char *type)
{
	const struct run_settings *s = in->settings;
	const struct {
		const char *type, *mode;
	} modes[] = { { "pid", s->pid_mode }, { "ipc", s->ipc_mode }, { "uts", s->uts_mode } };

	if (!strcmp(type, "network"))
		return s->network == NETWORK_HOST;
	/* --privileged sees the host's cgroups, as with docker on v1 */
	if (!strcmp(type, "cgroup"))
		return s->host_cgroups || (s->privileged && !in->cgroup2);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(type, modes[i].type) && modes[i].mode && !strcmp(modes[i].mode, "host"))
			return true;
	}
	return false;
}

static json_object *namespaces(const struct spec_input *in)
{
	static const char *const types[] = { "mount", "uts", "ipc", "pid", "network", "cgroup" };
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		json_object *o;

		if (is_hosts(in, types[i]))
			continue;
		o = json_object_new_object();
		spec_add_string(o, "type", types[i]);
		json_object_array_add(list, o);
	}
	return list;
}

static void add_rule(json_object *list, bool allow, const char *type, int64_t major, int64_t minor,
	const char *access)
{
	json_object *o = json_object_new_object();

	spec_add_bool(o, "allow", allow);
	if (type)
		spec_add_string(o, "type", type);
	if (major >= 0)
		spec_add_int(o, "major", major);
	if (minor >= 0)
		spec_add_int(o, "minor", minor);
	spec_add_string(o, "access", access);
	json_object_array_add(list, o);
}

/* One node of the host: into devices, and a rule that lets it be used. */
static int add_device(const char *host, const char *container, const char *access,
	json_object *devices, json_object *rules, struct error *err)
{
	json_object *o;
	struct stat st;
	const char *type;

	if (stat(host, &st) < 0)
		return error_errno(err, errno, "error gathering device information while adding custom "
			"device \"%s\"", host);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, ENOTBLK, "error gathering device information while adding custom "
			"device \"%s\": not a device node", host);
	type = S_ISCHR(st.st_mode) ? "c" : "b";
	o = json_object_new_object();
	spec_add_string(o, "path", container);
	spec_add_string(o, "type", type);
	spec_add_int(o, "major", major(st.st_rdev));
	spec_add_int(o, "minor", minor(st.st_rdev));
	spec_add_int(o, "fileMode", st.st_mode & 07777);
	spec_add_int(o, "uid", st.st_uid);
	spec_add_int(o, "gid", st.st_gid);
	json_object_array_add(devices, o);
	if (rules)
		add_rule(rules, true, type, major(st.st_rdev), minor(st.st_rdev), access);
	return 0;
}

/* A directory of --device brings all the nodes in it, as in docker. */
static int add_device_setting(const struct device_setting *d, json_object *devices,
	json_object *rules, struct error *err)
{
	_cleanup_closedir_ DIR *dir = opendir(d->host);
	struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return add_device(d->host, d->container, d->access, devices, rules, err);
	while ((entry = readdir(dir)) && count < DEVICES_MAX) {
		_cleanup_free_ char *host = xasprintf("%s/%s", d->host, entry->d_name);
		_cleanup_free_ char *container = xasprintf("%s/%s", d->container, entry->d_name);
		struct stat st;

		if (lstat(host, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) &&
			add_device(host, container, d->access, devices, rules, NULL) == 0)
			count++;
	}
	return count ? 0 : error_set(err, ENODEV, "no device found in \"%s\"", d->host);
}

/* --privileged: the nodes of the host's /dev, but not its terminals nor what the runtime makes. */
static void add_host_devices(json_object *devices)
{
	static const char *const skipped[] = { "console", "ptmx", "null", "zero", "full", "random",
		"urandom", "tty" };
	_cleanup_closedir_ DIR *dir = opendir("/dev");
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir)) && count < DEVICES_MAX) {
		_cleanup_free_ char *path = xasprintf("/dev/%s", entry->d_name);
		bool skip = false;
		struct stat st;

		for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
			skip |= !strcmp(entry->d_name, skipped[i]);
		if (skip || lstat(path, &st) < 0 || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			continue;
		count += add_device(path, path, "rwm", devices, NULL, NULL) == 0;
	}
}

static void add_default_rules(json_object *rules)
{
	static const int numbers[][2] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 },
		{ 5, 1 }, { 5, 2 }, { 136, -1 } };

	add_rule(rules, false, NULL, -1, -1, "rwm");
	add_rule(rules, true, "c", -1, -1, "m");
	add_rule(rules, true, "b", -1, -1, "m");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		add_rule(rules, true, "c", numbers[i][0], numbers[i][1], "rwm");
}

static int devices_and_rules(const struct spec_input *in, json_object *devices, json_object *rules,
	struct error *err)
{
	const struct run_settings *s = in->settings;
	int r = 0;

	if (s->privileged) {
		add_rule(rules, true, NULL, -1, -1, "rwm");
		add_host_devices(devices);
	} else {
		add_default_rules(rules);
	}
	for (size_t i = 0; r == 0 && i < s->device_count; i++)
		r = add_device_setting(&s->devices[i], devices, s->privileged ? NULL : rules, err);
	for (size_t i = 0; r == 0 && !s->privileged && i < s->device_rules.count; i++) {
		struct device_rule rule;

		r = value_device_rule(s->device_rules.items[i], &rule, err);
		if (r == 0)
			add_rule(rules, true, rule.type, rule.major, rule.minor, rule.access);
	}
	return r;
}

/* docker's rules: swap unset = twice the memory, so the same again; 0 = unset. */
static json_object *memory(const struct run_settings *s)
{
	json_object *o = json_object_new_object();
	int64_t swap = s->memory_swap;

	if (s->memory > 0) {
		spec_add_int(o, "limit", s->memory);
		if (swap == SETTING_UNSET || swap == 0)
			swap = s->memory > INT64_MAX / 2 ? -1 : s->memory * 2;
	}
	if (swap != SETTING_UNSET && swap != 0 && s->memory > 0)
		spec_add_int(o, "swap", swap);
	if (s->memory_reservation > 0)
		spec_add_int(o, "reservation", s->memory_reservation);
	if (s->swappiness != SETTING_UNSET && s->swappiness >= 0)
		spec_add_int(o, "swappiness", s->swappiness);
	if (s->oom_kill_disable)
		spec_add_bool(o, "disableOOMKiller", true);
	return o;
}

static json_object *cpu(const struct run_settings *s)
{
	json_object *o = json_object_new_object();

	if (s->cpu_shares > 0)
		spec_add_int(o, "shares", s->cpu_shares);
	if (s->nano_cpus > 0) {
		spec_add_int(o, "quota", s->nano_cpus / (1000000000 / CPU_PERIOD_US));
		spec_add_int(o, "period", CPU_PERIOD_US);
	}
	if (s->cpu_quota != SETTING_UNSET && s->cpu_quota != 0)
		spec_add_int(o, "quota", s->cpu_quota);
	if (s->cpu_period > 0)
		spec_add_int(o, "period", s->cpu_period);
	if (s->cpuset_cpus)
		spec_add_string(o, "cpus", s->cpuset_cpus);
	if (s->cpuset_mems)
		spec_add_string(o, "mems", s->cpuset_mems);
	return o;
}

static void add_unless_empty(json_object *to, const char *key, json_object *o)
{
	if (json_object_object_length(o))
		json_object_object_add(to, key, o);
	else
		json_object_put(o);
}

static json_object *resources(const struct run_settings *s, json_object *rules)
{
	json_object *o = json_object_new_object(), *pids, *io;

	json_object_object_add(o, "devices", rules);
	add_unless_empty(o, "memory", memory(s));
	add_unless_empty(o, "cpu", cpu(s));
	if (s->pids_limit != SETTING_UNSET) {
		pids = json_object_new_object();
		spec_add_int(pids, "limit", s->pids_limit > 0 ? s->pids_limit : -1);
		json_object_object_add(o, "pids", pids);
	}
	if (s->blkio_weight > 0) {
		io = json_object_new_object();
		spec_add_int(io, "weight", s->blkio_weight);
		json_object_object_add(o, "blockIO", io);
	}
	return o;
}

static json_object *sysctls(const struct run_settings *s)
{
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < s->sysctls.count; i++) {
		const char *text = s->sysctls.items[i], *equals = strchr(text, '=');
		_cleanup_free_ char *key = xstrndup(text, (size_t)(equals - text));

		spec_add_string(o, key, equals + 1);
	}
	return o;
}

static int seccomp(const struct spec_input *in, json_object *to, struct error *err)
{
	uint64_t capabilities = capability_wanted(in->settings) & in->held;
	const struct run_settings *s = in->settings;
	json_object *profile = NULL;
	int r = 0;

	if (s->seccomp_file && *s->seccomp_file)
		r = seccomp_profile_read(s->seccomp_file, capabilities, &profile, err);
	else if (!s->seccomp_unconfined && !s->privileged)
		profile = seccomp_profile(capabilities);
	if (profile)
		json_object_object_add(to, "seccomp", profile);
	return r;
}

static char *cgroups_path(const struct spec_input *in)
{
	const char *parent = in->settings->cgroup_parent ? in->settings->cgroup_parent : "/ctrace";

	return xasprintf("%s%s%s%s", parent[0] == '/' ? "" : "/", parent,
		parent[strlen(parent) - 1] == '/' ? "" : "/", in->id);
}

/* A mount passes events on only where the root above it does, too. */
static const char *root_propagation(const struct run_settings *s)
{
	const char *propagation = "rprivate";

	for (size_t i = 0; i < s->volume_count; i++) {
		if (strstr(s->volumes[i].propagation, "shared"))
			return "shared";
		if (strstr(s->volumes[i].propagation, "slave"))
			propagation = "rslave";
	}
	return propagation;
}

int spec_linux(const struct spec_input *in, json_object **ret, struct error *err)
{
	json_object *o = json_object_new_object(), *devices = json_object_new_array();
	json_object *rules = json_object_new_array();
	_cleanup_free_ char *path = cgroups_path(in);
	int r = devices_and_rules(in, devices, rules, err);

	json_object_object_add(o, "namespaces", namespaces(in));
	json_object_object_add(o, "devices", devices);
	spec_add_string(o, "cgroupsPath", path);
	json_object_object_add(o, "resources", resources(in->settings, rules));
	spec_add_string(o, "rootfsPropagation", root_propagation(in->settings));
	add_unless_empty(o, "sysctl", sysctls(in->settings));
	if (!in->settings->privileged && !in->settings->paths_unconfined) {
		json_object_object_add(o, "maskedPaths", spec_words(masked_paths));
		json_object_object_add(o, "readonlyPaths", spec_words(readonly_paths));
	}
	if (r == 0)
		r = seccomp(in, o, err);
	if (r < 0) {
		json_object_put(o);
		return r;
	}
	*ret = o;
	return 0;
}
