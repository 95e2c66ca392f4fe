/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/doc.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { CONFIG_SIZE_MAX = 16 << 20, ENTRIES_MAX = 65536 };

static int parse_namespaces(json_object *linux_, struct config *c, struct error *err)
{
	static const struct {
		const char *name;
		int flag;
	} types[] = {
		{ "mount", CLONE_NEWNS }, { "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET },
		{ "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC }, { "user", CLONE_NEWUSER },
		{ "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
	};
	json_object *a = NULL;
	int r = doc_array(linux_, "namespaces", &a, err);

	for (size_t i = 0; r > 0 && i < json_object_array_length(a); i++) {
		json_object *o = json_object_array_get_idx(a, i);
		struct namespace_plan n = { 0 };
		const char *type = "", *path = NULL;

		if (doc_string(o, "type", &type, err) < 0 || doc_string(o, "path", &path, err) < 0)
			return -EINVAL;
		for (size_t j = 0; j < ARRAY_SIZE(types); j++) {
			if (!strcmp(type, types[j].name))
				n.flag = types[j].flag;
		}
		if (!n.flag || n.flag == CLONE_NEWTIME)
			return error_set(err, EINVAL, "config: namespace type \"%s\" is not supported",
				type);
		if (config_namespace(c, n.flag))
			return error_set(err, EINVAL, "config: namespace %s is listed twice", type);
		n.path = path && *path ? path : NULL;
		c->namespaces[c->namespace_count++] = n;
	}
	return r < 0 ? r : 0;
}

const struct namespace_plan *config_namespace(const struct config *c, int flag)
{
	for (size_t i = 0; i < c->namespace_count; i++) {
		if (c->namespaces[i].flag == flag)
			return &c->namespaces[i];
	}
	return NULL;
}

int config_new_namespaces(const struct config *c)
{
	int flags = 0;

	for (size_t i = 0; i < c->namespace_count; i++)
		flags |= c->namespaces[i].path ? 0 : c->namespaces[i].flag;
	return flags;
}

static int parse_maps(json_object *linux_, const char *key, struct id_map **maps, size_t *count,
	size_t *capacity, struct error *err)
{
	json_object *a = NULL;
	int r = doc_array(linux_, key, &a, err);

	for (size_t i = 0; r > 0 && i < json_object_array_length(a); i++) {
		json_object *o = json_object_array_get_idx(a, i);
		int64_t container = -1, host = -1, size = 0;

		if (doc_integer(o, "containerID", 0, UINT32_MAX, &container, err) < 0 ||
			doc_integer(o, "hostID", 0, UINT32_MAX, &host, err) < 0 ||
			doc_integer(o, "size", 1, UINT32_MAX, &size, err) < 0)
			return -EINVAL;
		if (container < 0 || host < 0 || size < 1)
			return error_set(err, EINVAL, "config: %s needs containerID, hostID, size", key);
		array_grow(*maps, *count, *capacity);
		(*maps)[(*count)++] = (struct id_map){ container, host, size };
	}
	return r < 0 ? r : 0;
}

static int parse_devices(json_object *linux_, struct config *c, struct error *err)
{
	json_object *a = NULL;
	int r = doc_array(linux_, "devices", &a, err);

	for (size_t i = 0; r > 0 && i < json_object_array_length(a) && i < ENTRIES_MAX; i++) {
		json_object *o = json_object_array_get_idx(a, i);
		int64_t major = 0, minor = 0, mode = 0666, uid = 0, gid = 0;
		const char *type = "", *path = "";

		if (doc_string(o, "type", &type, err) < 0 || doc_string(o, "path", &path, err) < 0 ||
			doc_integer(o, "major", 0, 4095, &major, err) < 0 ||
			doc_integer(o, "minor", 0, 1048575, &minor, err) < 0 ||
			doc_integer(o, "fileMode", 0, 07777, &mode, err) < 0 ||
			doc_integer(o, "uid", 0, UINT32_MAX, &uid, err) < 0 ||
			doc_integer(o, "gid", 0, UINT32_MAX, &gid, err) < 0)
			return -EINVAL;
		if (!strchr("cbup", type[0]) || strlen(type) != 1 || path[0] != '/')
			return error_set(err, EINVAL, "config: device \"%s\" has type \"%s\", wanted c, "
				"b, u or p and an absolute path", path, type);
		array_grow(c->devices, c->device_count, c->device_capacity);
		c->devices[c->device_count++] = (struct device_plan){ path,
			type[0] == 'u' ? 'c' : type[0], major, minor, mode, uid, gid };
	}
	return r < 0 ? r : 0;
}

static int parse_propagation(json_object *linux_, struct config *c, struct error *err)
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

	if (doc_string(linux_, "rootfsPropagation", &name, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i].name))
			c->propagation = names[i].flags;
	}
	if (*name && !c->propagation)
		return error_set(err, EINVAL, "config: rootfsPropagation \"%s\" is not known", name);
	return 0;
}

