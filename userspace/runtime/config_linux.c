/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md: all of "linux" but the resources. */
#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>

#include "runtime/config.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static const struct {
	const char *name;
	int flag;
} namespace_types[] = {
	{ "mount", CLONE_NEWNS }, { "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET },
	{ "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC }, { "user", CLONE_NEWUSER },
	{ "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
};

static int parse_namespace(const struct doc *d, struct config *c, struct error *err)
{
	static const char *const required[] = { "type", NULL };
	struct namespace_plan n = { 0 };
	const char *type = "", *path = NULL;

	if (doc_require(d, required, err) < 0 || doc_string(d, "type", &type, err) < 0 ||
		doc_path(d, "path", &path, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(namespace_types); i++) {
		if (!strcmp(type, namespace_types[i].name))
			n.flag = namespace_types[i].flag;
	}
	if (!n.flag)
		return doc_error(d, "type", err, "\"%.64s\" is not known", type);
	if (config_namespace(c, n.flag))
		return doc_error(d, "type", err, "namespace %s is listed twice", type);
	if (path && *path && path[0] != '/')
		return doc_error(d, "path", err, "\"%.64s\" is not absolute", path);
	n.path = path && *path ? path : NULL;
	c->namespaces[c->namespace_count++] = n;
	return 0;
}

static int parse_namespaces(const struct doc *d, struct config *c, struct error *err)
{
	struct doc a, e;
	int r = doc_array(d, "namespaces", &a, err);

	for (size_t i = 0; r >= 0 && i < doc_count(&a); i++) {
		r = doc_element(&a, i, &e, err);
		if (r == 0)
			r = parse_namespace(&e, c, err);
	}
	if (r >= 0 && !config_namespace(c, CLONE_NEWNS))
		return doc_error(d, "namespaces", err, "a mount namespace is needed");
	return r < 0 ? r : 0;
}

static bool overlap(uint32_t a, uint32_t b, const struct id_map *x, const struct id_map *y)
{
	return a < (uint64_t)b + y->size && b < (uint64_t)a + x->size;
}

int config_parse_maps(const struct doc *d, const char *key, struct id_maps *ret, struct error *err)
{
	static const char *const required[] = { "containerID", "hostID", "size", NULL };
	struct doc a, e;
	int r = doc_array(d, key, &a, err);

	for (size_t i = 0; r >= 0 && i < doc_count(&a); i++) {
		int64_t container = 0, host = 0, size = 0;
		struct id_map m;

		if (doc_element(&a, i, &e, err) < 0 || doc_require(&e, required, err) < 0 ||
			doc_integer(&e, "containerID", 0, UINT32_MAX - 1LL, &container, err) < 0 ||
			doc_integer(&e, "hostID", 0, UINT32_MAX - 1LL, &host, err) < 0 ||
			doc_integer(&e, "size", 1, UINT32_MAX, &size, err) < 0)
			return -EINVAL;
		if (container + size > UINT32_MAX || host + size > UINT32_MAX)
			return doc_error(&e, "size", err, "the range goes beyond the last id");
		m = (struct id_map){ (uint32_t)container, (uint32_t)host, (uint32_t)size };
		for (size_t j = 0; j < ret->count; j++) {
			if (overlap(m.container, ret->maps[j].container, &m, &ret->maps[j]) ||
				overlap(m.host, ret->maps[j].host, &m, &ret->maps[j]))
				return doc_error(&e, NULL, err, "it overlaps with element %zu", j);
		}
		array_grow(ret->maps, ret->count, ret->capacity);
		ret->maps[ret->count++] = m;
	}
	return r < 0 ? r : 0;
}

static int parse_device(const struct doc *d, struct device_plan *ret, struct error *err)
{
	static const char *const required[] = { "type", "path", NULL };
	int64_t major = -1, minor = -1, mode = 0666, uid = 0, gid = 0;
	const char *type = "", *path = "";

	if (doc_require(d, required, err) < 0 || doc_string(d, "type", &type, err) < 0 ||
		doc_path(d, "path", &path, err) < 0 ||
		doc_integer(d, "major", 0, 4095, &major, err) < 0 ||
		doc_integer(d, "minor", 0, 1048575, &minor, err) < 0 ||
		doc_integer(d, "fileMode", 0, 0177777, &mode, err) < 0 ||
		doc_integer(d, "uid", 0, UINT32_MAX - 1LL, &uid, err) < 0 ||
		doc_integer(d, "gid", 0, UINT32_MAX - 1LL, &gid, err) < 0)
		return -EINVAL;
	if (strlen(type) != 1 || !strchr("cbup", type[0]))
		return doc_error(d, "type", err, "\"%.64s\" is not c, b, u or p", type);
	if (path[0] != '/')
		return doc_error(d, "path", err, "\"%.64s\" is not absolute", path);
	if (type[0] != 'p' && (major < 0 || minor < 0))
		return doc_error(d, major < 0 ? "major" : "minor", err, "it is missing");
	/* some engines give the bits of the type, too */
	*ret = (struct device_plan){ path, type[0] == 'u' ? 'c' : type[0],
		major < 0 ? 0 : (unsigned)major, minor < 0 ? 0 : (unsigned)minor, mode & 07777,
		(uid_t)uid, (gid_t)gid };
	return 0;
}

/* The device that is last, against those before it: a path may be there again, for the same device. */
static int check_device(const struct doc *d, const struct config *c, struct error *err)
{
	const struct device_plan *last = &c->devices[c->device_count];

	for (size_t i = 0; i < c->device_count; i++) {
		const struct device_plan *p = &c->devices[i];

		if (!strcmp(p->path, last->path) &&
			(p->type != last->type || p->major != last->major || p->minor != last->minor))
			return doc_error(d, "path", err, "%.256s is another device in element %zu", p->path, i);
	}
	return 0;
}

static int parse_devices(const struct doc *d, struct config *c, struct error *err)
{
	struct doc a, e;
	int r = doc_array(d, "devices", &a, err);

	for (size_t i = 0; r >= 0 && i < doc_count(&a); i++) {
		array_grow(c->devices, c->device_count, c->device_capacity);
		r = doc_element(&a, i, &e, err);
		if (r == 0)
			r = parse_device(&e, &c->devices[c->device_count], err);
		if (r == 0)
			r = check_device(&e, c, err);
		if (r == 0)
			c->device_count++;
	}
	return r < 0 ? r : 0;
}

static int parse_propagation(const struct doc *d, struct config *c, struct error *err)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} names[] = {
		{ "shared", MS_SHARED }, { "rshared", MS_SHARED | MS_REC }, { "slave", MS_SLAVE },
		{ "rslave", MS_SLAVE | MS_REC }, { "private", MS_PRIVATE },
		{ "rprivate", MS_PRIVATE | MS_REC }, { "unbindable", MS_UNBINDABLE },
		{ "runbindable", MS_UNBINDABLE | MS_REC },
	};
	const char *name = "";

	if (doc_string(d, "rootfsPropagation", &name, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i].name))
			c->propagation = names[i].flags;
	}
	if (*name && !c->propagation)
		return doc_error(d, "rootfsPropagation", err, "\"%.64s\" is not known", name);
	return 0;
}

