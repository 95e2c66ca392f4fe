/* SPDX-License-Identifier: Apache-2.0 */
/* config.md "Process", and config-linux.md "Control groups" (resources). */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "runtime/config.h"
#include "runtime/doc.h"
#include "util/array.h"
#include "util/cleanup.h"

static const char *const capability_names[] = { "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
	"FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE",
	"NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO",
	"SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE",
	"SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON",
	"BPF", "CHECKPOINT_RESTORE" };

int config_capability(const char *name)
{
	if (!strncasecmp(name, "CAP_", 4))
		name += 4;
	for (size_t i = 0; i < ARRAY_SIZE(capability_names); i++) {
		if (!strcasecmp(name, capability_names[i]))
			return (int)i;
	}
	return -1;
}

static int parse_capability_set(json_object *o, const char *key, uint64_t *ret, struct error *err)
{
	_cleanup_free_ char **names = NULL;
	int r = doc_strings(o, key, &names, NULL, err);

	for (size_t i = 0; names && names[i]; i++) {
		int cap = config_capability(names[i]);

		/* config.md: a capability that cannot be mapped to the kernel's is to be warned about,
		 * not an error: newer engines know more names than older runtimes */
		if (cap >= 0)
			*ret |= 1ULL << cap;
	}
	return r;
}

static int parse_capabilities(json_object *process, struct capability_plan *c, struct error *err)
{
	json_object *o = NULL;
	int r = doc_object(process, "capabilities", &o, err);

	if (r <= 0)
		return r;
	c->given = true;
	if (parse_capability_set(o, "bounding", &c->bounding, err) < 0 ||
		parse_capability_set(o, "effective", &c->effective, err) < 0 ||
		parse_capability_set(o, "permitted", &c->permitted, err) < 0 ||
		parse_capability_set(o, "inheritable", &c->inheritable, err) < 0 ||
		parse_capability_set(o, "ambient", &c->ambient, err) < 0)
		return -EINVAL;
	/* Inheritable capabilities turn files with inheritable bits into privileged ones
	 * (CVE-2022-24769); only ambient ones have a use for them. */
	c->inheritable &= c->ambient;
	return 0;
}