static int parse_personality(json_object *linux_, struct config *c, struct error *err)
{
	json_object *o = NULL;
	const char *domain = "";
	int r = doc_object(linux_, "personality", &o, err);

	if (r <= 0)
		return r;
	if (doc_string(o, "domain", &domain, err) < 0)
		return -EINVAL;
	c->personality_given = true;
	if (!strcmp(domain, "LINUX"))
		c->personality = PER_LINUX;
	else if (!strcmp(domain, "LINUX32"))
		c->personality = PER_LINUX32;
	else
		return error_set(err, EINVAL, "config: personality domain \"%s\" is not LINUX or "
			"LINUX32", domain);
	return 0;
}

static int parse_linux(json_object *json, struct config *c, struct error *err)
{
	json_object *l = NULL, *resources = NULL;
	int r = doc_object(json, "linux", &l, err);

	if (r <= 0)
		return r;
	if (parse_namespaces(l, c, err) < 0 || parse_devices(l, c, err) < 0 ||
		parse_maps(l, "uidMappings", &c->uid_maps, &c->uid_map_count, &c->uid_map_capacity,
			err) < 0 ||
		parse_maps(l, "gidMappings", &c->gid_maps, &c->gid_map_count, &c->gid_map_capacity,
			err) < 0 ||
		parse_propagation(l, c, err) < 0 || parse_personality(l, c, err) < 0 ||
		doc_string(l, "cgroupsPath", &c->cgroups_path, err) < 0 ||
		doc_strings(l, "maskedPaths", &c->masked, NULL, err) < 0 ||
		doc_strings(l, "readonlyPaths", &c->readonly, NULL, err) < 0 ||
		doc_object(l, "sysctl", &c->sysctl, err) < 0 ||
		doc_object(l, "seccomp", &c->seccomp, err) < 0)
		return -EINVAL;
	r = doc_object(l, "resources", &resources, err);
	return r > 0 ? config_parse_resources(resources, &c->resources, err) : r;
}

static int parse_mounts(json_object *json, struct config *c, struct error *err)
{
	json_object *a = NULL;
	int r = doc_array(json, "mounts", &a, err);

	for (size_t i = 0; r > 0 && i < json_object_array_length(a) && i < ENTRIES_MAX; i++) {
		json_object *o = json_object_array_get_idx(a, i), *options = NULL;
		struct mount_plan *m;

		array_grow(c->mounts, c->mount_count, c->mount_capacity);
		m = &c->mounts[c->mount_count++];
		*m = (struct mount_plan){ 0 };
		if (doc_string(o, "destination", &m->destination, err) < 0 ||
			doc_string(o, "type", &m->type, err) < 0 ||
			doc_string(o, "source", &m->source, err) < 0 ||
			doc_array(o, "options", &options, err) < 0 ||
			config_mount_options(m, options, err) < 0)
			return -EINVAL;
		if (!m->destination || !*m->destination)
			return error_set(err, EINVAL, "config: a mount has no destination");
		if (m->type && !strcmp(m->type, "bind"))
			m->bind = true;
		if (m->bind && !m->source)
			return error_set(err, EINVAL, "config: bind mount %s has no source",
				m->destination);
		if (!m->bind && !m->type)
			return error_set(err, EINVAL, "config: mount %s has no type", m->destination);
	}
	return r < 0 ? r : 0;
}