static int parse_personality(const struct doc *d, struct config *c, struct error *err)
{
	static const char *const required[] = { "domain", NULL };
	_cleanup_free_ char **flags = NULL;
	const char *domain = "";
	struct doc p;
	int r = doc_object(d, "personality", &p, err);

	if (r <= 0)
		return r;
	if (doc_require(&p, required, err) < 0 || doc_string(&p, "domain", &domain, err) < 0 ||
		doc_strings(&p, "flags", &flags, NULL, err) < 0)
		return -EINVAL;
	if (flags && flags[0])
		return doc_item_error(&p, "flags", 0, err, "\"%.64s\" is not known: there are none yet", flags[0]);
	c->personality_given = true;
	if (!strcmp(domain, "LINUX"))
		c->personality = PER_LINUX;
	else if (!strcmp(domain, "LINUX32"))
		c->personality = PER_LINUX32;
	else
		return doc_error(&p, "domain", err, "\"%.64s\" is not LINUX or LINUX32", domain);
	return 0;
}

static int parse_time_offsets(const struct doc *d, struct config *c, struct error *err)
{
	static const char *const clocks[] = { "monotonic", "boottime" };
	_cleanup_(strbuf_free) struct strbuf lines = { 0 };
	const struct namespace_plan *n = config_namespace(c, CLONE_NEWTIME);
	struct doc o;
	int r = doc_object(d, "timeOffsets", &o, err);

	if (r <= 0)
		return r;
	if (!n || n->path)
		return doc_error(&o, NULL, err, "they need a time namespace of the container's own");
	json_object_object_foreach(o.json, name, value) {
		if (value && strcmp(name, clocks[0]) != 0 && strcmp(name, clocks[1]) != 0)
			return doc_error(&o, name, err, "this clock has no offset: monotonic and boottime have one");
	}
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		int64_t seconds = 0, nanoseconds = 0;
		struct doc clock;

		r = doc_object(&o, clocks[i], &clock, err);
		if (r < 0 || doc_integer(&clock, "secs", INT64_MIN, INT64_MAX, &seconds, err) < 0 ||
			doc_integer(&clock, "nanosecs", 0, 999999999, &nanoseconds, err) < 0)
			return -EINVAL;
		if (r > 0)
			strbuf_printf(&lines, "%s %lld %lld\n", clocks[i], (long long)seconds,
				(long long)nanoseconds);
	}
	c->time_offsets = lines.length ? strbuf_steal(&lines) : NULL;
	return 0;
}