static int parse_limit(json_object *o, struct limit_plan *ret, struct error *err)
{
	static const struct {
		const char *name;
		int resource;
	} names[] = {
		{ "RLIMIT_AS", RLIMIT_AS }, { "RLIMIT_CORE", RLIMIT_CORE }, { "RLIMIT_CPU", RLIMIT_CPU },
		{ "RLIMIT_DATA", RLIMIT_DATA }, { "RLIMIT_FSIZE", RLIMIT_FSIZE },
		{ "RLIMIT_LOCKS", RLIMIT_LOCKS }, { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
		{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE }, { "RLIMIT_NICE", RLIMIT_NICE },
		{ "RLIMIT_NOFILE", RLIMIT_NOFILE }, { "RLIMIT_NPROC", RLIMIT_NPROC },
		{ "RLIMIT_RSS", RLIMIT_RSS }, { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
		{ "RLIMIT_RTTIME", RLIMIT_RTTIME }, { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
		{ "RLIMIT_STACK", RLIMIT_STACK },
	};
	const char *type = "";
	json_object *soft = NULL, *hard = NULL;

	if (doc_string(o, "type", &type, err) < 0)
		return -EINVAL;
	json_object_object_get_ex(o, "soft", &soft);
	json_object_object_get_ex(o, "hard", &hard);
	/* uint64 in the specification; 2^64-1 is RLIM_INFINITY */
	ret->value.rlim_cur = soft ? json_object_get_uint64(soft) : 0;
	ret->value.rlim_max = hard ? json_object_get_uint64(hard) : ret->value.rlim_cur;
	ret->resource = -1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(type, names[i].name))
			ret->resource = names[i].resource;
	}
	if (ret->resource < 0)
		return error_set(err, EINVAL, "config: rlimit type \"%s\" is not known", type);
	return 0;
}

static int parse_user(json_object *process, struct process_plan *p, struct error *err)
{
	json_object *user = NULL, *groups = NULL;
	int64_t uid = 0, gid = 0, mask = -1;
	int r = doc_object(process, "user", &user, err);

	p->umask = -1;
	if (r <= 0)
		return r;
	if (doc_integer(user, "uid", 0, UINT32_MAX - 1LL, &uid, err) < 0 ||
		doc_integer(user, "gid", 0, UINT32_MAX - 1LL, &gid, err) < 0 ||
		doc_integer(user, "umask", 0, 0777, &mask, err) < 0)
		return -EINVAL;
	p->uid = uid;
	p->gid = gid;
	p->umask = (int)mask;
	r = doc_array(user, "additionalGids", &groups, err);
	for (size_t i = 0; r > 0 && i < json_object_array_length(groups); i++) {
		int64_t value = json_object_get_int64(json_object_array_get_idx(groups, i));

		if (value < 0 || value >= UINT32_MAX || i >= NGROUPS_MAX)
			return error_set(err, EINVAL, "config: additionalGids has a bad group");
		array_grow(p->groups, p->group_count, p->group_capacity);
		p->groups[p->group_count++] = value;
	}
	return r < 0 ? r : 0;
}

static int parse_console_size(json_object *process, struct process_plan *p, struct error *err)
{
	json_object *o = NULL;
	int64_t rows = 0, columns = 0;
	int r = doc_object(process, "consoleSize", &o, err);

	if (r <= 0)
		return r;
	if (doc_integer(o, "height", 0, USHRT_MAX, &rows, err) < 0 ||
		doc_integer(o, "width", 0, USHRT_MAX, &columns, err) < 0)
		return -EINVAL;
	p->rows = rows;
	p->columns = columns;
	return 0;
}

int config_parse_process(json_object *json, struct process_plan *p, struct error *err)
{
	json_object *limits = NULL;
	int64_t score = INT64_MIN;
	int r;

	p->cwd = "/";
	if (doc_bool(json, "terminal", &p->terminal, err) < 0 || parse_user(json, p, err) < 0 ||
		parse_console_size(json, p, err) < 0 ||
		doc_strings(json, "args", &p->args, &p->arg_count, err) < 0 ||
		doc_strings(json, "env", &p->env, &p->env_count, err) < 0 ||
		doc_string(json, "cwd", &p->cwd, err) < 0 ||
		doc_string(json, "apparmorProfile", &p->apparmor, err) < 0 ||
		doc_string(json, "selinuxLabel", &p->selinux, err) < 0 ||
		doc_bool(json, "noNewPrivileges", &p->no_new_privs, err) < 0 ||
		doc_integer(json, "oomScoreAdj", -1000, 1000, &score, err) < 0 ||
		parse_capabilities(json, &p->capabilities, err) < 0)
		return -EINVAL;
	if (!*p->cwd)
		p->cwd = "/";
	if (!p->env)
		p->env = xcalloc(1, sizeof(*p->env));
	if (score != INT64_MIN) {
		p->oom_score_adj_given = true;
		p->oom_score_adj = (int)score;
	}
	r = doc_array(json, "rlimits", &limits, err);
	for (size_t i = 0; r > 0 && i < json_object_array_length(limits); i++) {
		array_grow(p->limits, p->limit_count, p->limit_capacity);
		if (parse_limit(json_object_array_get_idx(limits, i), &p->limits[p->limit_count],
			    err) < 0)
			return -EINVAL;
		p->limit_count++;
	}
	return r < 0 ? r : 0;
}

static int parse_device_rules(json_object *json, struct cgroup_resources *r, struct error *err)
{
	json_object *a = NULL;
	int ret = doc_array(json, "devices", &a, err);

	for (size_t i = 0; ret > 0 && i < json_object_array_length(a); i++) {
		json_object *o = json_object_array_get_idx(a, i);
		struct cgroup_device d = { .type = 'a', .major = -1, .minor = -1 };
		const char *type = "a", *access = "rwm";

		if (doc_bool(o, "allow", &d.allow, err) < 0 ||
			doc_string(o, "type", &type, err) < 0 ||
			doc_string(o, "access", &access, err) < 0 ||
			doc_integer(o, "major", -1, INT32_MAX, &d.major, err) < 0 ||
			doc_integer(o, "minor", -1, INT32_MAX, &d.minor, err) < 0)
			return -EINVAL;
		if (strlen(type) > 1 || !strchr("abc", type[0]) || strlen(access) > 3 ||
			strspn(access, "rwm") != strlen(access))
			return error_set(err, EINVAL, "config: device rule type \"%s\" access \"%s\" is "
				"not valid", type, access);
		d.type = type[0] ? type[0] : 'a';
		memcpy(d.access, *access ? access : "rwm", strlen(*access ? access : "rwm") + 1);
		array_grow(r->devices, r->device_count, r->device_capacity);
		r->devices[r->device_count++] = d;
	}
	return ret < 0 ? ret : 0;
}

static int parse_throttles(json_object *block, struct cgroup_resources *r, struct error *err)
{
	static const char *const keys[][2] = { { "throttleReadBpsDevice", "read_bps" },
		{ "throttleWriteBpsDevice", "write_bps" }, { "throttleReadIOPSDevice", "read_iops" },
		{ "throttleWriteIOPSDevice", "write_iops" } };

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		json_object *a = NULL;
		int ret = doc_array(block, keys[k][0], &a, err);

		for (size_t i = 0; ret > 0 && i < json_object_array_length(a); i++) {
			json_object *o = json_object_array_get_idx(a, i);
			struct cgroup_throttle t = { .name = keys[k][1] };

			if (doc_integer(o, "major", 0, INT32_MAX, &t.major, err) < 0 ||
				doc_integer(o, "minor", 0, INT32_MAX, &t.minor, err) < 0 ||
				doc_integer(o, "rate", 0, INT64_MAX, &t.rate, err) < 0)
				return -EINVAL;
			array_grow(r->throttles, r->throttle_count, r->throttle_capacity);
			r->throttles[r->throttle_count++] = t;
		}
		if (ret < 0)
			return ret;
	}
	return doc_integer(block, "weight", 0, 10000, &r->blkio_weight, err);
}

