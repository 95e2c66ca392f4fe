/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an OCI config.json. What must hold: an error has a code and a text that names a place of the document;
 * what is taken can be made ready as it stands: every count has its array, every string its end, every number its range.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include "runtime/config.h"
#include "util/array.h"
#include "util/cleanup.h"

static void check_error(const struct error *err, int r)
{
	require(r < 0 && err->code == -r);
	if (!strncmp(err->text, "config: ", 8)) /* its place, and what is wrong there */
		require(err->text[8] && strstr(err->text + 9, ": ")); /* a name can begin with ": " itself */
	else
		require(!strncmp(err->text, "not a JSON object: ", 19));
}

static bool climbs(const char *path)
{
	for (const char *p = path; p && *p; p += strcspn(p, "/"), p += strspn(p, "/")) {
		if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
			return true;
	}
	return false;
}

static size_t count_strings(char *const *strings)
{
	size_t n = 0, bytes = 0;

	for (; strings && strings[n]; n++)
		bytes += strlen(strings[n]); /* all of them can be read */
	(void)bytes;
	return n;
}

static void check_process(const struct process_plan *p)
{
	require(count_strings(p->args) == p->arg_count && p->arg_count > 0);
	require(count_strings(p->env) == p->env_count);
	require(p->cwd && *p->cwd == '/');
	require(p->umask >= -1 && p->umask <= 0777);
	require(!p->oom_score_adj_given || (p->oom_score_adj >= -1000 && p->oom_score_adj <= 1000));
	require(p->group_count <= p->group_capacity && p->limit_count <= p->limit_capacity);
	require(p->io_priority >= -1 && (p->io_priority < 0 || (p->io_priority >> 13) <= 3));
	for (size_t i = 0; i < p->limit_count; i++) {
		require(p->limits[i].resource >= 0 && p->limits[i].resource < RLIM_NLIMITS);
		require(p->limits[i].value.rlim_cur <= p->limits[i].value.rlim_max);
		for (size_t j = 0; j < i; j++)
			require(p->limits[i].resource != p->limits[j].resource);
	}
}

static void check_mount(const struct mount_plan *m)
{
	require(m->destination && *m->destination && strlen(m->destination) < PATH_MAX);
	/* access time modes are one field: it is cleared to be set */
	require(!(m->set & m->clear & ~(uint64_t)MOUNT_ATTR__ATIME));
	require(!(m->recursive_set & m->recursive_clear & ~(uint64_t)MOUNT_ATTR__ATIME));
	require(m->bind ? m->source != NULL && !m->data_count : m->type != NULL && !m->idmap && !m->recursive);
	require(!m->uids.count == !m->gids.count);
	require(m->data_count <= m->data_capacity);
	for (size_t i = 0; i < m->data_count; i++)
		require(m->data[i] && *m->data[i]);
	require(!(m->propagation & ~(unsigned long)(MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)));
}

static void check_maps(const struct id_maps *maps)
{
	for (size_t i = 0; i < maps->count; i++) {
		require(maps->maps[i].size > 0);
		require((uint64_t)maps->maps[i].container + maps->maps[i].size <= UINT32_MAX);
		require((uint64_t)maps->maps[i].host + maps->maps[i].size <= UINT32_MAX);
	}
}

static void check_namespaces(const struct config *c)
{
	require(c->namespace_count <= ARRAY_SIZE(c->namespaces));
	for (size_t i = 0; i < c->namespace_count; i++) {
		require(c->namespaces[i].flag);
		require(config_namespace(c, c->namespaces[i].flag) == &c->namespaces[i]); /* each at most once */
	}
	require(config_namespace(c, CLONE_NEWNS));
	require(config_namespace(c, CLONE_NEWUSER) || (!c->uids.count && !c->gids.count));
	require(config_namespace(c, CLONE_NEWUTS) || (!c->hostname && !c->domainname));
}

static void check_config(const struct config *c)
{
	require(c->json && c->root && *c->root);
	require(!c->hostname || strlen(c->hostname) <= HOST_NAME_MAX);
	check_namespaces(c);
	check_process(&c->process);
	for (size_t i = 0; i < c->mount_count; i++)
		check_mount(&c->mounts[i]);
	check_maps(&c->uids);
	check_maps(&c->gids);
	for (size_t i = 0; i < c->device_count; i++) {
		require(c->devices[i].path && strchr("cbp", c->devices[i].type));
		require(!(c->devices[i].mode & ~07777U));
	}
	for (char **path = c->masked; path && *path; path++)
		require(**path == '/');
	for (char **path = c->readonly; path && *path; path++)
		require(**path == '/');
	require(!climbs(c->cgroups_path));
	if (c->sysctl) {
		json_object_object_foreach(c->sysctl, key, value) {
			require(!climbs(key) && json_object_is_type(value, json_type_string));
		}
	}
}

void fuzz_config(const uint8_t *data, size_t size)
{
	char *text = memcpy(xmalloc(size ? size : 1), data, size); /* by itself, so that reading beyond it is seen */
	struct config *c = NULL;
	struct error err = { 0 };
	int r;

	r = config_parse(text, size, &c, &err);
	if (r < 0) {
		require(!c);
		check_error(&err, r);
	} else {
		require(r == 0 && !err.code && !err.text[0]);
		check_config(c);
	}
	config_free(c);
	free(text);
}

FUZZ_TARGET(fuzz_config)