static int parse_paths(const struct doc *d, const char *key, char ***ret, struct error *err)
{
	if (doc_strings(d, key, ret, NULL, err) < 0)
		return -EINVAL;
	for (size_t i = 0; *ret && (*ret)[i]; i++) {
		if ((*ret)[i][0] != '/')
			return doc_item_error(d, key, i, err, "\"%.256s\" is not absolute", (*ret)[i]);
		if (strlen((*ret)[i]) >= PATH_MAX)
			return doc_item_error(d, key, i, err, "it is too long");
	}
	return 0;
}

static int parse_cgroups_path(const struct doc *d, struct config *c, struct error *err)
{
	if (doc_path(d, "cgroupsPath", &c->cgroups_path, err) < 0)
		return -EINVAL;
	for (const char *p = c->cgroups_path; p && *p; p += strcspn(p, "/"), p += strspn(p, "/")) {
		if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
			return doc_error(d, "cgroupsPath", err, "\"%.256s\" has a component \"..\"",
				c->cgroups_path);
		if (strcspn(p, "/") > NAME_MAX)
			return doc_error(d, "cgroupsPath", err, "a name in it is longer than %d bytes", NAME_MAX);
	}
	return 0;
}

/* "net.ipv4.ip_forward" is sys/net/ipv4/ip_forward. A name that holds '/' has its dots meant as dots
 * (net/ipv4/conf/eth0.1/...), sysctl(8). Only what a namespace of the container's owns may be set. */
static int check_sysctl(const struct doc *sysctl, const char *key, const struct config *c,
	struct error *err)
{
	int own = str_starts(key, "net.") || str_starts(key, "net/") ? CLONE_NEWNET
		: str_starts(key, "kernel.shm") || str_starts(key, "kernel.msg") ||
				str_starts(key, "kernel.sem") || str_starts(key, "fs.mqueue.")
			? CLONE_NEWIPC
		: !strcmp(key, "kernel.hostname") || !strcmp(key, "kernel.domainname")
			? CLONE_NEWUTS
			: 0;

	if (!own || !config_namespace(c, own))
		return doc_error(sysctl, key, err, "it is not in a namespace of the container's own");
	if (strstr(key, "..") || key[strcspn(key, "\n")])
		return doc_error(sysctl, key, err, "it is no name of a sysctl");
	if (!strcmp(key, "kernel.hostname"))
		return doc_error(sysctl, key, err, "hostname is the member that sets it");
	return 0;
}

static int parse_sysctl(const struct doc *d, struct config *c, struct error *err)
{
	struct doc s;
	int r = doc_object(d, "sysctl", &s, err);

	if (r <= 0)
		return r;
	c->sysctl = s.json;
	json_object_object_foreach(s.json, key, value) {
		const char *text = NULL;

		(void)value;
		if (doc_string(&s, key, &text, err) < 0)
			return -EINVAL;
		if (!text)
			return doc_error(&s, key, err, "it is not a string");
		r = check_sysctl(&s, key, c, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Cache and bandwidth classes; the monitoring flags may be off. */
static int parse_rdt(const struct doc *d, struct error *err)
{
	static const char *const keys[] = { "closID", "l3CacheSchema", "memBwSchema", "enableCMT", "enableMBM" };
	struct doc rdt;
	int r = doc_object(d, "intelRdt", &rdt, err);

	for (size_t i = 0; r > 0 && i < ARRAY_SIZE(keys); i++) {
		const char *text = NULL;
		bool flag = false;

		if (i < 3 ? doc_string(&rdt, keys[i], &text, err) : doc_bool(&rdt, keys[i], &flag, err))
			return -EINVAL;
		if (text || flag)
			return doc_error(&rdt, keys[i], err, "Intel RDT is not supported");
	}
	return r < 0 ? r : 0;
}

int config_parse_linux(const struct doc *d, struct config *c, struct error *err)
{
	struct doc resources, seccomp;
	const char *label = NULL;
	int r;

	if (parse_namespaces(d, c, err) < 0 || parse_devices(d, c, err) < 0 ||
		config_parse_maps(d, "uidMappings", &c->uids, err) < 0 ||
		config_parse_maps(d, "gidMappings", &c->gids, err) < 0 ||
		parse_propagation(d, c, err) < 0 || parse_personality(d, c, err) < 0 ||
		parse_time_offsets(d, c, err) < 0 || parse_cgroups_path(d, c, err) < 0 ||
		parse_paths(d, "maskedPaths", &c->masked, err) < 0 ||
		parse_paths(d, "readonlyPaths", &c->readonly, err) < 0 ||
		parse_sysctl(d, c, err) < 0 || doc_string(d, "mountLabel", &label, err) < 0 ||
		parse_rdt(d, err) < 0 || doc_object(d, "seccomp", &seccomp, err) < 0 ||
		seccomp_check(&seccomp, err) < 0)
		return -EINVAL;
	c->seccomp = seccomp.json;
	r = doc_object(d, "resources", &resources, err);
	if (r > 0)
		r = config_parse_resources(&resources, &c->resources, err);
	return r < 0 ? r : config_check_resources(&resources, &c->resources, err);
}