static void add_pair(struct cgroup_pair **pairs, size_t *count, size_t *capacity, const char *key,
	char *value)
{
	array_grow(*pairs, *count, *capacity);
	(*pairs)[(*count)++] = (struct cgroup_pair){ xstrdup(key), value };
}

static int parse_pairs(json_object *json, struct cgroup_resources *r, struct error *err)
{
	json_object *a = NULL, *unified = NULL;

	if (doc_array(json, "hugepageLimits", &a, err) < 0 ||
		doc_object(json, "unified", &unified, err) < 0)
		return -EINVAL;
	for (size_t i = 0; a && i < json_object_array_length(a); i++) {
		json_object *o = json_object_array_get_idx(a, i);
		const char *size = "";
		int64_t limit = 0;

		if (doc_string(o, "pageSize", &size, err) < 0 ||
			doc_integer(o, "limit", 0, INT64_MAX, &limit, err) < 0)
			return -EINVAL;
		if (strspn(size, "0123456789KMGTB") != strlen(size) || !*size)
			return error_set(err, EINVAL, "config: hugepageLimits.pageSize \"%s\" is not "
				"like 2MB", size);
		add_pair(&r->hugetlb, &r->hugetlb_count, &r->hugetlb_capacity, size,
			xasprintf("%" PRId64, limit));
	}
	if (unified) {
		json_object_object_foreach(unified, key, value) {
			add_pair(&r->unified, &r->unified_count, &r->unified_capacity, key,
				xstrdup(json_object_get_string(value)));
		}
	}
	return 0;
}

int config_parse_resources(json_object *json, struct cgroup_resources *r, struct error *err)
{
	json_object *memory = NULL, *cpu = NULL, *pids = NULL, *block = NULL;
	const char *cpus = NULL, *mems = NULL;
	bool oom_disable = false;

	if (doc_object(json, "memory", &memory, err) < 0 ||
		doc_object(json, "cpu", &cpu, err) < 0 ||
		doc_object(json, "pids", &pids, err) < 0 ||
		doc_object(json, "blockIO", &block, err) < 0)
		return -EINVAL;
	if (memory && (doc_integer(memory, "limit", -1, INT64_MAX, &r->memory_limit, err) < 0 ||
			      doc_integer(memory, "reservation", -1, INT64_MAX,
				      &r->memory_reservation, err) < 0 ||
			      doc_integer(memory, "swap", -1, INT64_MAX, &r->memory_swap, err) < 0 ||
			      doc_integer(memory, "swappiness", 0, 200, &r->memory_swappiness, err) <
				      0 ||
			      doc_bool(memory, "disableOOMKiller", &oom_disable, err) < 0))
		return -EINVAL;
	if (oom_disable)
		r->memory_oom_disable = 1;
	if (cpu && (doc_integer(cpu, "shares", 0, INT64_MAX, &r->cpu_shares, err) < 0 ||
			   doc_integer(cpu, "quota", -1, INT64_MAX, &r->cpu_quota, err) < 0 ||
			   doc_integer(cpu, "period", 0, INT64_MAX, &r->cpu_period, err) < 0 ||
			   doc_integer(cpu, "burst", 0, INT64_MAX, &r->cpu_burst, err) < 0 ||
			   doc_integer(cpu, "idle", 0, 1, &r->cpu_idle, err) < 0 ||
			   doc_string(cpu, "cpus", &cpus, err) < 0 ||
			   doc_string(cpu, "mems", &mems, err) < 0))
		return -EINVAL;
	r->cpuset_cpus = cpus ? xstrdup(cpus) : NULL;
	r->cpuset_mems = mems ? xstrdup(mems) : NULL;
	if (pids && doc_integer(pids, "limit", INT64_MIN + 1, INT64_MAX, &r->pids_limit, err) < 0)
		return -EINVAL;
	if (block && parse_throttles(block, r, err) < 0)
		return -EINVAL;
	return parse_device_rules(json, r, err) < 0 ? -EINVAL : parse_pairs(json, r, err);
}