/* Rules between members that the types alone do not tell. */
static int check(const struct config *c, json_object *json, struct error *err)
{
	const char *version = NULL;

	if (doc_string(json, "ociVersion", &version, err) < 0)
		return -EINVAL;
	if (!version || strncmp(version, "1.", 2) != 0)
		return error_set(err, EINVAL, "config: ociVersion \"%s\" is not 1.x",
			version ? version : "");
	if (!c->root)
		return error_set(err, EINVAL, "config: root.path is missing");
	if (!config_namespace(c, CLONE_NEWNS))
		return error_set(err, EINVAL, "config: a mount namespace is needed");
	if ((c->hostname || c->domainname) && !config_namespace(c, CLONE_NEWUTS))
		return error_set(err, EINVAL, "config: hostname needs a uts namespace of its own");
	if (!c->process.args || !c->process.args[0])
		return error_set(err, EINVAL, "config: process.args is empty");
	if (c->process.cwd[0] != '/')
		return error_set(err, EINVAL, "config: process.cwd \"%s\" is not an absolute path",
			c->process.cwd);
	if ((c->uid_map_count || c->gid_map_count) && !config_namespace(c, CLONE_NEWUSER))
		return error_set(err, EINVAL, "config: id mappings need a user namespace");
	return 0;
}

static int parse_document(struct config *c, struct error *err)
{
	json_object *root = NULL, *process = NULL, *j = c->json;

	if (doc_object(j, "root", &root, err) < 0 ||
		doc_object(j, "process", &process, err) < 0 ||
		doc_object(j, "hooks", &c->hooks, err) < 0 ||
		doc_object(j, "annotations", &c->annotations, err) < 0 ||
		doc_string(j, "hostname", &c->hostname, err) < 0 ||
		doc_string(j, "domainname", &c->domainname, err) < 0)
		return -EINVAL;
	if (!process)
		return error_set(err, EINVAL, "config: process is missing");
	if (root && (doc_string(root, "path", &c->root, err) < 0 ||
			    doc_bool(root, "readonly", &c->root_readonly, err) < 0))
		return -EINVAL;
	if (parse_linux(j, c, err) < 0 || parse_mounts(j, c, err) < 0 ||
		config_parse_process(process, &c->process, err) < 0)
		return -EINVAL;
	return check(c, j, err);
}

int config_parse(const char *text, size_t length, struct config **ret, struct error *err)
{
	_cleanup_(config_free_ptr) struct config *c = xcalloc(1, sizeof(*c));
	int r;

	cgroup_resources_init(&c->resources);
	r = doc_parse(text, length, &c->json, err);
	if (r < 0)
		return r;
	r = parse_document(c, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(c);
	return 0;
}

int config_read(int dir, const char *name, struct config **ret, struct error *err)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t length = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, errno, "cannot open %s of the bundle", name);
	if (!S_ISREG(st.st_mode) || st.st_size > CONFIG_SIZE_MAX)
		return error_set(err, EINVAL, "%s is not a regular file of at most %d MiB", name,
			CONFIG_SIZE_MAX >> 20);
	text = xmalloc(st.st_size + 1);
	while (length < (size_t)st.st_size &&
		(n = read(fd, text + length, st.st_size - length)) != 0) {
		if (n < 0)
			return error_errno(err, errno, "cannot read %s", name);
		length += n;
	}
	return config_parse(text, length, ret, err);
}

void config_free_process(struct process_plan *p)
{
	free(p->groups);
	free(p->args);
	free(p->env);
	free(p->limits);
	*p = (struct process_plan){ 0 };
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->mount_count; i++)
		free(c->mounts[i].data);
	free(c->mounts);
	free(c->uid_maps);
	free(c->gid_maps);
	free(c->devices);
	free(c->masked);
	free(c->readonly);
	config_free_process(&c->process);
	cgroup_resources_free(&c->resources);
	if (c->json)
		json_object_put(c->json);
	free(c);
}

void config_free_ptr(struct config **c)
{
	config_free(*c);
}
