/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"

enum { CONFIG_SIZE_MAX = 16 << 20 };

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

static int parse_mounts(const struct doc *d, struct config *c, struct error *err)
{
	struct doc a;
	int r = doc_array(d, "mounts", &a, err);

	for (size_t i = 0; r >= 0 && i < doc_count(&a); i++) {
		struct doc e;

		array_grow(c->mounts, c->mount_count, c->mount_capacity);
		c->mounts[c->mount_count++] = (struct mount_plan){ 0 };
		r = doc_element(&a, i, &e, err);
		if (r == 0)
			r = config_parse_mount(&e, &c->mounts[i], err);
	}
	return r < 0 ? r : 0;
}

static int check_version(const struct doc *d, struct error *err)
{
	const char *version = NULL;

	if (doc_string(d, "ociVersion", &version, err) < 0)
		return -EINVAL;
	if (!version)
		return doc_error(d, "ociVersion", err, "it is missing");
	if (strncmp(version, "1.", 2) != 0 || version[2] < '0' || version[2] > '9')
		return doc_error(d, "ociVersion", err, "\"%.64s\" is not 1.x", version);
	return 0;
}

/* Rules between members that the types alone do not tell. */
static int check(const struct config *c, const struct doc *d, struct error *err)
{
	bool uts = config_namespace(c, CLONE_NEWUTS), user = config_namespace(c, CLONE_NEWUSER);
	bool new_user = config_new_namespaces(c) & CLONE_NEWUSER;

	if (!json_object_object_get(d->json, "root"))
		return doc_error(d, "root", err, "it is missing");
	if (!c->root || !*c->root)
		return doc_error(d, "root.path", err, "it is missing");
	if (c->hostname && !uts)
		return doc_error(d, "hostname", err, "it needs a uts namespace of its own");
	if (c->domainname && !uts)
		return doc_error(d, "domainname", err, "it needs a uts namespace of its own");
	if (c->uids.count && !user)
		return doc_error(d, "linux.uidMappings", err, "they need a user namespace");
	if (c->gids.count && !user)
		return doc_error(d, "linux.gidMappings", err, "they need a user namespace");
	if (new_user && (!c->uids.count || !c->gids.count))
		return doc_error(d, c->uids.count ? "linux.gidMappings" : "linux.uidMappings", err,
			"it is missing: a new user namespace has no ids else");
	for (size_t i = 0; i < c->mount_count; i++) {
		const struct doc mounts = { .parent = d, .key = "mounts" }, e = { .parent = &mounts, .index = i };

		if (c->mounts[i].idmap && !c->mounts[i].uids.count && !user)
			return doc_error(&e, "uidMappings", err, "idmap needs mappings here, or those of a user namespace");
	}
	return 0;
}

/* A host name that sethostname(2) takes. */
static int parse_name(const struct doc *d, const char *key, const char **ret, struct error *err)
{
	int r = doc_string(d, key, ret, err);

	if (r == 0 && *ret && strlen(*ret) > HOST_NAME_MAX)
		return doc_error(d, key, err, "it is too long: %d bytes at most", HOST_NAME_MAX);
	return r;
}

static int parse_annotations(const struct doc *d, struct config *c, struct error *err)
{
	struct doc a;
	int r = doc_object(d, "annotations", &a, err);

	if (r <= 0)
		return r;
	c->annotations = a.json;
	json_object_object_foreach(a.json, key, value) {
		const char *text = NULL;

		(void)value;
		if (!*key)
			return doc_error(&a, NULL, err, "a name in it is empty");
		if (doc_string(&a, key, &text, err) < 0)
			return -EINVAL;
		if (text && !strcmp(key, "run.oci.keep_original_groups"))
			c->process.keep_groups = strcmp(text, "0") != 0;
	}
	return 0;
}

static int check_linux(const struct doc *d, struct error *err)
{
	return d->json ? 0 : doc_error(d, NULL, err, "it is missing: without linux.namespaces nothing is contained");
}

static int parse_document(struct config *c, struct error *err)
{
	const struct doc d = { .json = c->json };
	struct doc root, process, hooks, linux_;
	int has_process;

	if (check_version(&d, err) < 0 || doc_object(&d, "root", &root, err) < 0 ||
		doc_path(&root, "path", &c->root, err) < 0 ||
		doc_bool(&root, "readonly", &c->root_readonly, err) < 0 ||
		parse_name(&d, "hostname", &c->hostname, err) < 0 ||
		parse_name(&d, "domainname", &c->domainname, err) < 0 ||
		parse_annotations(&d, c, err) < 0 || doc_object(&d, "hooks", &hooks, err) < 0 ||
		hooks_check(&hooks, err) < 0 || doc_object(&d, "linux", &linux_, err) < 0 ||
		check_linux(&linux_, err) < 0 || config_parse_linux(&linux_, c, err) < 0 || parse_mounts(&d, c, err) < 0)
		return -EINVAL;
	c->hooks = hooks.json;
	has_process = doc_object(&d, "process", &process, err);
	if (has_process == 0)
		return doc_error(&d, "process", err, "it is missing");
	if (has_process < 0 || config_parse_process(&process, &c->process, err) < 0)
		return -EINVAL;
	return check(c, &d, err);
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
	for (size_t i = 0; i < c->mount_count; i++) {
		free(c->mounts[i].data);
		free(c->mounts[i].uids.maps);
		free(c->mounts[i].gids.maps);
	}
	free(c->mounts);
	free(c->uids.maps);
	free(c->gids.maps);
	free(c->time_offsets);
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
