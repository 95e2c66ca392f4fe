/* SPDX-License-Identifier: Apache-2.0 */
/* config.md "Process". */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "runtime/config.h"
#include "runtime/runtime.h"
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

const char *runtime_capability(size_t i)
{
	static char name[32];

	if (i >= ARRAY_SIZE(capability_names))
		return NULL;
	snprintf(name, sizeof(name), "CAP_%s", capability_names[i]);
	return name;
}

static int parse_capability_set(const struct doc *o, const char *key, uint64_t *ret, struct error *err)
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

static int parse_capabilities(const struct doc *process, struct capability_plan *c, struct error *err)
{
	struct doc o;
	int r = doc_object(process, "capabilities", &o, err);

	if (r <= 0)
		return r;
	c->given = true;
	if (parse_capability_set(&o, "bounding", &c->bounding, err) < 0 ||
		parse_capability_set(&o, "effective", &c->effective, err) < 0 ||
		parse_capability_set(&o, "permitted", &c->permitted, err) < 0 ||
		parse_capability_set(&o, "inheritable", &c->inheritable, err) < 0 ||
		parse_capability_set(&o, "ambient", &c->ambient, err) < 0)
		return -EINVAL;
	return 0;
}

static int parse_limit(const struct doc *o, struct process_plan *p, struct error *err)
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
	static const char *const required[] = { "type", "soft", "hard", NULL };
	struct limit_plan l = { .resource = -1 };
	const char *type = "";
	uint64_t soft = 0, hard = 0; /* 2^64-1 is RLIM_INFINITY */

	if (doc_require(o, required, err) < 0 || doc_string(o, "type", &type, err) < 0 ||
		doc_unsigned(o, "soft", &soft, err) < 0 || doc_unsigned(o, "hard", &hard, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(type, names[i].name)) {
			l.resource = names[i].resource;
			l.name = names[i].name;
		}
	}
	if (l.resource < 0)
		return doc_error(o, "type", err, "\"%.64s\" is not known", type);
	if (soft > hard)
		return doc_error(o, "soft", err, "it is more than hard");
	for (size_t i = 0; i < p->limit_count; i++) {
		if (p->limits[i].resource == l.resource)
			return doc_error(o, "type", err, "%s is listed twice", type);
	}
	l.value = (struct rlimit){ soft, hard };
	array_grow(p->limits, p->limit_count, p->limit_capacity);
	p->limits[p->limit_count++] = l;
	return 0;
}

static int parse_limits(const struct doc *process, struct process_plan *p, struct error *err)
{
	struct doc a, e;
	int r = doc_array(process, "rlimits", &a, err);

	for (size_t i = 0; r >= 0 && i < doc_count(&a); i++) {
		r = doc_element(&a, i, &e, err);
		if (r == 0)
			r = parse_limit(&e, p, err);
	}
	return r < 0 ? r : 0;
}

static int parse_groups(const struct doc *user, struct process_plan *p, struct error *err)
{
	struct doc a;
	int r = doc_array(user, "additionalGids", &a, err);

	if (r > 0 && doc_count(&a) > NGROUPS_MAX)
		return doc_error(&a, NULL, err, "it has more than %d groups", NGROUPS_MAX);
	for (size_t i = 0; r > 0 && i < doc_count(&a); i++) {
		struct doc e = { .json = json_object_array_get_idx(a.json, i), .parent = &a,
			.index = i };
		int64_t value = json_object_get_int64(e.json);

		if (!json_object_is_type(e.json, json_type_int) || value < 0 || value >= UINT32_MAX)
			return doc_error(&e, NULL, err, "it is not a group id");
		array_grow(p->groups, p->group_count, p->group_capacity);
		p->groups[p->group_count++] = value;
	}
	return r < 0 ? r : 0;
}

static int parse_user(const struct doc *process, struct process_plan *p, struct error *err)
{
	struct doc user;
	int64_t uid = 0, gid = 0, mask = -1;

	if (doc_object(process, "user", &user, err) < 0 ||
		doc_integer(&user, "uid", 0, UINT32_MAX - 1LL, &uid, err) < 0 ||
		doc_integer(&user, "gid", 0, UINT32_MAX - 1LL, &gid, err) < 0 ||
		doc_integer(&user, "umask", 0, 0777, &mask, err) < 0)
		return -EINVAL;
	p->uid = uid;
	p->gid = gid;
	p->umask = (int)mask;
	return parse_groups(&user, p, err);
}

static int parse_console_size(const struct doc *process, struct process_plan *p, struct error *err)
{
	static const char *const required[] = { "height", "width", NULL };
	struct doc o;
	int64_t rows = 0, columns = 0;
	int r = doc_object(process, "consoleSize", &o, err);

	if (r <= 0)
		return r;
	if (doc_require(&o, required, err) < 0 ||
		doc_integer(&o, "height", 0, USHRT_MAX, &rows, err) < 0 ||
		doc_integer(&o, "width", 0, USHRT_MAX, &columns, err) < 0)
		return -EINVAL;
	p->rows = rows;
	p->columns = columns;
	return 0;
}

/* A name of the list, or -1. */
static int find_name(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return -1;
}

static int parse_scheduler_flags(const struct doc *o, struct scheduler_plan *s, struct error *err)
{
	/* bit i of sched_attr.sched_flags */
	static const char *const names[] = { "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM",
		"SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS",
		"SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX", NULL };
	_cleanup_free_ char **flags = NULL;

	if (doc_strings(o, "flags", &flags, NULL, err) < 0)
		return -EINVAL;
	for (size_t i = 0; flags && flags[i]; i++) {
		int bit = find_name(names, flags[i]);

		if (bit < 0)
			return doc_item_error(o, "flags", i, err, "\"%.64s\" is not known", flags[i]);
		s->flags |= 1ULL << bit;
	}
	return 0;
}

enum { POLICY_DEADLINE = 6 };

/* sched(7): runtime <= deadline <= period, which is the deadline where it is 0; of other policies none. */
static int check_deadline(const struct doc *o, const struct scheduler_plan *s, bool wanted, struct error *err)
{
	if (!wanted && (s->runtime || s->deadline || s->period))
		return doc_error(o, s->runtime ? "runtime" : s->deadline ? "deadline" : "period", err,
			"it is for SCHED_DEADLINE");
	if (wanted && (!s->runtime || !s->deadline))
		return doc_error(o, s->runtime ? "deadline" : "runtime", err, "it is missing: SCHED_DEADLINE needs it");
	if (s->runtime > s->deadline)
		return doc_error(o, "runtime", err, "it is more than deadline");
	if (s->period && s->deadline > s->period)
		return doc_error(o, "deadline", err, "it is more than period");
	return 0;
}

static int parse_scheduler(const struct doc *process, struct scheduler_plan *s, struct error *err)
{
	/* by number, sched(7) */
	static const char *const policies[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH",
		"SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE", NULL };
	static const char *const required[] = { "policy", NULL };
	const char *policy = "";
	int64_t nice = 0, priority = 0;
	struct doc o;
	int r = doc_object(process, "scheduler", &o, err);

	if (r <= 0)
		return r;
	if (doc_require(&o, required, err) < 0 || doc_string(&o, "policy", &policy, err) < 0 ||
		doc_integer(&o, "nice", -20, 19, &nice, err) < 0 ||
		doc_integer(&o, "priority", 0, 99, &priority, err) < 0 ||
		doc_unsigned(&o, "runtime", &s->runtime, err) < 0 ||
		doc_unsigned(&o, "deadline", &s->deadline, err) < 0 ||
		doc_unsigned(&o, "period", &s->period, err) < 0 ||
		parse_scheduler_flags(&o, s, err) < 0)
		return -EINVAL;
	r = find_name(policies, policy);
	if (r < 0)
		return doc_error(&o, "policy", err, "\"%.64s\" is not known", policy);
	if (!priority == (r == SCHED_FIFO || r == SCHED_RR))
		return doc_error(&o, "priority", err, "%s", priority ? "it is for SCHED_FIFO and SCHED_RR"
			: "it is missing: SCHED_FIFO and SCHED_RR need 1 to 99");
	if (check_deadline(&o, s, r == POLICY_DEADLINE, err) < 0)
		return -EINVAL;
	s->given = true;
	s->name = policies[r];
	s->policy = (uint32_t)r;
	s->nice = (int32_t)nice;
	s->priority = (uint32_t)priority;
	return 0;
}

static int parse_io_priority(const struct doc *process, struct process_plan *p, struct error *err)
{
	/* by number, ioprio_set(2) */
	static const char *const classes[] = { "IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
		"IOPRIO_CLASS_IDLE", NULL };
	static const char *const required[] = { "class", NULL };
	const char *class = "";
	int64_t level = 0;
	struct doc o;
	int r = doc_object(process, "ioPriority", &o, err);

	p->io_priority = -1;
	if (r <= 0)
		return r;
	if (doc_require(&o, required, err) < 0 || doc_string(&o, "class", &class, err) < 0 ||
		doc_integer(&o, "priority", 0, 7, &level, err) < 0)
		return -EINVAL;
	r = find_name(classes, class);
	if (r < 0)
		return doc_error(&o, "class", err, "\"%.64s\" is not known", class);
	p->io_priority = r << 13 | (int)level;
	return 0;
}

static int check_process(const struct doc *d, const struct process_plan *p, struct error *err)
{
	if (!p->args || !p->args[0])
		return doc_error(d, "args", err, "it is empty or missing");
	if (!p->cwd || !*p->cwd)
		return doc_error(d, "cwd", err, "it is empty or missing");
	if (p->cwd[0] != '/')
		return doc_error(d, "cwd", err, "\"%.64s\" is not an absolute path", p->cwd);
	for (size_t i = 0; i < p->env_count; i++) {
		if (!strchr(p->env[i], '=') || p->env[i][0] == '=')
			return doc_item_error(d, "env", i, err, "\"%.64s\" is not NAME=VALUE", p->env[i]);
	}
	return 0;
}

int config_parse_process(const struct doc *d, struct process_plan *p, struct error *err)
{
	int64_t score = INT64_MIN;

	if (doc_bool(d, "terminal", &p->terminal, err) < 0 || parse_user(d, p, err) < 0 ||
		parse_console_size(d, p, err) < 0 ||
		doc_strings(d, "args", &p->args, &p->arg_count, err) < 0 ||
		doc_strings(d, "env", &p->env, &p->env_count, err) < 0 ||
		doc_path(d, "cwd", &p->cwd, err) < 0 ||
		doc_path(d, "apparmorProfile", &p->apparmor, err) < 0 ||
		doc_path(d, "selinuxLabel", &p->selinux, err) < 0 ||
		doc_bool(d, "noNewPrivileges", &p->no_new_privs, err) < 0 ||
		doc_integer(d, "oomScoreAdj", -1000, 1000, &score, err) < 0 ||
		parse_capabilities(d, &p->capabilities, err) < 0 || parse_limits(d, p, err) < 0 ||
		parse_scheduler(d, &p->scheduler, err) < 0 || parse_io_priority(d, p, err) < 0)
		return -EINVAL;
	if (!p->env)
		p->env = xcalloc(1, sizeof(*p->env));
	if (score != INT64_MIN) {
		p->oom_score_adj_given = true;
		p->oom_score_adj = (int)score;
	}
	return check_process(d, p, err);
}
